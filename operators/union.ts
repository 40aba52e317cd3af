import type { Observable } from 'rxjs'
import type { StreamElement } from '../lib/element.js'
import { operate } from '../lib/operate.js'

/**
 * Joins element streams into one.
 *
 *     first   --a--1-----b--
 *     second  --x-----y--1--
 *     out     --ax-------1yb      y waits: it is behind no barrier, but b is; both inputs must have delivered barrier 1
 *
 * rxjs `merge` would let a record overtake a barrier; this aligns barriers, and event time is that of the slowest input.
 *
 * **State** the event time of each input.
 * **Barrier** an input that has delivered it is held back until all have.
 *
 * @param others - streams with the same kind of key
 * @example Two inputs
 * ```ts
 * await collect(of(1, 2).pipe(records(), union(of('a').pipe(records())))) // => [1, 2, 'a']
 * ```
 * @category elements
 * @since 0.1.0
 */
export const union =
  <U, K>(...others: readonly Observable<StreamElement<U, K>>[]) =>
  <T>(source: Observable<StreamElement<T, K>>): Observable<StreamElement<T | U, K>> =>
    operate<T | U, T | U>(
      {
        name: 'union',
        create: ({ output }) => ({
          processRecord(value, timestamp, key) {
            output.processRecord(value, timestamp, key)
          },
        }),
      },
      others,
    )(source)
