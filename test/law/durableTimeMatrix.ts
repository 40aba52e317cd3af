import fc from 'fast-check'
import * as rx from 'rxjs'
import { clockLaws } from '../../laws/clockLaws.js'
import type { Law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import { type TwinUnderLaw, twinLaws } from '../../laws/twinLaws.js'
import type { Stream } from '../../lib/element.js'
import type { Ttl } from '../../lib/state/ttl.js'
import { bufferTime } from '../../operators/durable/bufferTime.js'
import { combineLatestWith } from '../../operators/durable/combineLatestWith.js'
import { debounceTime } from '../../operators/durable/debounceTime.js'
import { delay } from '../../operators/durable/delay.js'
import { throttleTime } from '../../operators/durable/throttleTime.js'
import { withLatestFrom } from '../../operators/durable/withLatestFrom.js'
import { zipWith } from '../../operators/durable/zipWith.js'
import { filterValues } from '../../operators/filterValues.js'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { keyBy } from '../../operators/keyBy.js'
import type { Entry } from './entry.js'

interface Value {
  readonly key: string
  readonly n: number
  readonly at: number
}

const values = fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 9 }), at: fc.integer({ min: 0, max: 200 }) })
const key = ({ key }: Value): string => key
const timestamp = ({ at }: Value): number => at
const numbers = fc.integer({ min: 0, max: 9 })
const ttl: Ttl = { afterMs: 20, time: 'event' }
/** Each record is one of its own kind: then what becomes of all of them in the end does not depend on the time at which they came. */
const single = keyBy(({ key, n, at }: Value) => [key, n, at])

type Apply = OperatorUnderLaw<Value>['apply']

/** The laws of every operator, with keys and without. */
const ofOperator = (apply: unknown, inputs = 1): readonly Law[] =>
  [{ key }, {}].flatMap((keyed) =>
    operatorLaws<Value>({ apply: apply as Apply, values, timestamp, inputs, inputOf: ({ n }) => n % inputs, ...keyed }),
  )
/** Those of time, which stands still there. */
const inTime = (apply: unknown, inputs = 1): readonly Law[] =>
  [{ key }, {}].flatMap((keyed) => clockLaws<Value>({ apply: apply as Apply, values, inputs, ...keyed }))
const asRxjs = (twin: unknown, rxjs: (scheduler: rx.SchedulerLike) => unknown): readonly Law[] =>
  twinLaws({ twin: () => twin, rxjs, values: numbers } as TwinUnderLaw<unknown, unknown>)
const joinedAsRxjs = (inputs: number, endsEarly: boolean, twin: unknown, rxjs: unknown): readonly Law[] =>
  twinLaws({
    twin: (...others: readonly unknown[]) => (twin as (others: readonly unknown[]) => unknown)(others),
    rxjs: (_scheduler: unknown, ...others: readonly unknown[]) => (rxjs as (...others: readonly unknown[]) => unknown)(...others),
    values: numbers,
    inputs,
    endsEarly,
  } as TwinUnderLaw<unknown, unknown>)
const survives = (apply: (input: Stream<Value>) => unknown): Law =>
  recoveryEquivalence(apply as never, fc.uniqueArray(values, { selector: (value) => JSON.stringify(value) }), { keeps: 'any' })

const even = filterValues<Value>(({ n }) => n % 2 === 0)
const odd = filterValues<Value>(({ n }) => n % 2 === 1)
/** Two halves of one stream, joined by an operator: in one order, whatever happens. */
const halves = (joined: (other: unknown) => unknown): Law =>
  recoveryEquivalence((input: Stream<Value>) => odd(input).pipe(keyBy(key), joined(even(input).pipe(keyBy(key))) as never), fc.array(values))

/** The twins that wait for the clock, and those with several inputs. */
export const durableTimeMatrix: { readonly [operator: string]: Entry } = {
  'durable/bufferTime': [
    ...asRxjs(bufferTime('spans', { spanMs: 10 }), (scheduler) => rx.bufferTime(10, scheduler)),
    ...asRxjs(bufferTime('sizes', { spanMs: 20, bufferSizeMax: 2 }), (scheduler) => rx.bufferTime(20, null, 2, scheduler)),
    ...asRxjs(bufferTime('overlap', { spanMs: 20, creationIntervalMs: 7 }), (scheduler) => rx.bufferTime(20, 7, scheduler)),
    ...asRxjs(bufferTime('gaps', { spanMs: 7, creationIntervalMs: 15 }), (scheduler) => rx.bufferTime(7, 15, scheduler)),
    ...asRxjs(bufferTime('all', { spanMs: 20, creationIntervalMs: 10, bufferSizeMax: 3 }), (scheduler) => rx.bufferTime(20, 10, 3, scheduler)),
    ...inTime(bufferTime('sizes', { spanMs: 15, bufferSizeMax: 3 })),
    ...inTime(bufferTime('overlap', { spanMs: 20, creationIntervalMs: 7 })),
    ...ofOperator(bufferTime('sizes', { spanMs: 15, bufferSizeMax: 3 })),
    survives((input) =>
      input.pipe(
        bufferTime('buffers', { spanMs: 10, bufferSizeMax: 2, heldValuesMax: 3 }),
        flatMapValues((buffer) => buffer),
      ),
    ),
  ],
  'durable/combineLatestWith': [
    ...joinedAsRxjs(2, false, ([other]: never[]) => combineLatestWith('pair', other as never), rx.combineLatestWith),
    ...joinedAsRxjs(3, false, (others: never) => combineLatestWith('triple', others), rx.combineLatestWith),
    ...inTime((source: never, other: never) => combineLatestWith('pair', other)(source), 2),
    ...ofOperator((source: never, ...others: never) => combineLatestWith('triple', others)(source), 3),
    ...ofOperator((source: never, other: never) => combineLatestWith('brief', other, { ttl })(source), 2),
    halves((other) => combineLatestWith('pair', other as never)),
  ],
  'durable/debounceTime': [
    ...asRxjs(debounceTime('last', { dueMs: 10 }), (scheduler) => rx.debounceTime(10, scheduler)),
    ...asRxjs(debounceTime('last', { dueMs: 0 }), (scheduler) => rx.debounceTime(0, scheduler)),
    ...inTime(debounceTime('last', { dueMs: 10 })),
    ...ofOperator(debounceTime('last', { dueMs: 10 })),
    survives((input) => input.pipe(single, debounceTime('last', { dueMs: 10 }))),
  ],
  'durable/delay': [
    ...asRxjs(delay('later', { dueMs: 10 }), (scheduler) => rx.delay(10, scheduler)),
    ...asRxjs(delay('later', { dueMs: 0 }), (scheduler) => rx.delay(0, scheduler)),
    ...asRxjs(delay('until', { dueAt: new Date(30) }), (scheduler) => rx.delay(new Date(30), scheduler)),
    ...inTime(delay('later', { dueMs: 10 })),
    ...inTime(delay('until', { dueAt: new Date(40) })),
    ...ofOperator(delay('later', { dueMs: 10 })),
    survives((input) => input.pipe(keyBy(key), delay('later', { dueMs: 10, heldValuesMax: 2 }))),
  ],
  'durable/throttleTime': [
    ...[true, false].flatMap((leading) =>
      [true, false].flatMap((trailing) =>
        asRxjs(throttleTime('some', { durationMs: 12, leading, trailing }), (scheduler) => rx.throttleTime(12, scheduler, { leading, trailing })),
      ),
    ),
    ...inTime(throttleTime('some', { durationMs: 12, trailing: true })),
    ...inTime(throttleTime('last', { durationMs: 12, leading: false, trailing: true })),
    ...ofOperator(throttleTime('some', { durationMs: 12, trailing: true })),
    survives((input) => input.pipe(single, throttleTime('last', { durationMs: 10, leading: false, trailing: true }))),
  ],
  'durable/withLatestFrom': [
    ...joinedAsRxjs(2, true, ([other]: never[]) => withLatestFrom('pair', other as never), rx.withLatestFrom),
    ...joinedAsRxjs(3, true, (others: never) => withLatestFrom('triple', others), rx.withLatestFrom),
    ...inTime((source: never, other: never) => withLatestFrom('pair', other)(source), 2),
    ...ofOperator((source: never, ...others: never) => withLatestFrom('triple', others)(source), 3),
    ...ofOperator((source: never, other: never) => withLatestFrom('brief', other, { ttl })(source), 2),
    halves((other) => withLatestFrom('pair', other as never)),
  ],
  'durable/zipWith': [
    ...joinedAsRxjs(2, true, ([other]: never[]) => zipWith('pair', other as never), rx.zipWith),
    ...joinedAsRxjs(3, true, (others: never) => zipWith('triple', others), rx.zipWith),
    ...inTime((source: never, other: never) => zipWith('pair', other)(source), 2),
    ...ofOperator((source: never, ...others: never) => zipWith('triple', others)(source), 3),
    halves((other) => zipWith('pair', other as never)),
  ],
}
