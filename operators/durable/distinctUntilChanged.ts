import { type CodecOf, json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { type Last, lastCodec } from '../../lib/twin/lastCodec.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableValueOptions, twinArguments } from '../../lib/twin/twinOptions.js'

/**
 * Leaves out values that are as the one before, as RxJS's `distinctUntilChanged` does.
 *
 * **When to use** in place of `distinctUntilChanged`; with keys, it compares within each key.
 * **State** the last value that went on, or its key where one is selected; per key or one for a stream without keys, owned by `uid`. What
 * is read back after a crash is a copy: give a comparator, or a key selector, where values are objects.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `value`: what is kept looks like; `ttl`: when a key begins anew
 * @param comparator - pure: whether two are the same; `===` unless told
 * @param keySelector - pure: what of a value is compared; the whole unless told
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example Changes
 * ```ts
 * await collect(of('on', 'on', 'off').pipe(records(), durable.distinctUntilChanged('changes'))) // => ['on', 'off']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function distinctUntilChanged<V>(uid: string, comparator?: (previous: V, current: V) => boolean): AnyKeyOperator<V, V>
export function distinctUntilChanged<V, K>(
  uid: string,
  comparator: (previous: K, current: K) => boolean,
  keySelector: (value: V) => K,
): AnyKeyOperator<V, V>
export function distinctUntilChanged<V, C>(
  uid: string,
  options: DurableValueOptions<V, C>,
  comparator?: (previous: V, current: V) => boolean,
): AnyKeyOperator<V, V>
export function distinctUntilChanged<V, K, C>(
  uid: string,
  options: DurableValueOptions<K, C>,
  comparator: (previous: K, current: K) => boolean,
  keySelector: (value: V) => K,
): AnyKeyOperator<V, V>
export function distinctUntilChanged(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const [comparator, keySelector] = args as [((previous: unknown, current: unknown) => boolean)?, ((value: unknown) => unknown)?]
  const same = comparator ?? ((previous: unknown, current: unknown): boolean => previous === current)
  return twin<unknown, Last<unknown>, unknown>({
    name: 'distinctUntilChanged',
    uid,
    codec: lastCodec(stateCodec((options.value ?? json()) as CodecOf<unknown>, { uid, state: 'state' })),
    ttl: options.ttl,
    next(last, value, out) {
      const current = keySelector === undefined ? value : keySelector(value)
      if (last !== undefined && same(last.value, current)) return last
      out.next(value)
      return { value: current }
    },
  })
}
