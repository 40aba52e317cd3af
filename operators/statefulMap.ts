import type { CodecOf } from '../lib/codec.js'
import { stateCodec } from '../lib/codec.js'
import type { KeyedOperator } from '../lib/element.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { operate } from '../lib/operate.js'
import { freezeDeep } from '../lib/state/freeze.js'
import type { StateIn, StateOptionsOf } from '../lib/stateOptions.js'

/**
 * Maps each record with a state kept per key.
 *
 * Like `scan` for every key at once, but the state survives a crash.
 *
 *     in   --a--b--1--a--|        letters are records, digits are barriers
 *     out  --A--B--1--C--|
 *
 * **When to use** to remember something between records of one key; to emit many or none, use {@link statefulFlatMap}.
 * **State** one value per key, owned by `uid`; returning `undefined` as the next state discards it.
 * **Barrier** captures what changed, forwards the barrier, persists in the background, acknowledges.
 * **Laws** barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `state`: what a state looks like; `initial`: how it starts, else `undefined`
 * @param step - pure: previous state and value in, next state and result out. A state is immutable: return a new one
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `STREAM_NOT_KEYED` without `keyBy` before it
 * @throws StreamError `STATE_FULL` when more keys have state than `limits.rowsMax`
 * @example Counting clicks per user
 * ```ts
 * const count = statefulMap('count', { state: t.number, initial: 0 }, (n, _user: string) => [n + 1, n + 1])
 * await collect(of('ada', 'bob', 'ada').pipe(records(), keyBy((user) => user), count)) // => [1, 1, 2]
 * ```
 * @category keyed state
 * @since 0.1.0
 */
export function statefulMap<T, S, C, Out extends readonly [next: S | undefined, result: unknown], H extends 'state' | 'initial'>(
  uid: string,
  options: StateOptionsOf<S, C, H>,
  step: [S] extends [never] ? never : (state: StateIn<S, H>, value: T) => Out,
): KeyedOperator<T, Out[1]> {
  const codec = stateCodec(options.state as CodecOf<S>, { uid })
  const { initial } = options
  const advance = step as (state: S | undefined, value: T) => readonly [S | undefined, Out[1]]
  return operate<T, Out[1]>({
    name: 'statefulMap',
    uid: operatorUid(uid),
    keyed: true,
    create({ output, rows, development }) {
      if (development) freezeDeep(initial)
      const table = rows({ table: 'rows', state: 'state', codec, evictable: true })
      return {
        processRecord(value, timestamp, key) {
          const row = table.get(key as Key)
          const [next, result] = advance(row === undefined ? initial : row.value, value)
          if (row !== undefined) {
            if (next !== undefined) table.write(row, next)
            else table.remove(row)
          } else if (next !== undefined) table.create(key as Key, undefined, next)
          output.processRecord(result, timestamp, key)
        },
      }
    },
  })
}
