/**
 * Folds the records of a window into an accumulator. Accumulators are immutable: `add` returns a new one.
 *
 * **Laws** `aggregate-purity` · `aggregate-determinism` · `aggregate-storable` · `merge-agrees` · `merge-associative`
 */
export interface Aggregate<in T, A, out R> {
  create(): A
  add(accumulator: A, value: T): A
  /** Joins two accumulators; `a` holds the earlier records. Sessions need it, sliding windows share their work through it. */
  merge?(a: A, b: A): A
  result(accumulator: A): R
}

/**
 * The mean of a number of each record.
 *
 * @example The mean of two
 * ```ts
 * const { create, add, result } = mean((n: number) => n)
 * result(add(add(create(), 1), 2)) // => 1.5
 * ```
 * @category windows
 * @since 0.1.0
 */
export const mean = <T>(select: (value: T) => number): Aggregate<T, { readonly sum: number; readonly count: number }, number> => ({
  create: () => ({ sum: 0, count: 0 }),
  add: ({ sum, count }, value) => ({ sum: sum + select(value), count: count + 1 }),
  merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
  result: ({ sum, count }) => sum / count,
})

/**
 * How many records there are.
 *
 * @example Two
 * ```ts
 * const { create, add, result } = countRecords()
 * result(add(add(create(), 'a'), 'b')) // => 2
 * ```
 * @category windows
 * @since 0.1.0
 */
export const countRecords = (): Aggregate<unknown, number, number> => ({
  create: () => 0,
  add: (count) => count + 1,
  merge: (a, b) => a + b,
  result: (count) => count,
})
