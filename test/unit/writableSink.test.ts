import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { memorySource } from '../../backends/memory/memorySource.js'
import { writableSink } from '../../backends/nodeStreams/writableSink.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'

type Written = (chunk: unknown, callback: (error?: Error) => void) => void

/** Streams that do with a chunk what they are told; all that were opened, and what they were written. */
function streams(write: Written = (_, callback) => callback(), options = {}) {
  const opened: Writable[] = []
  const chunks: unknown[] = []
  const open = (): Writable => {
    const writable = new Writable({
      ...options,
      write(chunk, _, callback) {
        chunks.push(Buffer.isBuffer(chunk) ? chunk.toString() : chunk)
        write(chunk, callback)
      },
    })
    opened.push(writable)
    return writable
  }
  return { opened, chunks, open }
}

const jobOf = (records: readonly unknown[], sink: TransactionalSink<unknown>) =>
  testJob(({ source, sink: to }) => source('in', memorySource(records)).pipe(to('out', sink)))

test('writes lines of JSON behind the checkpoint, and ends the stream with the run', async () => {
  const { opened, chunks, open } = streams()
  await watched(jobOf([{ n: 1 }, 'two'], writableSink({ open })).job).done
  expect(chunks).toEqual(['{"n":1}\n', '"two"\n'])
  expect(opened.map(({ writableFinished }) => writableFinished)).toEqual([true])
})

test('a stream that belongs to others is left as it is', async () => {
  const { opened, open } = streams()
  await watched(jobOf([1], writableSink({ open, atClose: 'leave' })).job).done
  expect(opened.map(({ writableEnded, destroyed }) => writableEnded || destroyed)).toEqual([false])
})

test('a line can have its key, and an object always has', async () => {
  const lines = streams()
  await watched(jobOf([{ n: 1 }], writableSink({ open: lines.open, encode: (value) => [value], line: ({ key, value }) => `${key} ${value};` })).job)
    .done
  expect(lines.chunks).toEqual(['job/out/1-1/0 [{"n":1}];'])
  const objects = streams(undefined, { objectMode: true })
  await watched(jobOf([new Map([[1, 2n]])], writableSink({ open: objects.open, objectMode: true })).job).done
  expect(objects.chunks).toEqual([{ value: new Map([[1, 2n]]), key: 'job/out/1-1/0', epoch: 1, checkpointId: 1, index: 0 }])
})

test('a stream that is full is waited for', async () => {
  const callbacks: (() => void)[] = []
  const { chunks, open } = streams((_, callback) => void callbacks.push(callback), { highWaterMark: 4 })
  const run = watched(jobOf([1, 2, 3, 4, 5], writableSink({ open })).job)
  await settled()
  // Two lines of two bytes fill it, and one of them is being written.
  expect(chunks).toEqual(['1\n'])
  for (let count = 1; count <= 5; count += 1) {
    callbacks.shift()?.()
    await settled()
  }
  await run.done
  expect(chunks).toEqual(['1\n', '2\n', '3\n', '4\n', '5\n'])
})

test('a stream that fails is opened again, behind what it has taken', async () => {
  let failures = 1
  const { opened, chunks, open } = streams((chunk, callback) => callback(String(chunk) === '2\n' && failures-- > 0 ? new Error('reset') : undefined))
  const { job, clock } = jobOf([1, 2, 3], writableSink({ open }))
  const run = watched(job)
  await settled()
  await clock.advance(100)
  await run.done
  expect(chunks).toEqual(['1\n', '2\n', '2\n', '3\n'])
  expect(opened).toHaveLength(2)
  expect(opened[0]?.destroyed).toBe(true)
  expect(run.of('commitRetried')).toMatchObject([{ error: { code: 'SINK_IO', cause: { message: 'reset' } } }])
})

test('a stream that fails between two checkpoints is opened again for the next', async () => {
  const { opened, chunks, open } = streams()
  const source = memorySource([1], { bounded: false })
  const { job } = testJob(({ source: from, sink: to }) => from('in', source).pipe(to('out', writableSink({ open }))))
  const run = watched(job)
  await settled()
  await run.checkpoint()
  await settled()
  opened[0]?.destroy(new Error('gone'))
  await settled()
  source.push(2)
  source.end()
  await run.done
  expect(chunks).toEqual(['1\n', '2\n'])
  expect(opened).toHaveLength(2)
})

test('a stream that takes nothing is given up in time', async () => {
  let hangs = true
  const { opened, chunks, open } = streams((_, callback) => hangs || callback())
  const { job, clock } = jobOf([1], writableSink({ open, timeoutMs: 5_000 }))
  const run = watched(job)
  await settled()
  hangs = false
  await clock.advance(5_000)
  await clock.advance(100)
  await run.done
  expect(chunks).toEqual(['1\n', '1\n'])
  expect(opened[0]?.destroyed).toBe(true)
})

test('a stream that never ends does not hold the end of the run up', async () => {
  const open = () => new Writable({ write: (_chunk, _encoding, callback) => callback(), final() {} })
  const { job, clock } = jobOf([1], writableSink({ open, timeoutMs: 1_000 }))
  const run = watched(job)
  await settled()
  await clock.advance(1_000)
  await run.done
  expect(clock.pendingCount).toBe(0)
})

test('what was opened and is no stream ends the run: trying again does not help', async () => {
  expect(await failed(jobOf([1], writableSink({ open: () => 5 as never })).job)).toMatchObject({ code: 'OPTION_INVALID' })
})

test('a record that is no JSON is refused when it is written', async () => {
  expect(await failed(jobOf([5n], writableSink({ open: streams().open })).job)).toMatchObject({ code: 'VALUE_NOT_ENCODABLE' })
})

test.each([
  ['open', { open: 5 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['recordsMax', { recordsMax: 0 }],
])('a bad %s is refused when the sink is made', (name, options) => {
  expect(() => writableSink({ open: streams().open, ...options } as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})
