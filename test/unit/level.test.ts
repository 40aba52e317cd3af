import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { expect, it, onTestFinished, vi } from 'vitest'
import { level } from '../../backends/level/level.js'
import { checkpointId } from '../../lib/identity.js'
import { unwrap } from '../../lib/task.js'
import { chunkOf, type PlainRows, published, takenOver } from '../support/checkpoints.js'
import { failureOf } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

/** An error as the databases make them. */
const levelError = (code: string, message: string): Error => Object.assign(new Error(message), { code })

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
