import type { AnyKeyOperator } from '../lib/element.js'
import { operate } from '../lib/operate.js'

/**
 * Maps the value of each record; its key and event time stay.
 *
 * @param project - pure: a value in, a value out
 * @example Doubling
 * ```ts
 * await collect(of(1, 2).pipe(records(), mapValues((n) => n * 2))) // => [2, 4]
 * ```
 * @category elements
 * @since 0.1.0
 */
export const mapValues = <T, R>(project: (value: T) => R): AnyKeyOperator<T, R> =>
  operate<T, R>({
    name: 'mapValues',
    create: ({ output }) => ({
      processRecord(value, timestamp, key) {
        output.processRecord(project(value), timestamp, key)
      },
    }),
  })
