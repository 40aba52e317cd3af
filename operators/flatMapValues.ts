import type { AnyKeyOperator } from '../lib/element.js'
import { operate } from '../lib/operate.js'

/**
 * Maps the value of each record to none, one or many; each keeps the key and the event time.
 *
 * @param project - pure: a value in, an iterable of values out
 * @example Words of lines
 * ```ts
 * await collect(of('to be', 'or not').pipe(records(), flatMapValues((line) => line.split(' ')))) // => ['to', 'be', 'or', 'not']
 * ```
 * @category elements
 * @since 0.1.0
 */
export const flatMapValues = <T, R>(project: (value: T) => Iterable<R>): AnyKeyOperator<T, R> =>
  operate<T, R>({
    name: 'flatMapValues',
    create: ({ output }) => ({
      processRecord(value, timestamp, key) {
        for (const result of project(value)) output.processRecord(result, timestamp, key)
      },
    }),
  })
