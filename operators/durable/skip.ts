import { json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableOptions, twinArguments } from '../../lib/twin/twinOptions.js'
import { wholeCount } from '../../lib/twin/wholeCount.js'

/**
 * Leaves the first values out, as RxJS's `skip` does.
 *
 * **When to use** in place of `skip`; with keys, it skips so many of each key.
 * **State** how many were skipped, per key or one for a stream without keys, owned by `uid`.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `ttl`: when a key is forgotten, so that as many are skipped again
 * @param count - how many values; none for less than 1
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @example Without the first
 * ```ts
 * await collect(of('header', 'a', 'b').pipe(records(), durable.skip('header', 1))) // => ['a', 'b']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function skip<V>(uid: string, count: number): AnyKeyOperator<V, V>
export function skip<V>(uid: string, options: DurableOptions, count: number): AnyKeyOperator<V, V>
export function skip(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const count = wholeCount(args[0])
  return twin<unknown, number, unknown>({
    name: 'skip',
    uid,
    codec: stateCodec(json<number>(), { uid, state: 'state' }),
    ttl: options.ttl,
    next(skipped, value, out) {
      if ((skipped ?? 0) < count) return (skipped ?? 0) + 1
      out.next(value)
      return skipped
    },
  })
}
