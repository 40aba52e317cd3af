import type { Observable } from 'rxjs'
import type { KeyedOperatorOn, StreamElement } from '../lib/element.js'
import { emits } from '../lib/emits.js'
import type { Key } from '../lib/key.js'
import { type CoGroupOptions, coGroup, type GroupContext } from './coGroup.js'

/**
 * Joins the records of two keyed streams that lie in the same window.
 *
 * Flink's window join, an inner one: every pair of a key and window. Results carry the last time of the window.
 *
 * **When to use** for pairs of the same hour or visit; for pairs close to each other, whatever the hour, there is {@link intervalJoin}.
 * **State** all records of open windows; owned by `uid`.
 * **Barrier** as {@link coGroup}.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - the second stream, with the same kind of key
 * @throws ConfigurationError as {@link coGroup} does
 * @throws StreamError `TIMESTAMP_INVALID` for a record without event time where windows need it
 * @example Pairs of the same ten milliseconds
 * ```ts
 * const second = of(3, 4, 21).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'))
 * const pairs = windowJoin('pairs', second, { assigner: tumbling({ sizeMs: 10 }) }, (a: number, b) => [a, b])
 * await collect(of(1, 12).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'), pairs)) // => [[1, 3], [1, 4]]
 * ```
 * @category windows
 * @since 0.2.0
 */
export const windowJoin = <T, U, R, At extends Key = Key>(
  uid: string,
  other: Observable<StreamElement<U, NoInfer<At>>>,
  options: CoGroupOptions<T, U>,
  join: (first: T, second: U, window: GroupContext<At>) => R,
): KeyedOperatorOn<T, At, R> =>
  coGroup<T, U, At, R>(uid, other, { ...options, emits: emits<R>() }, (first, second, window, emit) => {
    for (const a of first) for (const b of second) (emit as (result: R) => void)(join(a, b, window))
  })
