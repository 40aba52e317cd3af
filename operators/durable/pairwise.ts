import { type CodecOf, json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { type Last, lastCodec } from '../../lib/twin/lastCodec.js'
import { twin } from '../../lib/twin/twin.js'
import type { DurableValueOptions } from '../../lib/twin/twinOptions.js'

/**
 * Emits each value together with the one before, as RxJS's `pairwise` does.
 *
 * **When to use** in place of `pairwise`; with keys, it pairs within each key.
 * **State** the last value, per key or one for a stream without keys, owned by `uid`.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `value`: what a value looks like; `ttl`: when a key begins anew
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example Pairs
 * ```ts
 * await collect(of(1, 2, 3).pipe(records(), durable.pairwise('pairs'))) // => [[1, 2], [2, 3]]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function pairwise<V, C = unknown>(uid: string, options: DurableValueOptions<V, C> = {}): AnyKeyOperator<V, [V, V]> {
  return twin<V, Last<V>, [V, V]>({
    name: 'pairwise',
    uid,
    codec: lastCodec(stateCodec((options.value ?? json()) as CodecOf<V>, { uid, state: 'state' })),
    ttl: options.ttl,
    next(last, value, out) {
      if (last !== undefined) out.next([last.value, value])
      return { value }
    },
  })
}
