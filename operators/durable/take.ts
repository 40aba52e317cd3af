import { json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableOptions, twinArguments } from '../../lib/twin/twinOptions.js'
import { wholeCount } from '../../lib/twin/wholeCount.js'

/**
 * Lets the first values through, as RxJS's `take` does.
 *
 * **When to use** in place of `take`; with keys, it takes so many of each key.
 * **State** how many were taken, per key or one for a stream without keys, owned by `uid`. A stream without keys ends behind the last of
 * them: what the source still has is left, barriers pass, and a restored job ends it at once.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `ttl`: when a key is forgotten, so that as many are taken again
 * @param count - how many values; none for less than 1
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @example The first of each key
 * ```ts
 * await collect(of('ab', 'ac', 'b').pipe(records(), keyBy((word) => word.charAt(0)), durable.take('first', 1))) // => ['ab', 'b']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function take<V>(uid: string, count: number): AnyKeyOperator<V, V>
export function take<V>(uid: string, options: DurableOptions, count: number): AnyKeyOperator<V, V>
export function take(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const count = wholeCount(args[0])
  return twin<unknown, number, unknown>({
    name: 'take',
    uid,
    codec: stateCodec(json<number>(), { uid, state: 'state' }),
    ttl: options.ttl,
    begin(out) {
      if (count === 0) out.complete()
    },
    next(taken, value, out) {
      const now = (taken ?? 0) + 1
      if (now <= count) out.next(value)
      // A program may take fewer than the one before it did.
      if (now >= count) out.complete()
      return now <= count ? now : taken
    },
  })
}
