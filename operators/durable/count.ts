import { json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { type Counted, countedCodec } from '../../lib/twin/countedCodec.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableOptions, twinArguments } from '../../lib/twin/twinOptions.js'

/**
 * Counts values and emits their number when the input ends, as RxJS's `count` does.
 *
 * **When to use** in place of `count`; with keys, it emits one number a key. For a running count, {@link scan}.
 * **State** the number and the next index, per key or one for a stream without keys, owned by `uid`. As with {@link reduce}, the number is
 * emitted at the end of the input or when the job is drained, and counting begins anew behind a drain.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `ttl`: when a key is forgotten, without a result
 * @param predicate - pure: whether a value counts; without it each does
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @example How many are even
 * ```ts
 * const even = durable.count('even', (n: number) => n % 2 === 0)
 * await collect(of(1, 2, 3, 4).pipe(records(), even)) // => [2]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function count<V>(uid: string, predicate?: (value: V, index: number) => boolean): AnyKeyOperator<V, number>
export function count<V>(uid: string, options: DurableOptions, predicate?: (value: V, index: number) => boolean): AnyKeyOperator<V, number>
export function count(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const [predicate] = args as [((value: unknown, index: number) => boolean)?]
  return twin<unknown, Counted<number>, number>({
    name: 'count',
    uid,
    codec: countedCodec(stateCodec(json<number>(), { uid, state: 'state' })),
    ttl: options.ttl,
    next(before, value) {
      const { index, value: total } = before ?? { index: 0, value: 0 }
      return { index: index + 1, value: !predicate || predicate(value, index) ? total + 1 : total }
    },
    complete: (last, out) => out.next(last?.value ?? 0),
  })
}
