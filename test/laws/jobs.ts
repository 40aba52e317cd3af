import fc from 'fast-check'
import * as t from 'io-ts'
import { asapScheduler, type Observable, observeOn, share, tap } from 'rxjs'
import { shortOrLong } from '../../laws/arbitraries/shortOrLong.js'
import type { Inputs, SimulatedJob } from '../../laws/simulation/simulatedJob.js'
import type { AnyStream, KeyedStream, Stream } from '../../lib/element.js'
import {
  type Aggregate,
  continuousEventTime,
  countEvictor,
  emits,
  listState,
  mapState,
  session,
  sliding,
  tumbling,
  valueState,
} from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { asyncMap } from '../../operators/asyncMap.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { connectKeyed } from '../../operators/connectKeyed.js'
import { filterValues } from '../../operators/filterValues.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { fromSide } from '../../operators/fromSide.js'
import { intervalJoin } from '../../operators/intervalJoin.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { processKeyed } from '../../operators/processKeyed.js'
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
  /** How often it is tried, against 1 of the others: what goes wrong with time needs many histories to show. */
  readonly often?: number
}

/** Records that can be told apart, of few keys, a little out of order. */
const entries = (maxLength = 24): fc.Arbitrary<readonly Entry[]> =>
  shortOrLong(fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.constant(0), at: fc.integer({ min: -25, max: 5 }) }), { maxLength }).map((all) =>
    all.map(({ key, at }, n) => ({ key, n, at: Math.max(0, 10 * n + at) })),
  )

const count = (uid: string) =>
  statefulMap(uid, { state: t.number, initial: 0 }, (before, { key, n }: Entry) => [before + 1, { key, n, count: before + 1 }])
const byKey = keyBy(({ key }: Entry) => key)
const timed = assignTimestamps({ timestamp: ({ at }: Entry) => at, watermarks: boundedOutOfOrderness({ delayMs: 15 }) })

/** So much later than the others that no record is late: what comes of two inputs then does not depend on how they interleave. */
const patient = assignTimestamps({ timestamp: ({ at }: Entry) => at, watermarks: boundedOutOfOrderness({ delayMs: 40 }) })

const single = (
  name: string,
  build: (input: Stream<Entry>) => AnyStream<Line>,
  order: SimulatedJob['order'] = 'exact',
  keeps: SimulatedJob['keeps'] = 'same',
): CampaignJob => ({
  name,
  job: { sources: ['in'], sinks: ['out'], order, keeps, build: ({ source, sink }) => build(source('in')).pipe(sink('out')) },
  inputs: entries().map((all) => ({ in: all })),
})

/** So many microtasks late that a barrier begins meanwhile, and overtakes where it may. */
const inHops = <T>(stream: Observable<T>): Observable<T> =>
  Array.from({ length: 8 }).reduce<Observable<T>>((before) => before.pipe(observeOn(asapScheduler)), stream)

/** Two inputs with keys and event time, and what comes of them. */
const twofold = (
  name: string,
  build: (left: KeyedStream<Entry, string>, right: KeyedStream<Entry, string>) => AnyStream<Line>,
  order: SimulatedJob['order'] = 'perKey',
): CampaignJob => ({
  name,
  job: {
    sources: ['left', 'right'],
    sinks: ['out'],
    order,
    build: ({ source, sink }) =>
      build((source('left') as Stream<Entry>).pipe(patient, byKey), (source('right') as Stream<Entry>).pipe(patient, byKey)).pipe(sink('out')),
  },
  inputs: fc.record({ left: entries(14), right: entries(14) }),
})

const numbers: Aggregate<Entry, readonly number[], readonly number[]> = {
  create: () => [],
  add: (all, { n }) => [...all, n],
  merge: (a, b) => [...a, ...b],
  result: (all) => all,
}
const pairsOf = (map: Iterable<readonly [number, number]>): readonly (readonly [number, number])[] => [...map].sort(([a], [b]) => a - b)

/** State of every kind and timers that come, go and come again. */
const processed = processKeyed(
  'processed',
  {
    state: { count: valueState(t.number, { initial: 0 }), held: listState(t.number), places: mapState(t.number, t.number) },
    emits: emits<Line>(),
  },
  {
    onRecord({ key, n, at }: Entry, { state, timers, emit }) {
      state.count.update(state.count.value() + 1)
      state.held.add(n)
      if (n % 4 === 3) state.places.remove(n % 5)
      else state.places.put(n % 5, n)
      // Some timers are taken back before their turn.
      timers.eventTime(at + 20)
      if (n % 3 === 0) timers.deleteEventTime(at + 20)
      timers.eventTime(10 * Math.ceil(at / 10) + 30)
      emit({ key, n, count: state.count.value() })
    },
    onTimer(at, { key, state, timers, emit }) {
      emit({ key: key as string, at, held: [...state.held], places: pairsOf(state.places) })
      if (state.held.size < 4) return
      state.held.clear()
      if (at % 2 === 0) timers.eventTime(at + 25)
    },
  },
)

/** What expires by event time: a replay repeats it. */
const expiring = processKeyed(
  'expiring',
  {
    state: {
      last: valueState(t.number, { ttl: { afterMs: 12, time: 'event' } }),
      read: valueState(t.number, { ttl: { afterMs: 20, time: 'event', refresh: 'onReadAndWrite' } }),
      places: mapState(t.number, t.number, { ttl: { afterMs: 30, time: 'event' } }),
      held: listState(t.number, { ttl: { afterMs: 25, time: 'event', cleanup: 'onRead' } }),
    },
    emits: emits<Line>(),
  },
  {
    onRecord({ key, n }: Entry, { state, emit }) {
      emit({ key, n, last: state.last.value() ?? null, read: state.read.value() ?? null, places: pairsOf(state.places), held: [...state.held] })
      if (n % 2 === 0) state.last.update(n)
      if (state.read.value() === undefined) state.read.update(n)
      state.places.put(n % 5, n)
      state.held.add(n)
    },
  },
)

/** Each record leaves once, in order: when the machine's time says so, or at the end of the input. */
const delayed = processKeyed(
  'delayed',
  { state: { waiting: listState(t.number) }, emits: emits<Line>() },
  {
    onRecord({ n }: Entry, { state, timers }) {
      state.waiting.add(n)
      timers.processingTime(Math.floor(timers.processingMs) + 3 + (n % 4))
      timers.eventTime(1_000_000)
    },
    onTimer(_at, { key, state, emit }) {
      for (const n of state.waiting) emit({ key: key as string, n })
      state.waiting.clear()
    },
  },
)

/** Calls answer at once, late, never, or fail. A timeout may come first, so that the result does not tell which it was. */
const looked = (order: 'kept' | 'free') =>
  asyncMap(
    'looked',
    { order, capacity: 3, timeoutMs: 20, retry: { count: 1, delayMs: 5 }, otherwise: ({ key, n }: Entry): Line => ({ key, n }) },
    async ({ key, n }: Entry): Promise<Line> => {
      if (n % 5 === 4) throw new Error('no answer')
      if (n % 5 === 3) await new Promise(() => {})
      for (let step = 0; step < n % 7; step += 1) await undefined
      return { key, n }
    },
  )

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
    name: 'unions in a row, with slow sides',
    often: 2,
    job: {
      sources: ['left', 'right'],
      sinks: ['out'],
      order: 'perKey',
      build: ({ source, sink }) => {
        const named = (side: string) => mapValues((entry: Entry) => ({ ...entry, key: `${side} ${entry.key}` }))
        const right = source('right') as Stream<Entry>
        return (source('left') as Stream<Entry>).pipe(
          inHops,
          named('left'),
          union(right.pipe(named('right'))),
          byKey,
          count('first'),
          inHops,
          union(right.pipe(byKey, count('again')) as never),
          sink('out'),
        ) as Observable<never>
      },
    },
    inputs: fc.record({ left: entries(14), right: entries(14) }),
  },
  {
    name: 'union with one slow side, at least once',
    job: {
      sources: ['left', 'right'],
      sinks: ['out'],
      order: 'multiset',
      guarantee: 'atLeastOnce',
      build: ({ source, sink }) =>
        (source('left') as Stream<Entry>).pipe(
          inHops,
          mapValues((entry) => ({ ...entry, key: `left ${entry.key}` })),
          union((source('right') as Stream<Entry>).pipe(mapValues((entry) => ({ ...entry, key: `right ${entry.key}` })))),
          sink('out'),
        ) as Observable<never>,
    },
    inputs: fc.record({ left: entries(14), right: entries(14) }),
  },
  {
    name: 'window with lateness and a side output',
    often: 5,
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
            allowedLatenessMs: 12,
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
  single('processKeyed with timers', (input) => input.pipe(timed, byKey, processed), 'perKey'),
  single('state that expires by event time', (input) => input.pipe(timed, byKey, expiring)),
  single('timers of processing time', (input) => input.pipe(patient, byKey, delayed), 'perKey', 'any'),
  single('asyncMap in order', (input) => input.pipe(looked('kept')), 'exact', 'any'),
  single('asyncMap in any order', (input) => input.pipe(timed, byKey, looked('free')), 'multiset', 'any'),
  single(
    'sessions that emit early',
    (input) =>
      input.pipe(
        timed,
        byKey,
        window('visits', {
          assigner: session({ gapMs: 25 }),
          trigger: continuousEventTime(15),
          allowedLatenessMs: 7,
          aggregate: numbers,
          result: (all, { key, start, end }): Line => ({ key: key as string, start, end, all }),
        }),
      ),
    'perKey',
  ),
  single(
    'sliding windows, merged of slices and with an evictor',
    (input) => {
      const read = input.pipe(timed, byKey)
      return read.pipe(
        window('slices', {
          assigner: sliding({ sizeMs: 40, slideMs: 20 }),
          aggregate: numbers,
          result: (all, { key, start }): Entry & Line => ({ key: key as string, n: all.length, at: start, all }),
        }),
        window('recent', {
          assigner: sliding({ sizeMs: 60, slideMs: 30 }),
          evictor: countEvictor(2),
          globalState: { shown: valueState(t.number, { initial: 0 }) },
          emits: emits<Line>(),
          process(held: readonly (Entry & Line)[], { key, start, globalState: { shown } }, emit) {
            shown.update(shown.value() + 1)
            emit({ key: key as string, start, shown: shown.value(), held: held.map(({ at, all }) => [at, all]) })
          },
        }),
      )
    },
    'perKey',
  ),
  twofold('connectKeyed', (left, right) =>
    left.pipe(
      connectKeyed(
        'both',
        right,
        { state: { left: mapState(t.number, t.array(t.number)), right: mapState(t.number, t.array(t.number)) }, emits: emits<Line>() },
        {
          onFirst({ n, at }, { state, timers }) {
            state.left.put(at, [...(state.left.get(at) ?? []), n])
            timers.eventTime(at + 5)
          },
          onSecond({ n, at }, { state, timers }) {
            state.right.put(at, [...(state.right.get(at) ?? []), n])
            timers.eventTime(at + 5)
          },
          onTimer(at, { key, state, emit }) {
            emit({ key: key as string, at, left: state.left.get(at - 5) ?? [], right: state.right.get(at - 5) ?? [] })
            state.left.remove(at - 5)
            state.right.remove(at - 5)
          },
        },
      ),
    ),
  ),
  twofold('connectBroadcast', (data, rules) =>
    data.pipe(
      connectBroadcast(
        'by-rules',
        rules,
        { broadcast: { rules: mapState(t.number, t.string) }, state: { sum: valueState(t.number, { initial: 0 }) }, emits: emits<Line>() },
        {
          onBroadcast({ key, n }, { broadcast, emit }) {
            broadcast.rules.put(n, key)
            emit({ key: 'rules', n, known: [...broadcast.rules.keys()].length })
          },
          onRecord({ key, n }: Entry, { state, timers, emit }) {
            state.sum.update(state.sum.value() + n)
            timers.eventTime(1_000_000)
            emit({ key, n, sum: state.sum.value() })
          },
          // At the end of both inputs: by then all rules are known, however they interleaved.
          onTimer(_at, { key, broadcast, state, emit }) {
            emit({ key: key as string, sum: state.sum.value(), rules: [...broadcast.rules].sort(([a], [b]) => a - b) })
          },
        },
      ),
    ),
  ),
  twofold(
    'intervalJoin',
    (left, right) =>
      left.pipe(
        intervalJoin('pairs', right, { lowerMs: -20, upperMs: 30 }, (a: Entry, b: Entry, { key }): Line => ({ key: key as string, a: a.n, b: b.n })),
      ),
    'multiset',
  ),
]
