import { json } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import { KeyedOperatorState } from '../../lib/keyedOperator.js'
import type { MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import { mapState } from '../../lib/state/mapState.js'
import { checkedTtl } from '../../lib/state/ttl.js'
import { beforeTheEnd } from '../../lib/twin/beforeTheEnd.js'
import { type DurableOptions, twinArguments } from '../../lib/twin/twinOptions.js'

/**
 * Lets each value through once, as RxJS's `distinct` does.
 *
 * **When to use** in place of `distinct`; with keys, it lets each value of each key through once. There is no stream that flushes: let what
 * was seen expire with `ttl`.
 * **State** every value seen, or its key where one is selected, in an entry of its own; owned by `uid`. Without `ttl` they stay for ever, up
 * to `limits.rowsMax`; with it, what was seen is forgotten so many ms later: `{ afterMs, refresh: 'onReadAndWrite' }` counts from the
 * last time.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `ttl`: when a value is forgotten, each by itself
 * @param keySelector - pure: what of a value is compared, a key as `keyBy` takes it; dates and arrays are the same by what they say
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @throws StreamError `KEY_INVALID` for what is no key; `STATE_FULL` when more was seen than `limits.rowsMax`
 * @example Each once
 * ```ts
 * await collect(of('a', 'b', 'a').pipe(records(), durable.distinct('seen'))) // => ['a', 'b']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function distinct<V extends Key>(uid: string, options?: DurableOptions): AnyKeyOperator<V, V>
export function distinct<V>(uid: string, keySelector: (value: V) => Key): AnyKeyOperator<V, V>
export function distinct<V>(uid: string, options: DurableOptions, keySelector: (value: V) => Key): AnyKeyOperator<V, V>
export function distinct(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const [keySelector = (value: unknown) => value as Key] = args as [((value: unknown) => Key)?]
  if (options.ttl !== undefined) checkedTtl(options.ttl)
  const seen = mapState(json<Key>(), json<true>(), options)
  return operate<unknown, unknown>({
    name: 'distinct',
    uid: operatorUid(uid),
    create(context) {
      const kept = KeyedOperatorState.withoutTimers(beforeTheEnd(context as unknown as MachineContext<never>), { seen })
      const { seen: values } = kept.handles
      return {
        open: () => kept.open(),
        processRecord(value, timestamp, key) {
          // What belongs to no key is kept under one of its own.
          kept.enter(context.keyed ? key : null, timestamp)
          const selected = keySelector(value)
          if (values.has(selected)) return
          values.put(selected, true)
          context.output.processRecord(value, timestamp, key)
        },
        processWatermark: () => kept.expire(),
      }
    },
  })
}
