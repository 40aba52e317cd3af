import { option } from 'fp-ts'
import { expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { InvariantViolation } from '../../lib/errors.js'
import { checkpointId } from '../../lib/identity.js'
import type { SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { failureOf, sinkContext } from '../support/ports.js'

async function transaction(writer: SinkWriter<string>, id: number, ...values: string[]): Promise<TransactionHandle> {
  for (const value of values) writer.write(value, undefined, undefined)
  return option.toNullable(await unwrap(writer.preCommit(checkpointId(id))))
}

test('shows records from their commit on, in the order of commits', async () => {
  const sink = memorySink<string>()
  const writer = await unwrap(sink.open(sinkContext()))
  const first = await transaction(writer, 1, 'a', 'b')
  const second = await transaction(writer, 2, 'c')
  expect(sink.committed).toEqual([])
  expect(sink.pending.map(({ values }) => values)).toEqual([['a', 'b'], ['c']])
  await unwrap(writer.commit(first))
  expect(sink.committed).toEqual(['a', 'b'])
  await unwrap(writer.commit(first))
  await unwrap(writer.commit(second))
  expect(sink.committed).toEqual(['a', 'b', 'c'])
  expect(sink.transactions).toEqual([
    { epoch: 1, checkpointId: 1, values: ['a', 'b'] },
    { epoch: 1, checkpointId: 2, values: ['c'] },
  ])
})

test('a transaction without records has no handle', async () => {
  const writer = await unwrap(memorySink<string>().open(sinkContext()))
  expect(await unwrap(writer.preCommit(checkpointId(1)))).toEqual(option.none)
})

test('goes on in a next run: commits what is decided, aborts the rest, remembers', async () => {
  const sink = memorySink<string>()
  const writer = await unwrap(sink.open(sinkContext(1)))
  const decided = await transaction(writer, 1, 'a')
  const undecided = await transaction(writer, 2, 'b')
  await writer.close()()
  const next = await unwrap(sink.open(sinkContext(2)))
  expect(await unwrap(next.committedUpTo())).toEqual(option.none)
  await unwrap(next.commit(decided))
  await unwrap(next.abortOthers())
  expect(await unwrap(next.committedUpTo())).toEqual(option.some({ epoch: 1, checkpointId: 1 }))
  expect(await failureOf(next.commit(undecided))).toMatchObject({ code: 'TRANSACTION_LOST' })
  expect(sink.committed).toEqual(['a'])
  expect(sink.pending).toEqual([])
})

test('refuses another owner and an older run', async () => {
  const sink = memorySink<string>()
  const writer = await unwrap(sink.open(sinkContext(2)))
  expect(await failureOf(sink.open(sinkContext(3, 'other')))).toMatchObject({ code: 'SINK_SHARED' })
  expect(await failureOf(sink.open(sinkContext(1)))).toMatchObject({ code: 'SINK_FENCED' })
  await unwrap(sink.open(sinkContext(3)))
  expect(() => writer.write('a', undefined, undefined)).toThrow(expect.objectContaining({ code: 'SINK_FENCED' }))
  expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ code: 'SINK_FENCED' })
})

test('is strict about the order of calls', async () => {
  const sink = memorySink<string>()
  const writer = await unwrap(sink.open(sinkContext()))
  const first = await transaction(writer, 1, 'a')
  const second = await transaction(writer, 2, 'b')
  await unwrap(writer.commit(second))
  await expect(writer.commit(first)()).rejects.toThrow(InvariantViolation)
  await expect(writer.abortOthers()()).rejects.toThrow(InvariantViolation)
  expect(() => writer.preCommit(checkpointId(2))).toThrow(InvariantViolation)
})

test('a closed writer takes nothing', async () => {
  const writer = await unwrap(memorySink<string>().open(sinkContext()))
  await writer.close()()
  await writer.close()()
  expect(() => writer.write('a', undefined, undefined)).toThrow(expect.objectContaining({ code: 'SINK_IO' }))
  expect(await failureOf(writer.committedUpTo())).toMatchObject({ code: 'SINK_IO' })
})

test('a handle of another kind of sink is refused', async () => {
  const writer = await unwrap(memorySink<string>().open(sinkContext()))
  expect(await failureOf(writer.commit({ parts: [] }))).toMatchObject({ code: 'TRANSACTION_LOST' })
})
