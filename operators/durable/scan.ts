import type { AnyKeyOperator } from '../../lib/element.js'
import { accumulation } from '../../lib/twin/accumulation.js'
import { twin } from '../../lib/twin/twin.js'
import type { DurableStateOptions } from '../../lib/twin/twinOptions.js'

/**
 * Accumulates values and emits each accumulation, as RxJS's `scan` does.
 *
 * **When to use** in place of `scan`; with keys, it accumulates for each key. To emit something else than the state, {@link statefulMap}.
 * **State** the accumulation and the next index, per key or one for a stream without keys, owned by `uid`.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `state`: what an accumulation looks like; `ttl`: when a key begins anew
 * @param accumulator - pure: a new accumulation, never the old one changed
 * @param seed - without it the first value is the first accumulation
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example A running total
 * ```ts
 * const total = durable.scan('total', (sum: number, n: number) => sum + n, 0)
 * await collect(of(1, 2, 3).pipe(records(), total)) // => [1, 3, 6]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function scan<V, A = V>(uid: string, accumulator: (accumulated: A | V, value: V, index: number) => A): AnyKeyOperator<V, V | A>
export function scan<V, A>(uid: string, accumulator: (accumulated: A, value: V, index: number) => A, seed: A): AnyKeyOperator<V, A>
export function scan<V, A, S>(uid: string, accumulator: (accumulated: A | S, value: V, index: number) => A, seed: S): AnyKeyOperator<V, A>
export function scan<V extends A, A, C>(
  uid: string,
  options: DurableStateOptions<A, C>,
  accumulator: (accumulated: A, value: V, index: number) => A,
): AnyKeyOperator<V, A>
export function scan<V, A, C>(
  uid: string,
  options: DurableStateOptions<A, C>,
  accumulator: (accumulated: A, value: V, index: number) => A,
  seed: A,
): AnyKeyOperator<V, A>
export function scan(uid: string, ...given: readonly unknown[]): unknown {
  const { advance, ...state } = accumulation(uid, given)
  return twin<unknown, ReturnType<typeof advance>, unknown>({
    ...state,
    name: 'scan',
    uid,
    next(before, value, out) {
      const after = advance(before, value)
      out.next(after.value)
      return after
    },
  })
}
