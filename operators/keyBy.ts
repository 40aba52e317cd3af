import type { Observable } from 'rxjs'
import type { AnyStream, StreamElement } from '../lib/element.js'
import { type Key, normalKey } from '../lib/key.js'
import { operate } from '../lib/operate.js'

/**
 * Gives each record a key: state behind it is kept per key.
 *
 * Unlike rxjs `groupBy` it opens no inner streams, so a key costs nothing but its state. In a job of several instances each lets the
 * records of its own keys pass.
 *
 * @param select - pure: the key of a value: a string, number, bigint, boolean, null, Date, or an array of these
 * @throws StreamError `KEY_INVALID` when the selector returns anything else
 * @throws ConfigurationError `STATE_NOT_SPLITTABLE` behind another `keyBy`, in a job of several instances
 * @example One state per key
 * ```ts
 * const count = statefulMap('count', { state: t.number, initial: 0 }, (n, _word: string) => [n + 1, n + 1])
 * await collect(of('a', 'b', 'a').pipe(records(), keyBy((word) => word), count)) // => [1, 1, 2]
 * ```
 * @category keyed state
 * @since 0.1.0
 */
export const keyBy =
  <T, K extends Key>(select: (value: T) => K): ((source: AnyStream<T>) => Observable<StreamElement<T, K>>) =>
  (source) =>
    operate<T, T>({
      name: 'keyBy',
      keys: 'given',
      create: ({ output, share }) =>
        share === undefined
          ? {
              processRecord(value, timestamp) {
                output.processRecord(value, timestamp, normalKey(select(value)))
              },
            }
          : {
              processRecord(value, timestamp) {
                const key = normalKey(select(value))
                if (share.owns(key)) output.processRecord(value, timestamp, key)
              },
            },
    })(source) as unknown as Observable<StreamElement<T, K>>
