import fc from 'fast-check'
import * as t from 'io-ts'
import { filter, map } from 'rxjs'
import { junctionLaws } from '../../laws/junctionLaws.js'
import { type Law, law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { OperatorRun } from '../../laws/operatorRun.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import { same } from '../../laws/same.js'
import type { Stream } from '../../lib/element.js'
import {
  type Aggregate,
  continuousEventTime,
  countEvictor,
  countRecords,
  countTrigger,
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
import { coGroup } from '../../operators/coGroup.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { connectKeyed } from '../../operators/connectKeyed.js'
import { filterValues } from '../../operators/filterValues.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { intervalJoin } from '../../operators/intervalJoin.js'
import { keyBy } from '../../operators/keyBy.js'
import { lift } from '../../operators/lift.js'
import { mapValues } from '../../operators/mapValues.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { sideOutput } from '../../operators/sideOutput.js'
import { statefulFlatMap } from '../../operators/statefulFlatMap.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { windowAll } from '../../operators/windowAll.js'
import { windowBy } from '../../operators/windowBy.js'
import { windowJoin } from '../../operators/windowJoin.js'
import { durableMatrix } from './durableMatrix.js'
import { durableTimeMatrix } from './durableTimeMatrix.js'
import type { Entry } from './entry.js'

interface Value {
  readonly key: string
  readonly n: number
  readonly at: number
}

const values = fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 9 }), at: fc.integer({ min: 0, max: 200 }) })
const key = ({ key }: Value): string => key
const timestamp = ({ at }: Value): number => at
const stateless = (apply: OperatorUnderLaw<Value>['apply']): readonly Law[] => operatorLaws({ apply, values, timestamp })
const late = sideOutput<Value>('late')
const lateSecond = sideOutput<Value>('lateSecond')
const windows = (operator: typeof window): readonly Law[] =>
  operatorLaws({
    apply: operator('counts', {
      assigner: tumbling({ sizeMs: 20 }),
      allowedLatenessMs: 12,
      late,
      aggregate: countRecords(),
      result: (count, { key: of, start }) => [of, start, count],
    }) as never,
    values,
    key,
    timestamp,
    sides: [late as never],
  })

const all: Aggregate<Value, readonly number[], readonly number[]> = {
  create: () => [],
  add: (before, { n }) => [...before, n],
  merge: (a, b) => [...a, ...b],
  result: (numbers) => numbers,
}
/** Windows that the general machine runs: with sessions, with triggers that remember, with records one by one. */
const generalWindows: readonly Law[] = [
  operatorLaws<Value>({
    apply: window('visits', {
      assigner: session({ gapMs: 12 }),
      allowedLatenessMs: 5,
      late,
      aggregate: all,
      result: (numbers, { key: of, start, end }) => [of, start, end, numbers],
    }) as never,
    values,
    key,
    timestamp,
    sides: [late as never],
  }),
  operatorLaws<Value>({
    apply: window('shared', { assigner: sliding({ sizeMs: 30, slideMs: 10 }), allowedLatenessMs: 7, aggregate: all }) as never,
    values,
    key,
    timestamp,
  }),
  operatorLaws<Value>({
    apply: window('recent', {
      assigner: sliding({ sizeMs: 30, slideMs: 15 }),
      trigger: countTrigger(2),
      evictor: countEvictor(3),
      globalState: { shown: valueState(t.number, { initial: 0 }) },
      windowState: { times: valueState(t.number, { initial: 0 }) },
      emits: emits<unknown>(),
      process(held: readonly Value[], { key: of, start, globalState: { shown }, windowState: { times } }, emit) {
        shown.update(shown.value() + 1)
        times.update(times.value() + 1)
        emit([of, start, held.map(({ n }) => n), shown.value(), times.value()])
      },
    }) as never,
    values,
    key,
    timestamp,
  }),
  operatorLaws<Value>({
    apply: window('early', { assigner: session({ gapMs: 20 }), trigger: continuousEventTime(8), aggregate: all }) as never,
    values,
    key,
    timestamp,
  }),
].flat()

/** State of every kind, some of which expires, and timers that come, go and come again. */
const processed = processKeyed(
  'processed',
  {
    state: {
      sum: valueState(t.number, { initial: 0 }),
      recent: valueState(t.number, { ttl: { afterMs: 25, time: 'event' } }),
      held: listState(t.number),
      times: mapState(t.number, t.number, { ttl: { afterMs: 40, time: 'event', refresh: 'onReadAndWrite' } }),
    },
    emits: emits<unknown>(),
  },
  {
    onRecord({ n, at }: Value, { state, timers, emit, emitTo }) {
      state.sum.update(state.sum.value() + n)
      if (n === 9) timers.deleteEventTime(at + 20)
      else timers.eventTime(at + 20)
      if (n === 8) state.held.clear()
      else state.held.add(n)
      if (n === 7) state.times.remove(at % 5)
      else state.times.put(at % 5, n)
      emit(['record', state.sum.value(), state.recent.value() ?? null])
      if (n % 3 === 0) state.recent.update(n)
      if (n === 0) emitTo(zeros, at)
    },
    onTimer(at, { state, timers, emit }) {
      emit(['timer', at, [...state.held], [...state.times].sort(([a], [b]) => a - b)])
      if (state.held.size > 3) {
        state.held.clear()
        timers.eventTime(at + 30)
      }
    },
  },
)
/** Some calls answer at once, some late, some never and some fail. A timeout may come first, so the result does not tell. */
const slowly = (order: 'kept' | 'free') =>
  asyncMap(
    'slow',
    { order, capacity: 3, timeoutMs: 20, retry: { count: 1, delayMs: 5 }, otherwise: ({ n }: Value) => ({ n }) },
    async ({ n }: Value) => {
      if (n % 5 === 4) throw new Error('no answer')
      if (n % 5 === 3) await new Promise(() => {})
      for (let step = 0; step < n; step += 1) await undefined
      return { n }
    },
  )
const zeros = sideOutput<number>('zeros')

/** What a law that compares two runs of the same operator cannot say: when just so many ms have passed, state is gone. */
const expiry = law('expiry', 'state is there until just so many ms have passed', () =>
  fc.asyncProperty(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 0, max: 50 }), async (afterMs, at) => {
    const remembering = processKeyed(
      'remembering',
      { state: { last: valueState(t.number, { ttl: { afterMs, time: 'event' } }) }, emits: emits<boolean>() },
      {
        onRecord(n: number, { state, emit }) {
          emit(state.last.value() !== undefined)
          state.last.update(n)
        },
      },
    )
    for (const passedMs of [afterMs - 1, afterMs, afterMs + 1]) {
      const run = new OperatorRun({ apply: ([input]) => remembering(input as never), keyed: true })
      run.record(1, at, 'a')
      run.watermark(at + passedMs)
      run.record(2, at + passedMs, 'a')
      same(
        run.left.filter(({ kind }) => kind === 'record').map(({ text }) => text.includes('true')),
        [false, passedMs < afterMs],
        `whether state is there, ${passedMs} of ${afterMs} ms later`,
      )
    }
  }),
)

/** Only what comes from a key: rules are seen by all of them. */
const withoutIsolation = (laws: readonly Law[]): readonly Law[] => laws.filter(({ name }) => name !== 'key-isolation')

const ofBoth = { values, key, timestamp, inputs: 2, inputOf: ({ n }: Value): number => n % 2 }

/** Every operator of `operators/`, by its path in there. */
export const operatorMatrix: { readonly [operator: string]: Entry } = {
  ...durableMatrix,
  ...durableTimeMatrix,
  assignTimestamps: operatorLaws({ apply: assignTimestamps({ timestamp, watermarks: boundedOutOfOrderness({ delayMs: 10 }) }), values }),
  asyncMap: [
    recoveryEquivalence(slowly('kept'), fc.array(values), { order: 'exact', keeps: 'any' }),
    recoveryEquivalence(slowly('free'), fc.array(values), { order: 'multiset', keeps: 'any' }),
  ],
  coGroup: operatorLaws<Value>({
    apply: (first, second) =>
      coGroup(
        'groups',
        second as never,
        { assigner: session<unknown>({ gapMs: 12 }), allowedLatenessMs: 5, emits: emits<unknown>() },
        (some: readonly Value[], others: readonly Value[], { key: of, start, end }, emit) =>
          emit([of, start, end, some.map(({ n }) => n), others.map(({ n }) => n)]),
      )(first as never),
    ...ofBoth,
  }),
  checkpointed: { none: 'it is a job between plain Observables: its lives are simulated in test/simulation/plainLives.ts' },
  collect: { none: 'it ends an element stream: nothing of a run leaves it' },
  connectBroadcast: [
    ...withoutIsolation(
      operatorLaws<Value>({
        apply: (data, rules) =>
          connectBroadcast(
            'by-rules',
            rules as never,
            {
              broadcast: { limits: mapState(t.string, t.number), newest: valueState(t.number) },
              state: { sum: valueState(t.number, { initial: 0 }) },
              emits: emits<unknown>(),
            },
            {
              onBroadcast({ key: name, n }: Value, { broadcast, emit, applyToKeyedState }) {
                broadcast.limits.put(name, n)
                broadcast.newest.update(n)
                const sums: unknown[] = []
                applyToKeyedState('sum', (of, sum) => {
                  sums.push([of, sum.value()])
                  if (n === 9) sum.clear()
                })
                emit(['rule', name, n, sums.map((each) => JSON.stringify(each)).sort()])
              },
              onRecord({ n, at }: Value, { key: of, broadcast, state, timers, emit }) {
                state.sum.update(state.sum.value() + n)
                timers.eventTime(at + 10)
                emit([state.sum.value(), broadcast.limits.get(of as string) ?? null, broadcast.newest.value() ?? null])
              },
              onTimer(at, { broadcast, state, emit }) {
                emit(['timer', at, state.sum.value(), broadcast.newest.value() ?? null])
              },
            },
          )(data as never),
        ...ofBoth,
      }),
    ),
    ...junctionLaws({
      apply: ([data, rules]) =>
        connectBroadcast(
          'both',
          rules as never,
          { broadcast: {}, emits: emits<string>() },
          { onBroadcast: (rule: string, { emit }) => emit(rule), onRecord: (value: string, { emit }) => emit(value) },
        )(data as never),
      inputs: 2,
      keyed: true,
    }),
  ],
  connectKeyed: [
    ...operatorLaws<Value>({
      apply: (first, second) =>
        connectKeyed(
          'both',
          second as never,
          { state: { first: listState(t.number), second: listState(t.number) }, emits: emits<unknown>() },
          {
            onFirst({ n, at }: Value, { state, timers, emit }) {
              state.first.add(n)
              timers.eventTime(at + 15)
              emit(['first', [...state.second]])
            },
            onSecond({ n, at }: Value, { state, timers, emit }) {
              state.second.add(n)
              timers.deleteEventTime(at + 15)
              emit(['second', [...state.first]])
            },
            onTimer(at, { state, emit }) {
              emit(['timer', at, [...state.first], [...state.second]])
              state.first.clear()
            },
          },
        )(first as never),
      ...ofBoth,
    }),
    ...junctionLaws({
      apply: ([first, second]) =>
        connectKeyed(
          'both',
          second as never,
          { state: {}, emits: emits<string>() },
          { onFirst: (value: string, { emit }) => emit(value), onSecond: (value: string, { emit }) => emit(value) },
        )(first as never),
      inputs: 2,
      keyed: true,
    }),
  ],
  filterValues: stateless(filterValues(({ n }) => n % 2 === 0)),
  flatMapValues: stateless(flatMapValues(({ n }) => Array.from({ length: n % 3 }, (_, index) => n + index))),
  fromSide: { none: 'it is an output of another operator: the laws of window look at it' },
  intervalJoin: operatorLaws<Value>({
    apply: (first, second) =>
      intervalJoin(
        'pairs',
        second as never,
        { lowerMs: -15, upperMs: 25, lowerExclusive: true, lateFirst: late, lateSecond: lateSecond },
        (a: Value, b: Value, { firstTimestamp, secondTimestamp }) => [a.n, b.n, firstTimestamp, secondTimestamp],
      )(first as never),
    ...ofBoth,
    sides: [late as never, lateSecond as never],
  }),
  keyBy: operatorLaws<Value, never>({ apply: (source) => keyBy(key)(source as never), values, timestamp }),
  lift: stateless(
    lift(
      map(({ n }: Value) => n * 10),
      filter((n) => n > 20),
    ),
  ),
  mapValues: stateless(mapValues(({ n }) => n + 1)),
  processKeyed: [...operatorLaws<Value>({ apply: processed as never, values, key, timestamp, sides: [zeros as never] }), expiry],
  processUnkeyed: operatorLaws<Value>({
    apply: processUnkeyed(
      'unkeyed',
      { state: { held: listState(t.number), flushed: valueState(t.number, { initial: 0 }) }, emits: emits<unknown>() },
      {
        onRecord({ n }: Value, { state, emit }) {
          state.held.add(n)
          if (state.held.size < 4) return
          emit([...state.held])
          state.held.clear()
        },
        onWatermark(at, { state, emit }) {
          state.flushed.update(state.flushed.value() + 1)
          emit([at, state.flushed.value(), [...state.held]])
        },
      },
    ) as never,
    values,
    timestamp,
  }),
  records: { none: 'it opens a stream of its own, which has no barriers' },
  sideOutput: { none: 'it names an output' },
  sink: [recoveryEquivalence((input: Stream<Value>) => input, fc.array(values), { order: 'exact' })],
  statefulFlatMap: operatorLaws({
    apply: statefulFlatMap('pairs', { state: t.array(t.number) }, (held, { n }: Value) =>
      held !== undefined && held.length === 1 ? [undefined, [[...held, n]]] : [[...(held ?? []), n], []],
    ),
    values,
    key,
  }),
  statefulMap: operatorLaws({
    apply: statefulMap('sum', { state: t.number, initial: 0 }, (sum, { n }: Value) => [sum + n === 7 ? undefined : sum + n, sum + n]),
    values,
    key,
    timestamp,
  }),
  tapValues: stateless(tapValues(() => {})),
  union: junctionLaws({ apply: ([first, ...others]) => union(...others)(first as never), inputs: 3 }),
  values: { none: 'it ends an element stream: nothing of a run leaves it' },
  window: [...windows(window), ...generalWindows],
  windowAll: operatorLaws<Value>({
    apply: windowAll('all', { assigner: sliding({ sizeMs: 30, slideMs: 10 }), allowedLatenessMs: 7, late, aggregate: all }) as never,
    values,
    timestamp,
    sides: [late as never],
  }),
  windowBy: windows(windowBy),
  windowJoin: operatorLaws<Value>({
    apply: (first, second) =>
      windowJoin('pairs', second as never, { assigner: tumbling({ sizeMs: 25 }), allowedLatenessMs: 5 }, (a: Value, b: Value, { key: of, start }) => [
        of,
        start,
        a.n,
        b.n,
      ])(first as never),
    ...ofBoth,
  }),
}
