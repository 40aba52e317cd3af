import type { CodecOf } from '../lib/codec.js'
import { stateCodec } from '../lib/codec.js'
import type { KeyedOperator } from '../lib/element.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { operate } from '../lib/operate.js'
import { freezeDeep } from '../lib/state/freeze.js'
import type { StateIn, StateOptionsOf } from '../lib/stateOptions.js'

/**
 * Maps each record to none, one or many, with a state kept per key.
 *
 * **When to use** to filter, pair or batch by what came before; where each record has exactly one result, {@link statefulMap} says so.
 * **State** one value per key, owned by `uid`; returning `undefined` as the next state discards it.
 * **Barrier** captures what changed, forwards the barrier, persists in the background, acknowledges.
 * **Laws** barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `state`: what a state looks like; `initial`: how it starts, else `undefined`
 * @param step - pure: previous state and value in, next state and results out. The state is stored before the results go on
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `STREAM_NOT_KEYED` without `keyBy` before it
 * @throws StreamError `STATE_FULL` when more keys have state than `limits.rowsMax`
 * @example Each value once
 * ```ts
 * const once = statefulFlatMap('once', { state: t.literal(true) }, (seen, letter: string) => [true, seen ? [] : [letter]])
 * await collect(of('a', 'b', 'a').pipe(records(), keyBy((letter) => letter), once)) // => ['a', 'b']
 * ```
 * @category keyed state
 * @since 0.1.0
 */
export function statefulFlatMap<T, S, C, Out extends readonly [next: S | undefined, results: Iterable<unknown>], H extends 'state' | 'initial'>(
  uid: string,
  options: StateOptionsOf<S, C, H>,
  step: [S] extends [never] ? never : (state: StateIn<S, H>, value: T) => Out,
): KeyedOperator<T, Out[1] extends Iterable<infer R> ? R : never> {
  type R = Out[1] extends Iterable<infer Each> ? Each : never
  const codec = stateCodec(options.state as CodecOf<S>, { uid })
  const { initial } = options
  const advance = step as (state: S | undefined, value: T) => readonly [S | undefined, Iterable<R>]
  return operate<T, R>({
    name: 'statefulFlatMap',
    uid: operatorUid(uid),
    keyed: true,
    create({ output, rows, development }) {
      if (development) freezeDeep(initial)
      const table = rows({ table: 'rows', state: 'state', codec, evictable: true })
      return {
        processRecord(value, timestamp, key) {
          const row = table.get(key as Key)
          const [next, results] = advance(row === undefined ? initial : row.value, value)
          if (row !== undefined) {
            if (next !== undefined) table.write(row, next)
            else table.remove(row)
          } else if (next !== undefined) table.create(key as Key, undefined, next)
          for (const result of results) output.processRecord(result, timestamp, key)
        },
      }
    },
  })
}
