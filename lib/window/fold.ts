import type { Aggregate } from './aggregate.js'

/** How a window becomes one figure while its records arrive: what an aggregate and a reduction have in common. */
export interface Fold<in T, A, out M> {
  first(value: T): A
  add(accumulator: A, value: T): A
  readonly merge: ((a: A, b: A) => A) | undefined
  result(accumulator: A): M
  /** What becomes of no records at all; absent: nothing. */
  readonly empty: (() => A) | undefined
}

export const foldOfAggregate = <T, A, M>(aggregate: Aggregate<T, A, M>): Fold<T, A, M> => ({
  first: (value) => aggregate.add(aggregate.create(), value),
  add: (accumulator, value) => aggregate.add(accumulator, value),
  merge: aggregate.merge === undefined ? undefined : (a, b) => aggregate.merge?.(a, b) as A,
  result: (accumulator) => aggregate.result(accumulator),
  empty: () => aggregate.create(),
})

export const foldOfReduce = <T>(reduce: (a: T, b: T) => T): Fold<T, T, T> => ({
  first: (value) => value,
  add: reduce,
  merge: reduce,
  result: (value) => value,
  empty: undefined,
})
