import { ConfigurationError } from './errors.js'
import { atLeast } from './limits.js'

/** Which window a record belongs to. */
export interface Assigner {
  readonly sizeMs: number
  /** The start of the window of an event time. */
  startOf(timestampMs: number): number
}

/**
 * Windows of one size, one after the other.
 *
 * A window holds event times from its start up to, and not including, its end.
 *
 * @param options - `sizeMs`; `offsetMs` moves the borders away from 1970, by less than the size
 * @example The hour of a moment
 * ```ts
 * tumbling({ sizeMs: 3_600_000 }).startOf(7_300_000) // => 7200000
 * ```
 * @category windows
 * @since 0.1.0
 */
export function tumbling({ sizeMs, offsetMs = 0 }: { readonly sizeMs: number; readonly offsetMs?: number }): Assigner {
  atLeast('sizeMs', sizeMs, 1)
  if (!Number.isSafeInteger(sizeMs) || !Number.isSafeInteger(offsetMs) || Math.abs(offsetMs) >= sizeMs)
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'offsetMs',
      found: offsetMs,
      expected: `a whole number closer to 0 than the size, ${sizeMs}`,
    })
  return {
    sizeMs,
    startOf(timestampMs) {
      const into = (timestampMs - offsetMs) % sizeMs
      return timestampMs - (into < 0 ? into + sizeMs : into)
    },
  }
}

/** Folds the records of a window into an accumulator. Accumulators are immutable: `add` returns a new one. */
export interface Aggregate<in T, A, out R> {
  create(): A
  add(accumulator: A, value: T): A
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
