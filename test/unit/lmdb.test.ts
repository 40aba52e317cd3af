import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { type LmdbOptions, lmdb, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointWriter } from '../../lib/ports/checkpointStorage.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'
import { temporaryDirectory } from '../support/temporary.js'

const mebibyte = 1024 * 1024
const fileOf = (path: string, job = 'job'): string => `${path}/${job}/store.mdb`

const job = jobName('job')
const uid = operatorUid('operator')

async function opened(path: string, options?: LmdbOptions): Promise<CheckpointSession> {
  const session = await unwrap(lmdbIn(new Map(), path, options).storage.open(job))
  await unwrap(session.takeOver(await unwrap(session.latest())))
  return session
}

async function publish(session: CheckpointSession, id: number, rows: number, bytes = 10): Promise<void> {
  const frames = new RowFrames()
  for (let row = 0; row < rows; row++) frames.add(Uint8Array.of(0, 0, row >> 8, row & 0xff), new Uint8Array(bytes).fill(id))
  const writer = session.begin(checkpointId(id))
  await unwrap(writer.write({ uid, table: 'table', rows, bytes: frames.take() }))
  await unwrap(writer.publish({ id }))
}

async function newest(path: string): Promise<{ readonly id: number; readonly rows: number }> {
  const session = await unwrap(lmdbIn(new Map(), path).storage.open(job, { readOnly: true }))
  const stored = O.toUndefined(await unwrap(session.latest()))
  let rows = 0
  if (stored !== undefined) await unwrap(stored.readRows((chunk) => (rows += chunk.rows)))
  await session.close()()
  return { id: stored?.checkpointId ?? 0, rows }
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: { readonly code: unknown }) => error.code,
  )

describe('a store', () => {
  it('knows a table that appears while the checkpoint before is being published', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path)
    const rowIn = async (writer: CheckpointWriter, table: string): Promise<void> => {
      const frames = new RowFrames()
      frames.add(Uint8Array.of(0, 0, 1), Uint8Array.of(1))
      await unwrap(writer.write({ uid, table, rows: 1, bytes: frames.take() }))
    }
    const [first, second] = [session.begin(checkpointId(1)), session.begin(checkpointId(2))]
    await rowIn(first, 'table')
    const published = unwrap(first.publish({}))
    // Until it is on its way.
    for (let hop = 0; hop < 20; hop += 1) await undefined
    await rowIn(second, 'appeared')
    await published
    await rowIn(second, 'another')
    await unwrap(second.publish({}))
    await session.close()()
    expect(await newest(path)).toEqual({ id: 2, rows: 3 })
  })

  it('is for its user only', async () => {
    const path = await temporaryDirectory()
    await (await opened(path)).close()()
    expect((await stat(fileOf(path))).mode & 0o777).toBe(0o600)
    expect((await stat(`${path}/job`)).mode & 0o777).toBe(0o700)
  })

  it('in a folder where others may write is refused', async () => {
    const path = await temporaryDirectory()
    await mkdir(`${path}/job`)
    await chmod(`${path}/job`, 0o777)
    expect(await codeOf(opened(path))).toBe('BACKEND_NOT_OWNED')
  })

  it('that is full refuses a checkpoint with a code, and keeps the one before', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path, { fileBytesMax: mebibyte })
    await publish(session, 1, 100)
    await publish(session, 2, 300, 10_000)
    expect(await codeOf(publish(session, 3, 1))).toBe('BACKEND_FULL')
    await session.close()()
    expect(await newest(path)).toEqual({ id: 2, rows: 300 })
    // With more room it goes on.
    const roomier = await opened(path)
    await publish(roomier, 3, 1)
    await roomier.close()()
    expect(await newest(path)).toEqual({ id: 3, rows: 300 })
  })

  it('that another process takes over fences the one before at its next publish', async () => {
    const path = await temporaryDirectory()
    const first = await opened(path)
    await publish(first, 1, 1)
    const second = await opened(path)
    expect(await codeOf(publish(first, 2, 2))).toBe('BACKEND_FENCED')
    await publish(second, 2, 3)
    await Promise.all([first.close()(), second.close()()])
    expect(await newest(path)).toEqual({ id: 2, rows: 3 })
  })

  it('is opened once in a process, whoever opens it', async () => {
    const path = await temporaryDirectory()
    const session = await unwrap(lmdb(path).storage.open(job))
    expect(await codeOf(unwrap(lmdb(path).storage.open(job)))).toBe('BACKEND_IN_USE')
    await session.close()()
    await (await unwrap(lmdb(path).storage.open(job))).close()()
  })

  it('keeps what was read until the second checkpoint after it, and what is held for longer', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path)
    await publish(session, 1, 5)
    const read = O.toUndefined(await unwrap(session.latest()))
    const held = O.toUndefined(await unwrap(session.hold(checkpointId(1))))
    for (const id of [2, 3, 4]) await publish(session, id, 9)
    expect(await codeOf(unwrap(read?.readRows(() => {}) as never))).toBe('BACKEND_NOT_OPEN')
    let rows = 0
    await unwrap(held?.readRows((chunk) => (rows += chunk.rows)) as never)
    expect(rows).toBe(5)
    session.letGo(checkpointId(1))
    await session.close()()
  })

  it('that belongs to another job is refused', async () => {
    const path = await temporaryDirectory()
    await (await opened(path)).close()()
    const stranger = await temporaryDirectory()
    const session = await unwrap(lmdb(stranger).storage.open(jobName('other')))
    await unwrap(session.takeOver(await unwrap(session.latest())))
    await session.close()()
    await writeFile(fileOf(stranger, 'other'), await readFile(fileOf(path)))
    const again = await unwrap(lmdb(stranger).storage.open(jobName('other')))
    expect(await codeOf(unwrap(again.latest()))).toBe('BACKEND_NOT_OWNED')
    await again.close()()
  })

  it('whose bytes are not what was written says so', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path)
    await publish(session, 1, 1, 500)
    await session.close()()
    const bytes = await readFile(fileOf(path))
    const at = bytes.indexOf(Buffer.alloc(500, 1))
    expect(at).toBeGreaterThan(0)
    bytes[at + 100] = 2
    await writeFile(fileOf(path), bytes)
    expect(await codeOf(newest(path))).toBe('SNAPSHOT_CORRUPT')
  })

  it('has options within their ranges', () => {
    for (const option of ['cacheBytesMax', 'dirtyBytesMax', 'fileBytesMax'] as const)
      expect(() => lmdb('./state', { [option]: 1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
