import type { AnyKeyOperator } from '../../lib/element.js'
import { accumulation } from '../../lib/twin/accumulation.js'
import { twin } from '../../lib/twin/twin.js'
import type { DurableStateOptions } from '../../lib/twin/twinOptions.js'

/**
 * Accumulates values and emits the accumulation when the input ends, as RxJS's `reduce` does.
 *
 * **When to use** in place of `reduce`; with keys, it emits one result a key. For a result now and then, {@link scan}, or a window.
 * **State** the accumulation and the next index, per key or one for a stream without keys, owned by `uid`. The result is emitted at the
 * end of the input or when the job is drained, and then forgotten: a job that goes on behind a drain begins anew, so each record
 * counts in one result.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `state`: what an accumulation looks like; `ttl`: when a key is forgotten, without a result
 * @param accumulator - pure: a new accumulation, never the old one changed
 * @param seed - the result of an input without values; without it the first value is the first accumulation
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example A total
 * ```ts
 * const total = durable.reduce('total', (sum: number, n: number) => sum + n, 0)
 * await collect(of(1, 2, 3).pipe(records(), total)) // => [6]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function reduce<V, A = V>(uid: string, accumulator: (accumulated: A | V, value: V, index: number) => A): AnyKeyOperator<V, V | A>
export function reduce<V, A>(uid: string, accumulator: (accumulated: A, value: V, index: number) => A, seed: A): AnyKeyOperator<V, A>
export function reduce<V, A, S = A>(uid: string, accumulator: (accumulated: A | S, value: V, index: number) => A, seed: S): AnyKeyOperator<V, A>
export function reduce<V extends A, A, C>(
  uid: string,
  options: DurableStateOptions<A, C>,
  accumulator: (accumulated: A, value: V, index: number) => A,
): AnyKeyOperator<V, A>
export function reduce<V, A, C>(
  uid: string,
  options: DurableStateOptions<A, C>,
  accumulator: (accumulated: A, value: V, index: number) => A,
  seed: A,
): AnyKeyOperator<V, A>
export function reduce(uid: string, ...given: readonly unknown[]): unknown {
  const { advance, first, ...state } = accumulation(uid, given)
  return twin<unknown, ReturnType<typeof advance>, unknown>({
    ...state,
    name: 'reduce',
    uid,
    next: (before, value) => advance(before, value),
    complete(last, out) {
      if (last !== undefined) out.next(last.value)
      else if (first.length > 0) out.next(first[0])
    },
  })
}
