import * as t from 'io-ts'
import { type MemorySink, memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits } from '../../lib/emits.js'
import {
  type Aggregate,
  continuousEventTime,
  countEvictor,
  defineJob,
  type Job,
  type JobOptions,
  listState,
  mapState,
  session,
  sliding,
  tumbling,
  valueState,
} from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import * as durable from '../../operators/durable/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { window } from '../../operators/window.js'
import { manualClock } from '../support/manualClock.js'

/** A job with state of every kind, for what a release has stored to be restored into. Operators are only ever added to a copy of it. */
interface Sale {
  readonly who: string
  readonly amount: number
  readonly at: number
}

const sales: readonly Sale[] = [
  ['ada', 3, 1],
  ['zoë', 5, 4],
  ['ada', 4, 12],
  ['\ud800', 1, 11],
  ['ada', 5, 26],
  ['zoë', 9, 31],
  ['ada', 2, 33],
  ['bob', 6, 38],
  // Behind the savepoint.
  ['ada', 1, 41],
  ['zoë', 2, 44],
  ['bob', 7, 52],
  ['\ud800', 3, 60],
  ['ada', 8, 95],
].map(([who, amount, at]) => ({ who, amount, at }) as Sale)
const before = 8

const all: Aggregate<Sale, readonly number[], readonly number[]> = {
  create: () => [],
  add: (held, { amount }) => [...held, amount],
  merge: (a, b) => [...a, ...b],
  result: (amounts) => amounts,
}

/** Results by the name of their sink. */
export interface Results {
  readonly [sink: string]: readonly unknown[]
}

const sinkNames = ['sum', 'processed', 'tumbling', 'sliding', 'session', 'recent', 'scanned', 'pairs', 'distinct', 'reduced'] as const

interface Made {
  readonly job: Job
  readonly results: () => Results
  /** Resolves when so many records have passed. */
  passed(count: number): Promise<void>
  readonly end: () => void
}

function made(options: Partial<JobOptions>, values: readonly Sale[]): Made {
  const sinks: { readonly [name: string]: MemorySink<unknown> } = Object.fromEntries(sinkNames.map((name) => [name, memorySink<unknown>()]))
  const source = memorySource(values, { bounded: false })
  let count = 0
  let wake: () => void = () => {}
  const job = defineJob(
    'whole',
    { storage: memory(), clock: manualClock(), checkpoints: { intervalMs: Number.POSITIVE_INFINITY }, ...options },
    ({ source: from, sink }) => {
      const into = (name: (typeof sinkNames)[number]) => sink<unknown>(`to-${name}`, sinks[name] as MemorySink<unknown>)
      const keyed = from('sales', source).pipe(
        assignTimestamps({ timestamp: ({ at }: Sale) => at, watermarks: boundedOutOfOrderness({ delayMs: 2 }) }),
        keyBy(({ who }) => who),
      )
      return [
        keyed.pipe(
          statefulMap('sum', { state: t.number, initial: 0 }, (sum, { amount }: Sale) => [sum + amount, sum + amount]),
          into('sum'),
        ),
        keyed.pipe(
          processKeyed(
            'processed',
            {
              state: {
                last: valueState(t.number, { ttl: { afterMs: 30, time: 'event' } }),
                held: listState(t.number),
                times: mapState(t.string, t.number),
              },
              emits: emits<unknown>(),
            },
            {
              onRecord({ amount, at }: Sale, { state, timers, emit }) {
                emit([state.last.value() ?? null, [...state.held]])
                state.last.update(amount)
                state.held.add(amount)
                state.times.put(`at ${at % 3}`, at)
                timers.eventTime(at + 40)
              },
              onTimer(at, { state, emit }) {
                emit([at, [...state.held], [...state.times].sort()])
                state.held.clear()
              },
            },
          ),
          into('processed'),
        ),
        keyed.pipe(window('tumbling', { assigner: tumbling({ sizeMs: 20 }), aggregate: all }), into('tumbling')),
        keyed.pipe(window('sliding', { assigner: sliding({ sizeMs: 30, slideMs: 10 }), aggregate: all }), into('sliding')),
        keyed.pipe(window('session', { assigner: session({ gapMs: 12 }), trigger: continuousEventTime(8), aggregate: all }), into('session')),
        keyed.pipe(
          window('recent', {
            assigner: sliding({ sizeMs: 30, slideMs: 15 }),
            evictor: countEvictor(2),
            emits: emits<unknown>(),
            process: (held: readonly Sale[], { key, start }, emit) => emit([key, start, held.map(({ amount }) => amount)]),
          }),
          into('recent'),
        ),
        keyed.pipe(
          durable.scan('scanned', (sum: number, { amount }: Sale) => sum + amount, 0),
          into('scanned'),
        ),
        keyed.pipe(durable.pairwise('pairs'), into('pairs')),
        keyed.pipe(
          durable.distinct('distinct', {}, ({ amount }: Sale) => amount),
          into('distinct'),
        ),
        keyed.pipe(
          durable.reduce('reduced', (sum: number, { amount }: Sale) => sum + amount, 0),
          tapValues(() => {}),
          into('reduced'),
        ),
        keyed.pipe(
          tapValues(() => {
            count += 1
            wake()
          }),
          sink('seen', memorySink<unknown>()),
        ),
      ]
    },
  )
  return {
    job,
    results: () => Object.fromEntries(Object.entries(sinks).map(([name, { committed }]) => [name, committed])),
    end: () => source.end(),
    async passed(wanted) {
      while (count < wanted) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** Runs the job up to the savepoint, which is in `target` then. */
export async function runToSavepoint(target = memory()) {
  const { job, passed } = made({}, sales.slice(0, before))
  const run = job.run()
  await Promise.race([passed(before), run.done])
  await run.stop({ savepoint: target })
  return target
}

/** Goes on from a savepoint to the end, and answers what comes then. Between keys no order is owed: rows come as a storage has them. */
export async function goOnFrom(from: ReturnType<typeof memory>): Promise<Results> {
  const { job, results, end } = made({ restore: { from } }, sales)
  end()
  await job.run().done
  const texts = (values: readonly unknown[]): readonly string[] => values.map((value) => JSON.stringify(value)).sort()
  return Object.fromEntries(Object.entries(results()).map(([name, values]) => [name, texts(values)]))
}
