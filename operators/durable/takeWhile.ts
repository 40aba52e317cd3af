import { json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableOptions, twinArguments } from '../../lib/twin/twinOptions.js'

/** In place of the next index: a value has failed the test. */
const over = -1

/**
 * Lets values through until one fails a test, as RxJS's `takeWhile` does.
 *
 * **When to use** in place of `takeWhile`; with keys, it takes of each key until one of that key fails.
 * **State** the next index, per key or one for a stream without keys, owned by `uid`. A stream without keys ends with the value that fails:
 * what the source still has is left, barriers pass, and a restored job ends it at once.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `ttl`: when a key is forgotten, so that values are taken again
 * @param predicate - pure: whether to go on; a type guard narrows the type of the stream
 * @param inclusive - the value that fails goes on as the last one
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @example Until there is nothing
 * ```ts
 * await collect(of(2, 1, 0, 3).pipe(records(), durable.takeWhile('some', (n) => n > 0))) // => [2, 1]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function takeWhile<V, S extends V>(uid: string, predicate: (value: V, index: number) => value is S, inclusive?: false): AnyKeyOperator<V, S>
export function takeWhile<V>(uid: string, predicate: (value: V, index: number) => boolean, inclusive?: boolean): AnyKeyOperator<V, V>
export function takeWhile<V, S extends V>(
  uid: string,
  options: DurableOptions,
  predicate: (value: V, index: number) => value is S,
  inclusive?: false,
): AnyKeyOperator<V, S>
export function takeWhile<V>(
  uid: string,
  options: DurableOptions,
  predicate: (value: V, index: number) => boolean,
  inclusive?: boolean,
): AnyKeyOperator<V, V>
export function takeWhile(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const [predicate, inclusive = false] = args as [(value: unknown, index: number) => boolean, boolean?]
  return twin<unknown, number, unknown>({
    name: 'takeWhile',
    uid,
    codec: stateCodec(json<number>(), { uid, state: 'state' }),
    ttl: options.ttl,
    next(index = 0, value, out) {
      if (index === over) return index
      const goesOn = predicate(value, index)
      if (goesOn || inclusive) out.next(value)
      if (goesOn) return index + 1
      out.complete()
      return over
    },
  })
}
