import { option } from 'fp-ts'
import * as t from 'io-ts'
import { expect, onTestFinished, test } from 'vitest'
import { callbackSink, type RecordCallbackOptions } from '../../backends/functions/callbackSink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { SinkError } from '../../lib/errors.js'
import { checkpointId } from '../../lib/identity.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { KeyedTarget } from '../support/byKey.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'
import { manualClock } from '../support/manualClock.js'
import { failureOf, sinkContext } from '../support/ports.js'

async function opened<T>(sink: TransactionalSink<T>, epoch = 1, more = {}): Promise<SinkWriter<T>> {
  const writer = await unwrap(sink.open({ ...sinkContext(epoch), ...more }))
  onTestFinished(writer.close())
  return writer
}

const write = <T>(writer: SinkWriter<T>, ...values: readonly T[]): void => {
  for (const value of values) writer.write(value, undefined, undefined)
}

async function preCommitted(writer: SinkWriter<never>, id: number): Promise<TransactionHandle> {
  const handle = await unwrap(writer.preCommit(checkpointId(id)))
  if (option.isNone(handle)) throw new Error('expected a handle')
  return JSON.parse(JSON.stringify(handle.value))
}

const delivering = <T>(options: Partial<RecordCallbackOptions<T>> = {}) => {
  const target = new KeyedTarget<T>()
  return { target, sink: callbackSink<T>({ deliver: async (delivery) => target.take(delivery), ...options }) }
}

test('delivers a record when its checkpoint is complete, in order, under a key', async () => {
  const { target, sink } = delivering<string>()
  const source = memorySource(['a', 'b'], { bounded: false })
  const { job } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', sink)))
  const run = watched(job)
  await settled()
  expect(target.values).toEqual([])
  await run.checkpoint()
  await settled()
  expect([...target.delivered]).toEqual([
    ['job/out/1-1/0', 'a'],
    ['job/out/1-1/1', 'b'],
  ])
  source.push('c')
  source.end()
  await run.done
  expect([...target.delivered].at(-1)).toEqual(['job/out/1-2/0', 'c'])
})

test('a function that fails is called again, behind what it has taken', async () => {
  const calls: string[] = []
  let failures = 2
  const sink = callbackSink<string>({
    deliver: ({ value }) => {
      calls.push(value)
      if (value === 'b' && failures-- > 0) throw new Error('busy')
    },
  })
  const { job, clock } = testJob(({ source, sink: to }) => source('in', memorySource(['a', 'b', 'c'])).pipe(to('out', sink)))
  const run = watched(job)
  await settled()
  await clock.advance(100)
  await clock.advance(200)
  await run.done
  expect(calls).toEqual(['a', 'b', 'b', 'b', 'c'])
  expect(run.of('commitRetried').map(({ error }) => [(error as SinkError).code, (error.cause as Error).message])).toEqual([
    ['SINK_IO', 'busy'],
    ['SINK_IO', 'busy'],
  ])
})

test('a function that refuses for good ends the run', async () => {
  const sink = callbackSink({
    deliver: () => {
      throw new SinkError('SINK_REFUSED', { reason: 'no such address' })
    },
  })
  const { job } = testJob(({ source, sink: to }) => source('in', memorySource([1])).pipe(to('out', sink)))
  expect(await failed(job)).toMatchObject({ code: 'SINK_REFUSED', details: { reason: 'no such address' } })
})

test('a function that never answers is given up after a time, and called again', async () => {
  const signals: AbortSignal[] = []
  const sink = callbackSink({
    timeoutMs: 5_000,
    deliver: (_, signal) => {
      signals.push(signal)
      return signals.length === 1 ? new Promise(() => {}) : undefined
    },
  })
  const { job, clock } = testJob(({ source, sink: to }) => source('in', memorySource([1])).pipe(to('out', sink)))
  const run = watched(job)
  await settled()
  await clock.advance(5_000)
  expect(signals[0]?.aborted).toBe(true)
  expect(run.of('commitRetried')[0]?.error.cause).toMatchObject({ message: 'no answer within 5000 ms' })
  await clock.advance(100)
  await run.done
  expect(signals).toHaveLength(2)
  expect(clock.pendingCount).toBe(0)
})

test('a run that died before it delivered is followed by one that delivers under the same keys', async () => {
  const store = new MemoryStore()
  const heard: string[] = []
  const target = new KeyedTarget<number>()
  let down = true
  const sink = callbackSink<number>({
    deliver: (delivery) => {
      heard.push(delivery.key)
      if (delivery.value === 2 && down) return new Promise(() => {})
      return target.take(delivery)
    },
  })
  const source = memorySource([1, 2, 3], { bounded: false })
  const { job } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', sink)), { storage: memory({ store }) })
  const first = watched(job)
  await settled()
  await first.checkpoint()
  await settled()
  expect(heard).toEqual(['job/out/1-1/0', 'job/out/1-1/1'])
  down = false
  // Another process: nothing of the first one goes on.
  const { job: again } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', sink)), { storage: memory({ store }) })
  const second = watched(again)
  await settled()
  source.end()
  await second.done
  expect(second.of('restored')).toMatchObject([{ checkpointId: 1, committedAgain: 1 }])
  expect(heard.slice(2)).toEqual(['job/out/1-1/0', 'job/out/1-1/1', 'job/out/1-1/2'])
  expect(target.values).toEqual([1, 2, 3])
  expect(target.repeated).toBe(1)
})

test('a full sink pauses the sources and asks for a checkpoint, however far the next one is', async () => {
  const { target, sink } = delivering<number>({ recordsMax: 2 })
  const source = memorySource([1, 2, 3, 4, 5], { bounded: false })
  const { job } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', sink)), { pacing: { recordsPerTurn: () => 1 } })
  const run = watched(job)
  await settled(60)
  expect(target.values).toEqual([1, 2, 3, 4])
  expect(run.of('checkpointCompleted')).toHaveLength(2)
  run.cancel()
})

test('while the target is down, no more than the limit waits in the checkpoint', async () => {
  let down = true
  const taken: number[] = []
  const sink = callbackSink<number>({
    recordsMax: 3,
    deliver: ({ value }) => {
      if (down) throw new Error('down')
      taken.push(value)
    },
  })
  const source = memorySource([1, 2, 3, 4, 5, 6, 7])
  const { job, clock } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', sink)), { pacing: { recordsPerTurn: () => 1 } })
  const run = watched(job)
  for (let second = 0; second < 20; second += 1) await clock.advance(1_000)
  expect(run.of('checkpointCompleted')).toHaveLength(1)
  expect(run.of('sourceEnded')).toEqual([])
  down = false
  await clock.advance(10_000)
  await run.done
  expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('the limit counts characters too', async () => {
  const { sink } = delivering<string>({ charactersMax: 10 })
  const writer = await opened(sink)
  write(writer, 'ab')
  expect(writer.full()).toBe(false)
  write(writer, 'abcd')
  expect(writer.full()).toBe(true)
  const drained = writer.drained()
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  await drained
  expect(writer.full()).toBe(false)
})

test('what was asked for and did not come is asked for again, until the sink has room', async () => {
  const clock = manualClock()
  let asked = 0
  const writer = await opened(delivering<number>({ recordsMax: 2 }).sink, 1, { clock, askCheckpoint: () => (asked += 1) })
  write(writer, 1, 2, 3)
  expect(asked).toBe(1)
  await clock.advance(1_000)
  expect(asked).toBe(2)
  const handle = await preCommitted(writer, 1)
  // Its checkpoint may fail: only a commit tells that it has not.
  await clock.advance(1_000)
  expect(asked).toBe(3)
  await unwrap(writer.commit(handle))
  expect(clock.pendingCount).toBe(0)
})

test('closing a full sink leaves no timer and nobody waiting', async () => {
  const clock = manualClock()
  const writer = await opened(delivering<number>({ recordsMax: 1 }).sink, 1, { clock, askCheckpoint() {} })
  write(writer, 1)
  const drained = writer.drained()
  await writer.close()()
  await drained
  expect(clock.pendingCount).toBe(0)
  expect(() => write(writer, 2)).toThrow('SINK_IO')
  expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ code: 'SINK_IO' })
})

test('what a checkpoint cannot hold is refused when it is written', async () => {
  const writer = await opened(delivering<unknown>().sink)
  expect(() => write(writer, { callback() {} })).toThrow('VALUE_NOT_ENCODABLE')
})

test('a record of any plain kind arrives as it was, also after a restart', async () => {
  const { sink, target } = delivering<unknown>()
  const records = [{ at: new Date(5), big: 3n, none: undefined }, new Map([['a', new Set([1])]]), Number.NaN]
  const writer = await opened(sink)
  write(writer, ...records)
  const handle = await preCommitted(writer, 4)
  await unwrap((await opened(sink, 2)).commit(handle))
  expect(target.values).toEqual(records)
})

test('a commit that comes again in the same run delivers nothing again', async () => {
  const { sink, target } = delivering<number>()
  const writer = await opened(sink)
  write(writer, 1)
  const first = await preCommitted(writer, 1)
  write(writer, 2)
  const second = await preCommitted(writer, 2)
  for (const handle of [first, first, second, first, second]) await unwrap(writer.commit(handle))
  expect(target.values).toEqual([1, 2])
  expect(target.repeated).toBe(0)
})

test('a handle of format 1 is read for ever', async () => {
  const { sink, target } = delivering<unknown>()
  const handle = { format: 1, epoch: 3, checkpointId: 12, version: 1, texts: ['{"total":7}', '{"$date":0}'] }
  await unwrap((await opened(sink, 4)).commit(handle))
  expect([...target.delivered]).toEqual([
    ['job/sink/3-12/0', { total: 7 }],
    ['job/sink/3-12/1', new Date(0)],
  ])
})

test('a handle that is none, or of a newer release, is refused by name', async () => {
  const writer = await opened(delivering<unknown>().sink)
  for (const handle of [null, 'x', {}, { format: 1, epoch: 1, checkpointId: 1, version: 1, texts: [1] }])
    expect(await failureOf(writer.commit(handle))).toMatchObject({ code: 'TRANSACTION_LOST' })
  await expect(unwrap(writer.commit({ format: 2 }))).rejects.toMatchObject({ code: 'FORMAT_NEWER' })
})

test('a record that its codec does not read back is an error of the restore', async () => {
  const handle = { format: 1, epoch: 1, checkpointId: 1, version: 1, texts: ['"text"'] }
  const writer = await opened(delivering({ codec: t.number }).sink, 2)
  await expect(unwrap(writer.commit(handle))).rejects.toMatchObject({ code: 'CODEC_MISMATCH' })
})

test('a target that remembers more than the checkpoint knows is an error', async () => {
  const { target, sink } = delivering<number>({ committedUpTo: async () => ({ epoch: 1, checkpointId: 9 }) })
  const { job } = testJob(({ source, sink: to }) => source('in', memorySource([1])).pipe(to('out', sink)))
  expect(await failed(job)).toMatchObject({ code: 'SINK_AHEAD', details: { committed: 9 } })
  expect(target.values).toEqual([])
})

test('a memory that is none is an error', async () => {
  const { sink } = delivering<number>({ committedUpTo: async () => ({ epoch: 1 }) as never })
  expect(await failureOf((await opened(sink)).committedUpTo())).toMatchObject({ code: 'SINK_IO' })
})

test('batches hold records of one checkpoint, up to the limit', async () => {
  const batches: number[][] = []
  const sink = callbackSink<number>({ batchMax: 2, deliverBatch: async (all) => batches.push(all.map(({ value }) => value)) })
  const { job } = testJob(({ source, sink: to }) => source('in', memorySource([1, 2, 3, 4, 5])).pipe(to('out', sink)))
  await watched(job).done
  expect(batches).toEqual([[1, 2], [3, 4], [5]])
})

test('keys begin with the prefix that was given', async () => {
  const { target, sink } = delivering<number>({ keyPrefix: 'bills-2' })
  const { job } = testJob(({ source, sink: to }) => source('in', memorySource([1])).pipe(to('out', sink)))
  await watched(job).done
  expect([...target.delivered.keys()]).toEqual(['bills-2/1-1/0'])
})

test.each([
  ['recordsMax', { deliver() {}, recordsMax: 0 }],
  ['charactersMax', { deliver() {}, charactersMax: 0.5 }],
  ['timeoutMs', { deliver() {}, timeoutMs: -1 }],
  ['batchMax', { deliverBatch() {}, batchMax: 0 }],
  ['keyPrefix', { deliver() {}, keyPrefix: 5 }],
  ['deliver', {}],
  ['deliver', { deliver() {}, deliverBatch() {} }],
])('a bad %s is refused when the sink is made', (name, options) => {
  expect(() => callbackSink(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})

test('what is no codec is refused when the sink is made', () => {
  expect(() => callbackSink({ deliver() {}, codec: {} as never })).toThrow('CODEC_INVALID')
})
