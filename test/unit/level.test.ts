import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { expect, it, onTestFinished, vi } from 'vitest'
import { level } from '../../backends/level/level.js'
import { json, stateCodec } from '../../lib/codec.js'
import { checkpointId, jobName } from '../../lib/identity.js'
import type { LiveSession } from '../../lib/keyValue/liveSession.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { chunkOf, type PlainRows, published, takenOver } from '../support/checkpoints.js'
import { liveStorage } from '../support/pagedPlaces.js'
import { failureOf } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

/** An error as the databases make them. */
const levelError = (code: string, message: string): Error => Object.assign(new Error(message), { code })

const mebibyte = 1024 * 1024
const scope = { uid: 'uid', rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }

/** A session, and what it goes on from. */
async function found(storage: CheckpointStorage) {
  const session = await unwrap(storage.open(jobName('job')))
  return { session, latest: await unwrap(session.latest()) }
}

const keysOf = async (database: MemoryLevel): Promise<number> => (await database.keys().all()).length

it('what else is in the database stays as it is, and jobs do not see each other', async () => {
  const database = new MemoryLevel<string, string>()
  await database.put('mine', 'as it was')
  const first = await takenOver(level(database), 'first')
  const second = await takenOver(level(database), 'second')
  await unwrap(published(first.session, 1, { a: 'first' }))
  await unwrap(published(second.session, 1, { a: 'second' }))
  await Promise.all([first.session.close()(), second.session.close()()])
  expect((await takenOver(level(database), 'first')).rows).toEqual({ a: 'first' })
  expect((await takenOver(level(database), 'second')).rows).toEqual({ a: 'second' })
  expect((await takenOver(level(database, { sublevel: 'another' }), 'first')).rows).toBeUndefined()
  expect(await database.get('mine')).toBe('as it was')
})

it('a checkpoint writes what changed, and what nobody needs any more goes', async () => {
  for (const retainedCheckpoints of [1, 3]) {
    const database = new MemoryLevel()
    const { session } = await takenOver(level(database, { retainedCheckpoints }))
    const many = (value: string): PlainRows => Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`key ${index}`, value]))
    await unwrap(published(session, 1, many('one')))
    const batch = vi.spyOn(database, 'batch')
    let id = 2
    for (; id < 10; id += 1) await unwrap(published(session, id, { 'key 7': String(id) }))
    const operations = (batch.mock.calls as unknown as readonly (readonly [changes: readonly unknown[]])[]).map(([changes]) => changes.length)
    expect(operations).toHaveLength(8)
    // The row and what it replaces, the body, the head, and what goes.
    expect(Math.max(...operations)).toBeLessThan(8)
    await unwrap(published(session, id++, many('two')))
    await unwrap(published(session, id++, many('three'), { whole: true }))
    for (const last = id + retainedCheckpoints; id < last; id += 1) await unwrap(published(session, id, { a: 'last' }))
    await session.idle()()
    // The rows, the head, and for each checkpoint its body and at most one row that it changed.
    expect(await keysOf(database)).toBeLessThanOrEqual(1_200 + 2 + 2 * retainedCheckpoints)
    expect(session.retained()).toHaveLength(retainedCheckpoints)
    await session.close()()
    expect((await takenOver(level(database))).rows).toEqual({ ...many('three'), a: 'last' })
  }
})

it('a whole checkpoint that was given up leaves nothing behind', async () => {
  const database = new MemoryLevel()
  const { session } = await takenOver(level(database, { retainedCheckpoints: 1 }))
  const writer = session.begin(checkpointId(1), { whole: true })
  await unwrap(writer.write(chunkOf({ a: 'given up', b: 'given up' })))
  await writer.abort()()
  await unwrap(published(session, 1, { a: 'one' }))
  await session.idle()()
  // The head, the body and the row.
  expect(await keysOf(database)).toBe(3)
})

it('of a batch that failed nobody knows: nothing follows it, and the next run reads what is there', async () => {
  const database = new MemoryLevel()
  const { session } = await takenOver(level(database))
  await unwrap(published(session, 1, { a: 'one' }))
  const batch = vi.spyOn(database, 'batch')
  batch.mockRejectedValueOnce(levelError('LEVEL_IO_ERROR', 'IO error: 000005.log: No space left on device'))
  expect(await failureOf(published(session, 2, { a: 'two' }))).toMatchObject({
    code: 'BACKEND_FULL',
    details: { sublevel: 'rxweir/job', fatal: true },
  })
  expect(await failureOf(session.latest())).toMatchObject({ code: 'BACKEND_FULL' })
  await session.close()()
  const next = await takenOver(level(database))
  expect(next.rows).toEqual({ a: 'one' })
  batch.mockRejectedValueOnce(levelError('LEVEL_IO_ERROR', 'IO error: 000005.log: Input/output error'))
  expect(await failureOf(published(next.session, 2, { a: 'two' }))).toMatchObject({ code: 'BACKEND_IO', details: { system: 'LEVEL_IO_ERROR' } })
})

it('a database that its owner has closed is BACKEND_NOT_OPEN', async () => {
  const database = new ClassicLevel(await temporaryDirectory())
  onTestFinished(() => database.close())
  const { session } = await takenOver(level(database))
  await database.close()
  expect(await failureOf(published(session, 1, { a: 'one' }))).toMatchObject({ code: 'BACKEND_NOT_OPEN', details: { fatal: true } })
  await session.close()()
})

it('says what the database can do, and refuses what it cannot use', async () => {
  expect(level(new MemoryLevel()).manifest).toMatchObject({ durable: false, journals: true })
  const onDisk = new ClassicLevel(await temporaryDirectory())
  onTestFinished(() => onDisk.close())
  expect(level(onDisk).manifest).toMatchObject({ durable: true, incremental: true })
  const invalid = expect.objectContaining({ code: 'OPTION_INVALID' })
  expect(() => level(new MemoryLevel(), { retainedCheckpoints: 0 })).toThrow(invalid)
  expect(() => level(new MemoryLevel(), { sublevel: 'a!b' })).toThrow(invalid)
  const textOnly = new MemoryLevel()
  Object.assign(textOnly.supports, { encodings: { utf8: true } })
  expect(() => level(textOnly)).toThrow(invalid)
})

it('gives a job its live rows and its checkpoints, and nothing else', () => {
  const both = level(new MemoryLevel())
  expect({ ...both }).toEqual({ state: both.state, storage: both.storage })
  expect(both.state.manifest).toEqual({ name: 'level', largerThanMemory: true })
  for (const option of ['cacheBytesMax', 'dirtyBytesMax'] as const)
    expect(() => level(new MemoryLevel(), { [option]: mebibyte - 1 })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: { option, found: mebibyte - 1, least: mebibyte } }),
    )
})

it('keeps no live rows in a database that cannot be read at once, and checkpoints all the same', async () => {
  const database = new MemoryLevel()
  Object.assign(database.supports, { getSync: false })
  expect(() => ({ ...level(database) })).toThrow(expect.objectContaining({ code: 'STATE_NOT_SYNCHRONOUS' }))
  const { session } = await takenOver(level(database))
  await unwrap(published(session, 1, { a: 'one' }))
  await session.close()()
  expect((await takenOver(level(database))).rows).toEqual({ a: 'one' })
})

it('keeps no live rows where rows are compressed, now or before', async () => {
  const database = new MemoryLevel()
  const compressing = level(database, { compression: 'zlib' })
  expect(() => compressing.state).toThrow(expect.objectContaining({ code: 'STATE_NOT_SYNCHRONOUS' }))
  const { session } = await takenOver(compressing)
  await unwrap(published(session, 1, { a: 'one' }))
  await session.close()()
  const { state, storage } = level(database)
  const tables = await unwrap(state.open(jobName('job'), { askCheckpoint() {}, pause: () => () => {} }))
  tables.rows({ table: 'table', state: 'state', codec: stateCodec<number>(json<number>()), evictable: true }, scope)
  const next = await takenOver(storage)
  expect(() => tables.goOnFrom?.(next.session, undefined)).toThrow(expect.objectContaining({ code: 'STATE_NOT_SYNCHRONOUS' }))
})

it('makes an index for rows that have none, however often it dies on the way', async () => {
  const database = new MemoryLevel()
  const rows = Object.fromEntries(Array.from({ length: 4_500 }, (_, row) => [`  "${row}"`, String(row)]))
  const first = await takenOver(level(database))
  await unwrap(published(first.session, 1, rows))
  await first.session.close()()
  const commits = MemoryLevel.prototype.batch as (...of: unknown[]) => Promise<void>
  const batch = vi.spyOn(database, 'batch')
  for (const steps of [1, 2, 3]) {
    const { session, latest } = await found(liveStorage(new WeakMap(), database, ['rxweir']))
    let left = steps
    batch.mockImplementation(((...of: unknown[]) =>
      left-- > 0 ? commits.apply(database, of) : Promise.reject(levelError('LEVEL_IO_ERROR', 'IO error'))) as never)
    expect(await failureOf(session.takeOver(latest))).toMatchObject({ code: 'BACKEND_IO' })
    await session.close()()
  }
  batch.mockRestore()
  const { session, latest } = await found(liveStorage(new WeakMap(), database, ['rxweir']))
  await unwrap(session.takeOver(latest))
  const store = session as LiveSession
  expect(store.rowsOf('uid', 'table')).toBe(4_500)
  expect(Array.from(store.all(0), ({ cells }) => Number(new TextDecoder().decode(cells))).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 4_500 }, (_, row) => row),
  )
})
