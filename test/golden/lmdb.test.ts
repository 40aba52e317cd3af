import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, open } from 'lmdb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type LmdbOptions, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { crc32 } from '../../lib/crc32.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { livesContent, type Row, readLives, writeLives } from './lives.js'
import { recorded } from './recorded.js'
import { compressible, opensWithItsKeyOnly, sealing } from './sealed.js'

/** The pages of the file depend on the machine; what is in its trees does not. Keys and values are in hex. */
interface Dump {
  readonly manifest: { readonly version: number; readonly value: string }
  readonly rows0: { readonly [key: string]: string }
  readonly rows1: { readonly [key: string]: string }
}

/** One key is too long for a place of its own, and is cut. */
const more: readonly Row[] = [
  ['l'.repeat(1_973), 'as long as a key can be that is not cut'],
  ['m'.repeat(2_500), 'a long key'],
]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Buffer => Buffer.from(text, 'hex')

interface Opened {
  readonly storage: CheckpointStorage
  /** As another process opens it. */
  with(options: LmdbOptions): CheckpointStorage
  dump(): Promise<Dump>
  fill(dump: Dump): Promise<void>
}

async function opened(options: LmdbOptions = {}): Promise<Opened> {
  const path = await mkdtemp(join(tmpdir(), 'rxweir-'))
  onTestFinished(() => rm(path, { recursive: true }))
  const binary = { encoding: 'binary' } as const
  /** Looks into the file with the driver alone. */
  const within = async <A>(work: (manifest: Database<Buffer, string>, rows: readonly Database<Buffer, Buffer>[]) => Promise<A>): Promise<A> => {
    await mkdir(join(path, 'orders'), { recursive: true, mode: 0o700 })
    const root = open({ path: join(path, 'orders/store.mdb'), ...binary, maxDbs: 3, noSubdir: true })
    const tree = (name: string) => root.openDB<Buffer, Buffer>(name, { ...binary, keyEncoding: 'binary' })
    try {
      return await work(root.openDB<Buffer, string>('manifest', { ...binary, useVersions: true }), [tree('rows0'), tree('rows1')])
    } finally {
      await root.close()
    }
  }
  return {
    storage: lmdbIn(new Map(), path, options).storage,
    with: (others) => lmdbIn(new Map(), path, others).storage,
    dump: () =>
      within(async (manifest, [rows0, rows1]) => {
        const { version, value } = manifest.getEntry('newest') ?? {}
        const entries = (of: Database<Buffer, Buffer> | undefined) =>
          Object.fromEntries([...(of?.getRange({}) ?? [])].map(({ key, value }) => [hex(key), hex(value)]))
        return { manifest: { version: version ?? 0, value: hex(value ?? Buffer.alloc(0)) }, rows0: entries(rows0), rows1: entries(rows1) }
      }),
    fill: (dump) =>
      within(async (manifest, rows) => {
        await manifest.put('newest', bytes(dump.manifest.value), dump.manifest.version)
        for (const [index, entries] of [dump.rows0, dump.rows1].entries())
          for (const [key, value] of Object.entries(entries)) await rows[index]?.put(bytes(key), bytes(value))
      }),
  }
}

async function written(): Promise<Dump> {
  const { storage, dump } = await opened()
  await writeLives(storage, more)
  return dump()
}

describe('the store of LMDB', () => {
  it('that an earlier release wrote is read', async () => {
    const { storage, fill } = await opened()
    await fill(await recorded('lmdb', written))
    expect(await readLives(storage)).toEqual(livesContent({ more, journals: false }))
  })

  it('gets the same keys and values as ever', async () => {
    expect(await written()).toEqual(await recorded('lmdb', written))
  })

  it('that an earlier release sealed is opened with its key, and with no other', async () => {
    const rows = [...more, ...compressible]
    const record = await recorded('lmdbSealed', async () => {
      const { storage, dump } = await opened(sealing)
      await writeLives(storage, rows)
      return dump()
    })
    const { fill, with: storageWith } = await opened()
    await fill(record)
    await opensWithItsKeyOnly((options) => readLives(storageWith(options)), livesContent({ more: rows, journals: false }))
  })

  it('that a newer release wrote is refused by name, and stays as it is', async () => {
    const { storage, dump, fill } = await opened()
    const old = await recorded('lmdb', written)
    const manifest = JSON.parse(bytes(old.manifest.value).subarray(4).toString()) as { readonly format: number }
    const text = Buffer.from(JSON.stringify({ ...manifest, format: manifest.format + 1 }))
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32BE(crc32(text))
    const newer = { ...old, manifest: { ...old.manifest, value: hex(Buffer.concat([checksum, text])) } }
    await fill(newer)
    await expect(readLives(storage)).rejects.toMatchObject({
      code: 'FORMAT_NEWER',
      details: { found: manifest.format + 1, supported: manifest.format },
    })
    expect(await dump()).toEqual(newer)
  })
})
