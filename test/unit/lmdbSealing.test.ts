import { readFile } from 'node:fs/promises'
import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { Environment } from '../../backends/lmdb/environment.js'
import { type LmdbOptions, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { packings } from '../../backends/lmdb/packings.js'
import { rowKey } from '../../backends/lmdb/rowKey.js'
import { RowSealing } from '../../backends/lmdb/rowSealing.js'
import { View } from '../../backends/lmdb/view.js'
import { must, nothing, readAll } from '../../laws/storageHistory.js'
import { crc32 } from '../../lib/crc32.js'
import { BackendError } from '../../lib/errors.js'
import { type JobName, jobName } from '../../lib/identity.js'
import type { RowKey } from '../../lib/paged/pagedStore.js'
import { unwrap } from '../../lib/task.js'
import { encryption, sealingKey } from '../support/sealingKeys.js'
import { temporaryDirectory } from '../support/temporary.js'
import { writeTotals } from '../support/totals.js'

const orders = jobName('orders')
const sealed: LmdbOptions = { encryption: encryption(1), compression: 'zlib' }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const long = 'a long value that says the same again and again. '.repeat(100)
const longKey = 'k'.repeat(3_000)

type Rows = { readonly [key: string]: string }

const write = (path: string, options: LmdbOptions, checkpoints: { readonly [id: number]: Rows }, job: JobName = orders): Promise<void> =>
  writeTotals(lmdbIn(new Map(), path, options).storage, checkpoints, job)

async function read(path: string, options: LmdbOptions): Promise<Rows | BackendError> {
  const session = await must(lmdbIn(new Map(), path, options).storage.open(orders))
  try {
    const latest = await unwrap(session.latest())
    const { rows } = O.isSome(latest) ? await readAll(latest.value) : nothing
    return Object.fromEntries([...rows].map(([name, value]) => [name.replace('totals/value/', ''), value]))
  } catch (error) {
    if (error instanceof BackendError) return error
    throw error
  } finally {
    await session.close()()
  }
}

/** Changes the store as somebody would who can write to the file, and mends the checksums. */
async function tamper(
  path: string,
  change: (rows: Map<string, Uint8Array>) => void,
  job: JobName = orders,
  options = sealed,
): Promise<Map<string, Uint8Array>> {
  const environment = new Environment(`${path}/${job}/store.mdb`)
  try {
    const view = new View(environment, new RowSealing(options))
    const tree = environment.trees[view.manifest?.tree ?? 0]
    const { transaction } = environment.read()
    const range = { start: rowKey(1, bytes('')), end: rowKey(2, bytes('')), exclusiveStart: false, limit: 100, transaction }
    const found = tree.getRange(range).asArray.map(({ key, value }): readonly [RowKey, Uint8Array] => [key, value.slice(4)])
    const nameOf = ({ bytes: key }: RowKey): string => Buffer.from(key).toString('latin1')
    const rows = new Map(found.map(([key, value]) => [nameOf(key), value]))
    transaction.done()
    change(rows)
    const { seq } = view
    view.letGo()
    await environment.commit(seq, () => {
      for (const [key] of found) {
        const value = rows.get(nameOf(key)) as Uint8Array
        const summed = new Uint8Array(4 + value.length)
        new DataView(summed.buffer).setUint32(0, crc32(value))
        summed.set(value, 4)
        tree.put(key, summed)
      }
    })
    return rows
  } finally {
    await environment.close()
  }
}

describe('a store of LMDB that is sealed', () => {
  it('has no value, no offset and no name of an operator in its file; keys are there', async () => {
    const path = await temporaryDirectory()
    await write(path, { encryption: encryption(1) }, { 1: { ada: 'ada-has-12', [longKey]: long }, 2: { ada: 'ada-has-13' } })
    expect(await read(path, sealed)).toEqual({ ada: 'ada-has-13', [longKey]: long })
    const file = (await readFile(`${path}/orders/store.mdb`)).toString('latin1')
    for (const secret of ['has-1', 'again and again', 'offset', 'totals', '"job"']) expect(file).not.toContain(secret)
    for (const said of ['ada', 'kkkkkkkk', 'k1']) expect(file).toContain(said)
  })

  it('refuses a value in the place of another, of another job or of another life, and one with a bit changed', async () => {
    const path = await temporaryDirectory()
    await write(path, sealed, { 1: { ada: 'ada-has-12', bob: 'bob-has-7' } })
    await write(path, sealed, { 1: { ada: 'ada-has-12' } }, jobName('bills'))
    const other = await temporaryDirectory()
    await write(other, sealed, { 1: { ada: 'ada-has-12' } })
    const own = await tamper(path, () => undefined)
    const valueIn = async (where: string, job: JobName): Promise<Uint8Array> => (await tamper(where, () => undefined, job)).get('ada') as Uint8Array
    const changed = Uint8Array.from(own.get('ada') as Uint8Array)
    changed[changed.length - 3] = (changed[changed.length - 3] as number) ^ 4
    for (const value of [own.get('bob') as Uint8Array, await valueIn(path, jobName('bills')), await valueIn(other, orders), changed]) {
      await tamper(path, (rows) => rows.set('ada', value))
      expect(await read(path, sealed)).toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { reason: 'it is not what was sealed here' } })
      await tamper(path, (rows) => rows.set('ada', own.get('ada') as Uint8Array))
    }
    expect(await read(path, sealed)).toEqual({ ada: 'ada-has-12', bob: 'bob-has-7' })
    // One that is not sealed is nobody's.
    await tamper(path, (rows) => rows.set('ada', bytes('ada-has-99')))
    expect(await read(path, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED', details: { what: 'a row of the store' } })
  })

  it('tells a key that is missing, another one, and a store that is not sealed', async () => {
    const path = await temporaryDirectory()
    await write(path, sealed, { 1: { ada: 'ada-has-12', bob: 'bob-has-7' } })
    expect(await read(path, { encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    expect(await read(path, {})).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1' } })
    expect(await read(path, { encryption: { keys: { k1: sealingKey(5) }, current: 'k1' } })).toMatchObject({ code: 'KEY_WRONG' })
    const both = { encryption: encryption(1, 2) }
    await write(path, both, { 2: { ada: 'ada-has-13' } })
    expect(await read(path, both)).toEqual({ ada: 'ada-has-13', bob: 'bob-has-7' })
    expect(await read(path, { encryption: encryption(2) })).toMatchObject({ code: 'KEY_MISSING', details: { key: 'k1', what: 'a row of the store' } })
    await write(path, both, { 3: { bob: 'bob-has-8' } })
    expect(await read(path, { encryption: encryption(2) })).toEqual({ ada: 'ada-has-13', bob: 'bob-has-8' })
    const plain = await temporaryDirectory()
    await write(plain, {}, { 1: { ada: 'ada-has-12' } })
    expect(await read(plain, sealed)).toMatchObject({ code: 'FILE_NOT_SEALED' })
    expect(() => lmdbIn(new Map(), plain, { encryption: { ...encryption(1), readsPlain: true } as typeof sealed.encryption & object })).toThrow(
      'OPTION_INVALID',
    )
  })

  it('may be compressed from any checkpoint on, and no longer from any other', async () => {
    const path = await temporaryDirectory()
    const named = packings.map(({ name }) => name)
    await write(path, {}, { 1: { one: long } })
    for (const [index, compression] of named.entries()) await write(path, { compression }, { [2 + index]: { [compression]: long } })
    await write(path, {}, { 9: { three: long } })
    expect(await read(path, {})).toEqual({ one: long, three: long, ...Object.fromEntries(named.map((name) => [name, long])) })
    const sizes = await tamper(path, () => undefined, orders, {})
    expect([...sizes].filter(([, value]) => value.length < 1_000).map(([key]) => key)).toEqual(named)
    if (!named.includes('zstd')) expect(() => lmdbIn(new Map(), path, { compression: 'zstd' })).toThrow('OPTION_INVALID')
  })

  it('never makes more of a value than it says it was', () => {
    const sealing = new RowSealing({ compression: 'zlib' })
    const value = sealing.stored(new Uint8Array(200_000), () => [])
    expect(value.length).toBeLessThan(1_000)
    expect(sealing.opened(value, () => [], 'it').length).toBe(200_000)
    for (const length of [199_999, 200_001, 1_000]) {
      const lying = Buffer.from(value)
      lying.writeUInt32BE(length, 4)
      expect(() => sealing.opened(lying, () => [], 'it')).toThrow('SNAPSHOT_CORRUPT')
    }
    const unknown = Buffer.from(value)
    unknown[3] = 15
    expect(() => sealing.opened(unknown, () => [], 'it')).toThrow('FORMAT_NEWER')
  })
})
