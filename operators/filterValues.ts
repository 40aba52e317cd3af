import type { AnyKeyOperator } from '../lib/element.js'
import { operate } from '../lib/operate.js'

/**
 * Lets the records through whose value passes a test.
 *
 * @param predicate - pure; a type guard narrows the type of the stream
 * @example Even numbers
 * ```ts
 * await collect(of(1, 2, 3, 4).pipe(records(), filterValues((n) => n % 2 === 0))) // => [2, 4]
 * ```
 * @category elements
 * @since 0.1.0
 */
export function filterValues<T, S extends T>(predicate: (value: T) => value is S): AnyKeyOperator<T, S>
export function filterValues<T>(predicate: (value: T) => boolean): AnyKeyOperator<T, T>
export function filterValues<T>(predicate: (value: T) => boolean): AnyKeyOperator<T, T> {
  return operate<T, T>({
    name: 'filterValues',
    create: ({ output }) => ({
      processRecord(value, timestamp, key) {
        if (predicate(value)) output.processRecord(value, timestamp, key)
      },
    }),
  })
}
