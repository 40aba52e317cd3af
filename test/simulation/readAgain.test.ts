import { Readable } from 'node:stream'
import fc from 'fast-check'
import * as t from 'io-ts'
import { expect, it } from 'vitest'
import { fromAsyncIterable } from '../../backends/functions/fromAsyncIterable.js'
import { ndjsonTail } from '../../backends/http/ndjsonTail.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { fromReadable } from '../../backends/nodeStreams/fromReadable.js'
import { readableLines } from '../../backends/nodeStreams/readableLines.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import { settled, testJob, watched } from '../support/jobs.js'

const ids = Array.from({ length: 40 }, (_, index) => index)

async function* slowly(from: number) {
  for (const id of ids.slice(from)) {
    if (id % 4 === 0) await settled(1)
    yield id
  }
}

const responding = async (url: string): Promise<Response> => {
  const left = ids.filter((id) => id > Number(new URL(url).searchParams.get('since') ?? -1))
  const body = slowly(left[0] ?? ids.length)
  return new Response(
    new ReadableStream({
      async pull(controller) {
        const { value, done } = await body.next()
        if (done === true) controller.close()
        else if (value % 11 === 10 && left[0] !== value) controller.error(new TypeError('terminated'))
        else controller.enqueue(new TextEncoder().encode(`${value}\n`))
      },
    }),
  )
}

const sources: readonly (readonly [string, () => ReplayableSource<unknown>])[] = [
  ['fromAsyncIterable that counts', () => fromAsyncIterable({ open: () => slowly(0) })],
  [
    'fromAsyncIterable that seeks',
    () => fromAsyncIterable({ open: (from?: number) => slowly(from === undefined ? 0 : from + 1), offsetOf: (id) => id, offset: t.number }),
  ],
  ['fromReadable', () => fromReadable({ open: () => Readable.from(slowly(0), { highWaterMark: 3 }) })],
  ['readableLines', () => readableLines({ open: () => Readable.from(slowly(0)).map((id: number) => `${id}\n`) })],
  [
    'ndjsonTail over connections that break',
    () =>
      ndjsonTail({
        url: (from?: number) => `http://127.0.0.1/${from === undefined ? '' : `?since=${from}`}`,
        codec: t.number,
        offsetOf: (id) => id,
        offset: t.number,
        fetch: responding,
      }),
  ],
]

/** Whether a run takes a checkpoint before it ends, and how long it lives. */
const lives = fc.array(fc.record({ before: fc.nat(20), checkpoint: fc.boolean(), behind: fc.nat(4) }), { maxLength: 4 })

it.each(sources)('%s: a job that is cut off at any moment commits each record once, in order', async (_, source) => {
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      const store = new MemoryStore()
      const sink = memorySink<unknown>()
      const { job, clock } = testJob((scope) => scope.source('in', source()).pipe(scope.sink('out', sink)), {
        storage: memory({ store }),
        limits: { sourceBatchMax: 5 },
      })
      for (const { before, checkpoint, behind } of all) {
        const run = watched(job)
        await settled(before)
        if (checkpoint) void run.checkpoint().catch(() => undefined)
        await settled(behind)
        run.cancel()
      }
      const last = watched(job)
      let over = false
      void last.done.finally(() => {
        over = true
      })
      while (!over) await clock.advance(200)
      await last.done
      expect(sink.committed.map(Number)).toEqual(ids)
    }),
    { numRuns: 15 },
  )
})
