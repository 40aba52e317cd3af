import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../backends/memory/index.js'
import { json } from '../../lib/codec.js'
import type { AnyStream, Stream } from '../../lib/element.js'
import { emits } from '../../lib/emits.js'
import { defineJob } from '../../lib/job.js'
import type { Ttl } from '../../lib/state/ttl.js'
import { valueState } from '../../lib/state/valueState.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { bufferCount } from '../../operators/durable/bufferCount.js'
import { count } from '../../operators/durable/count.js'
import { distinct } from '../../operators/durable/distinct.js'
import { distinctUntilChanged } from '../../operators/durable/distinctUntilChanged.js'
import { pairwise } from '../../operators/durable/pairwise.js'
import { reduce } from '../../operators/durable/reduce.js'
import { scan } from '../../operators/durable/scan.js'
import { skip } from '../../operators/durable/skip.js'
import { take } from '../../operators/durable/take.js'
import { takeWhile } from '../../operators/durable/takeWhile.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'

const keys = 20_000
/** A record comes each millisecond, so so many keys are alive; what expires at nearly the same time is looked at together. */
const ttl: Ttl = { afterMs: 1_000, time: 'event' }
const rowsMax = 1_100

type Bounded = (options: { readonly ttl?: Ttl }) => (keys: Stream<number>) => AnyStream<unknown>

const sum = (before: number, n: number): number => before + n
const named = keyBy((n: number) => `key-${n}`)

const operators: { readonly [name: string]: Bounded } = {
  bufferCount: (options) => (numbers) => numbers.pipe(named, bufferCount<number, unknown>('kept', options, 2)),
  count: (options) => (numbers) => numbers.pipe(named, count('kept', options)),
  distinct: (options) => (numbers) => numbers.pipe(distinct('kept', options)),
  'distinct with keys': (options) => (numbers) => numbers.pipe(named, distinct('kept', options)),
  distinctUntilChanged: (options) => (numbers) => numbers.pipe(named, distinctUntilChanged<number, unknown>('kept', options)),
  pairwise: (options) => (numbers) => numbers.pipe(named, pairwise<number, unknown>('kept', options)),
  reduce: (options) => (numbers) => numbers.pipe(named, reduce('kept', options, sum, 0)),
  scan: (options) => (numbers) => numbers.pipe(named, scan('kept', options, sum, 0)),
  skip: (options) => (numbers) => numbers.pipe(named, skip<number>('kept', options, 2)),
  take: (options) => (numbers) => numbers.pipe(named, take<number>('kept', options, 2)),
  takeWhile: (options) => (numbers) =>
    numbers.pipe(
      named,
      takeWhile<number>('kept', options, (n) => n < 0),
    ),
  'a value of processKeyed': (options) => (numbers) =>
    numbers.pipe(
      named,
      processKeyed(
        'kept',
        { state: { last: valueState(json<number>(), options) }, emits: emits<number>() },
        { onRecord: (n, { state }) => state.last.update(n) },
      ),
    ),
}

const run = (make: ReturnType<Bounded>): Promise<void> =>
  defineJob('one-time-keys', { storage: memory(), limits: { rowsMax } }, ({ source, sink: to }) =>
    make(
      source('keys', memorySource(Array.from({ length: keys }, (_, n) => n))).pipe(
        assignTimestamps({ timestamp: (n) => n, watermarks: boundedOutOfOrderness({ delayMs: 0 }) }),
      ) as Stream<number>,
    ).pipe(to('out', memorySink<unknown>()) as never),
  ).run().done as Promise<never>

describe.each(Object.entries(operators))('keys that come once and never again, with %s', (_name, operator) => {
  test('are forgotten when they have expired: never more rows are kept than are alive', async () => {
    await run(operator({ ttl }))
  })

  test('stay where nothing was said about it', async () => {
    await expect(run(operator({}))).rejects.toMatchObject({ code: 'STATE_FULL' })
  })
})
