import fc from 'fast-check'
import * as rx from 'rxjs'
import type { Law } from '../../laws/law.js'
import { type OperatorUnderLaw, operatorLaws } from '../../laws/operatorLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import { type TwinUnderLaw, twinLaws } from '../../laws/twinLaws.js'
import type { Stream } from '../../lib/element.js'
import type { Ttl } from '../../lib/state/ttl.js'
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
const mine = new Error('mine')
/** Fails now and then, as functions of users do. */
const failing = (n: number): number => {
  if (n === 9) throw mine
  return n
}
/** A state that expires in the middle of what an arbitrary history does. */
const ttl: Ttl = { afterMs: 20, time: 'event' }

/** The laws of every operator, with keys and without, and that it survives crashes. */
const ofOperator = (apply: unknown): readonly Law[] => [
  ...operatorLaws<Value>({ apply: apply as OperatorUnderLaw<Value>['apply'], values, key, timestamp }),
  ...operatorLaws<Value>({ apply: apply as OperatorUnderLaw<Value>['apply'], values, timestamp }),
]
const survives = (apply: unknown, keeps: 'same' | 'any' = 'same'): readonly Law[] => {
  const operator = apply as (source: unknown) => never
  return [
    recoveryEquivalence((input: Stream<Value>) => operator(input), fc.array(values), { order: 'exact', keeps }),
    recoveryEquivalence((input: Stream<Value>) => operator(keyBy(key)(input)), fc.array(values)),
  ]
}
const asRxjs = (twin: unknown, rxjs: () => unknown, of: fc.Arbitrary<unknown> = numbers): readonly Law[] =>
  twinLaws({ twin: () => twin, rxjs, values: of } as TwinUnderLaw<unknown, unknown>)

const weighted = (sum: number, n: number, index: number): number => sum + failing(n) * index
const weighing = (sum: number, { n }: Value, index: number): number => sum + n * index
const near = (a: number, b: number): boolean => Math.abs(a - b) < failing(2)
const tens = fc.oneof(numbers, fc.constant(undefined), fc.constant(Number.NaN), fc.constant(-0))

/** The twins of RxJS's operators. */
export const durableMatrix: { readonly [operator: string]: Entry } = {
  'durable/bufferCount': [
    ...asRxjs(bufferCount('buffers', 3), () => rx.bufferCount(3)),
    ...asRxjs(bufferCount('overlap', 4, 1), () => rx.bufferCount(4, 1)),
    ...asRxjs(bufferCount('overlap', 5, 3), () => rx.bufferCount(5, 3)),
    ...asRxjs(bufferCount('gaps', 2, 5), () => rx.bufferCount(2, 5), tens),
    ...asRxjs(bufferCount('singles', 1, null), () => rx.bufferCount(1, null)),
    ...ofOperator(bufferCount('overlap', 4, 3)),
    ...ofOperator(bufferCount('brief', { ttl }, 2, 3)),
    ...survives(bufferCount('overlap', 3, 2)),
  ],
  'durable/count': [
    ...asRxjs(count('all'), () => rx.count()),
    ...asRxjs(
      count('some', (n: number, index: number) => failing(n) > index),
      () => rx.count((n: number, index: number) => failing(n) > index),
    ),
    ...ofOperator(count('some', ({ n }: Value, index: number) => n > index)),
    ...survives(count('some', ({ n }: Value, index: number) => n > index)),
  ],
  'durable/distinct': [
    ...asRxjs(distinct('seen'), () => rx.distinct(), fc.oneof(numbers, fc.constant(Number.NaN), fc.constant(-0), fc.constant(null), fc.string())),
    ...asRxjs(
      distinct('rests', (n: number) => failing(n) % 4),
      () => rx.distinct((n: number) => failing(n) % 4),
    ),
    ...ofOperator(distinct('seen', ({ n }: Value) => n)),
    ...ofOperator(distinct('brief', { ttl: { ...ttl, refresh: 'onReadAndWrite' } }, ({ n }: Value) => n)),
    ...survives(distinct('seen', ({ n }: Value) => n)),
  ],
  'durable/distinctUntilChanged': [
    ...asRxjs(distinctUntilChanged('changes'), () => rx.distinctUntilChanged(), tens),
    ...asRxjs(distinctUntilChanged('near', near), () => rx.distinctUntilChanged(near)),
    ...asRxjs(
      distinctUntilChanged('halves', near, (n: number) => failing(n) >> 1),
      () => rx.distinctUntilChanged(near, (n: number) => failing(n) >> 1),
    ),
    ...ofOperator(distinctUntilChanged('halves', near, ({ n }: Value) => n >> 1)),
    ...ofOperator(distinctUntilChanged('brief', { ttl }, near, ({ n }: Value) => n >> 1)),
    ...survives(distinctUntilChanged('halves', near, ({ n }: Value) => n >> 1)),
  ],
  'durable/pairwise': [
    ...asRxjs(pairwise('pairs'), () => rx.pairwise(), tens),
    ...ofOperator(pairwise('pairs')),
    ...ofOperator(pairwise('brief', { ttl })),
    ...survives(pairwise('pairs')),
  ],
  'durable/reduce': [
    ...asRxjs(reduce('sum', weighted, 0), () => rx.reduce(weighted, 0)),
    ...asRxjs(reduce('unseeded', weighted), () => rx.reduce(weighted)),
    ...asRxjs(
      reduce('undefined', (_before: unknown, n: unknown) => n, undefined),
      () => rx.reduce((_before: unknown, n: unknown) => n, undefined),
      tens,
    ),
    ...ofOperator(reduce('sum', weighing, 0)),
    ...survives(reduce('sum', weighing, 0)),
  ],
  'durable/scan': [
    ...asRxjs(scan('sum', weighted, 0), () => rx.scan(weighted, 0)),
    ...asRxjs(scan('unseeded', weighted), () => rx.scan(weighted)),
    ...asRxjs(
      scan('undefined', (_before: unknown, n: unknown) => n, undefined),
      () => rx.scan((_before: unknown, n: unknown) => n, undefined),
      tens,
    ),
    ...ofOperator(scan('sum', weighing, 0)),
    ...ofOperator(scan('brief', { ttl }, weighing, 0)),
    ...survives(scan('sum', weighing, 0)),
  ],
  'durable/skip': [
    ...asRxjs(skip('some', 3), () => rx.skip(3)),
    ...asRxjs(skip('none', -1), () => rx.skip(-1)),
    ...asRxjs(skip('all', Number.POSITIVE_INFINITY), () => rx.skip(Number.POSITIVE_INFINITY)),
    ...ofOperator(skip('some', 3)),
    ...ofOperator(skip('brief', { ttl }, 2)),
    ...survives(skip('some', 3)),
  ],
  'durable/take': [
    ...asRxjs(take('some', 3), () => rx.take(3)),
    ...asRxjs(take('none', 0), () => rx.take(0)),
    ...asRxjs(take('none', -1), () => rx.take(-1)),
    ...asRxjs(take('all', Number.POSITIVE_INFINITY), () => rx.take(Number.POSITIVE_INFINITY)),
    ...ofOperator(take('some', 3)),
    ...ofOperator(take('none', 0)),
    ...ofOperator(take('brief', { ttl }, 2)),
    // How far the source was read when the job ended before it is a matter of batches.
    ...survives(take('some', 3), 'any'),
  ],
  'durable/takeWhile': [
    ...asRxjs(
      takeWhile('small', (n: number, index: number) => failing(n) + index < 8),
      () => rx.takeWhile((n: number, index: number) => failing(n) + index < 8),
    ),
    ...asRxjs(
      takeWhile('small', (n: number) => n < 6, true),
      () => rx.takeWhile((n: number) => n < 6, true),
    ),
    ...ofOperator(takeWhile('small', ({ n }: Value, index: number) => n + index < 8)),
    ...ofOperator(takeWhile('small', { ttl }, ({ n }: Value) => n < 6, true)),
    ...survives(
      takeWhile('small', ({ n }: Value, index: number) => n + index < 8),
      'any',
    ),
  ],
}
