import type { Observable } from 'rxjs'
import type { AnyStream, KeyReadingOperator, StreamElement } from '../lib/element.js'
import type { NoStates, StateDescriptors } from '../lib/state/descriptor.js'
import { keyBy } from './keyBy.js'
import { type ProcessWindowOptions, type ReduceWindowOptions, type WindowOptions, window } from './window.js'

/** Takes a stream without looking at its keys; what comes out is keyed by `null`. */
export type WindowAllOperator<T, R> = (source: AnyStream<T>) => Observable<StreamElement<R, null>>

/**
 * Folds the records of each window into results, whatever their keys.
 *
 * Like {@link window} behind a `keyBy` that gives all records the key `null`.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @throws ConfigurationError as {@link window} does
 * @example The sum of every two records
 * ```ts
 * const pairs = windowAll('pairs', { ...countWindow(2), reduce: (a: number, b: number) => a + b })
 * await collect(of(1, 2, 3, 4).pipe(records(), pairs)) // => [3, 7]
 * ```
 * @category windows
 * @since 0.2.0
 */
export function windowAll<T, A, M, R = M, L = unknown, G extends StateDescriptors = NoStates, W extends StateDescriptors = NoStates>(
  uid: string,
  options: WindowOptions<T, A, M, null, R, L, G, W>,
): WindowAllOperator<T, R>
export function windowAll<T, R = T, L = unknown, G extends StateDescriptors = NoStates, W extends StateDescriptors = NoStates>(
  uid: string,
  options: ReduceWindowOptions<T, null, R, L, G, W>,
): WindowAllOperator<T, R>
export function windowAll<T, R = never, L = unknown, G extends StateDescriptors = NoStates, W extends StateDescriptors = NoStates>(
  uid: string,
  options: ProcessWindowOptions<T, null, R, L, G, W>,
): WindowAllOperator<T, R>
export function windowAll(uid: string, options: unknown): WindowAllOperator<unknown, unknown> {
  const windowed = (window as unknown as (uid: string, options: unknown) => KeyReadingOperator<unknown, null, unknown, unknown>)(uid, options)
  return (source) => source.pipe(keyBy(() => null)).pipe(windowed)
}
