import fc from 'fast-check'
import * as t from 'io-ts'
import { asapScheduler, type Observable, observeOn, share, tap } from 'rxjs'
import type { Inputs, SimulatedJob } from '../../laws/simulation/simulatedJob.js'
import type { AnyStream, Stream } from '../../lib/element.js'
import { tumbling } from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { filterValues } from '../../operators/filterValues.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { sideOutput } from '../../operators/sideOutput.js'
import { statefulFlatMap } from '../../operators/statefulFlatMap.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'

/** A record of the campaigns: who it belongs to, which one it is, and when it happened. */
export interface Entry {
  readonly key: string
  readonly n: number
  readonly at: number
}

/** What the campaigns' jobs write: the key first, so that the order of each key can be looked at. */
export interface Line {
  readonly key: string
  readonly [name: string]: unknown
}

export interface CampaignJob {
  readonly name: string
  readonly job: SimulatedJob
  readonly inputs: fc.Arbitrary<Inputs>
}

/** Records that can be told apart, of few keys, a little out of order. */
const entries = (maxLength = 24): fc.Arbitrary<readonly Entry[]> =>
  fc
    .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.constant(0), at: fc.integer({ min: -25, max: 5 }) }), { maxLength })
    .map((all) => all.map(({ key, at }, n) => ({ key, n, at: Math.max(0, 10 * n + at) })))

const count = (uid: string) =>
  statefulMap(uid, { state: t.number, initial: 0 }, (before, { key, n }: Entry) => [before + 1, { key, n, count: before + 1 }])
const byKey = keyBy(({ key }: Entry) => key)
const timed = assignTimestamps({ timestamp: ({ at }: Entry) => at, watermarks: boundedOutOfOrderness({ delayMs: 15 }) })

const single = (name: string, build: (input: Stream<Entry>) => AnyStream<Line>, order: SimulatedJob['order'] = 'exact'): CampaignJob => ({
  name,
  job: { sources: ['in'], sinks: ['out'], order, build: ({ source, sink }) => build(source('in')).pipe(sink('out')) },
  inputs: entries().map((all) => ({ in: all })),
})

const late = sideOutput<Entry>('late')

export const jobs: readonly CampaignJob[] = [
  single('statefulMap', (input) => input.pipe(byKey, count('count'))),
  single('flatMap and filter', (input) =>
    input.pipe(
      flatMapValues((entry) => Array.from({ length: entry.n % 3 }, () => entry)),
      filterValues(({ n }) => n % 5 !== 0),
      byKey,
      count('count'),
    ),
  ),
  single('state that comes and goes', (input) =>
    input.pipe(
      byKey,
      statefulMap('first', { state: t.number }, (before: number | undefined, entry: Entry) => [entry.n, { ...entry, n: entry.n + (before ?? 0) }]),
      statefulFlatMap('batch', { state: t.array(t.number) }, (held, { key, n }: Entry) =>
        held !== undefined && held.length === 2 ? [undefined, [{ key, batch: [...held, n] } as Line]] : [[...(held ?? []), n], []],
      ),
    ),
  ),
  single('plain rxjs in between', (input) =>
    input.pipe(
      tap(() => {}),
      byKey,
      observeOn(asapScheduler),
      count('count'),
      share(),
    ),
  ),
  {
    name: 'union',
    job: {
      sources: ['left', 'right'],
      sinks: ['out'],
      order: 'perKey',
      build: ({ source, sink }) =>
        (source('left') as Stream<Entry>).pipe(
          mapValues((entry) => ({ ...entry, key: `left ${entry.key}` })),
          union((source('right') as Stream<Entry>).pipe(mapValues((entry) => ({ ...entry, key: `right ${entry.key}` })))),
          byKey,
          count('count'),
          sink('out'),
        ),
    },
    inputs: fc.record({ left: entries(14), right: entries(14) }),
  },
  {
    name: 'union with one slow side',
    job: {
      sources: ['left', 'right'],
      sinks: ['out'],
      order: 'perKey',
      build: ({ source, sink }) =>
        (source('left') as Stream<Entry>).pipe(
          observeOn(asapScheduler),
          mapValues((entry) => ({ ...entry, key: `left ${entry.key}` })),
          union((source('right') as Stream<Entry>).pipe(mapValues((entry) => ({ ...entry, key: `right ${entry.key}` })))),
          byKey,
          count('count'),
          sink('out'),
        ) as Observable<never>,
    },
    inputs: fc.record({ left: entries(14), right: entries(14) }),
  },
  {
    name: 'window with lateness and a side output',
    job: {
      sources: ['in'],
      sinks: ['means', 'late'],
      // Windows of several keys that end together emit in the order of their rows, which a restore does not keep.
      order: 'perKey',
      build({ source, sink }) {
        const means = (source('in') as Stream<Entry>).pipe(
          timed,
          byKey,
          window('sums', {
            assigner: tumbling({ sizeMs: 30 }),
            allowedLatenessMs: 7,
            late,
            aggregate: { create: (): readonly number[] => [], add: (all, { n }: Entry) => [...all, n], result: (all) => all },
            result: (all, { key, start }) => ({ key, start, all }),
          }),
        )
        return [means.pipe(sink('means')), means.pipe(fromSide(late), sink('late'))]
      },
    },
    inputs: entries(40).map((all) => ({ in: all })),
  },
  {
    name: 'two sinks',
    job: {
      sources: ['in'],
      sinks: ['all', 'even'],
      order: 'exact',
      build({ source, sink }) {
        const counted = (source('in') as Stream<Entry>).pipe(byKey, count('count'))
        return [
          counted.pipe(sink('all')),
          counted.pipe(
            filterValues(({ n }) => n % 2 === 0),
            sink('even'),
          ),
        ]
      },
    },
    inputs: entries().map((all) => ({ in: all })),
  },
]
