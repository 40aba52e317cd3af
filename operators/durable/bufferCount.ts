import { type CodecOf, json, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { atLeast } from '../../lib/limits.js'
import { append, type Buffered, buffered, bufferedCodec, keptIn, nothingBuffered } from '../../lib/twin/buffered.js'
import { twin } from '../../lib/twin/twin.js'
import { type DurableValueOptions, twinArguments } from '../../lib/twin/twinOptions.js'

/**
 * Collects so many values each into an array, as RxJS's `bufferCount` does.
 *
 * **When to use** in place of `bufferCount`; with keys, it collects within each key. Where time closes a buffer too, a window.
 * **State** the values of the buffers that are open, per key or one for a stream without keys, owned by `uid`. Open buffers are emitted
 * at the end of the input or when the job is drained, and then forgotten: behind a drain the first value opens a buffer.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `value`: what a value looks like; `ttl`: when a key and what is buffered of it is forgotten
 * @param bufferSize - how many values a buffer has
 * @param startBufferEvery - how many values behind a buffer the next one opens: fewer overlap, more leave values out; `bufferSize` unless told
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `OPTION_INVALID` for sizes below 1
 * @example Pairs, and the rest
 * ```ts
 * await collect(of(1, 2, 3).pipe(records(), durable.bufferCount('pairs', 2))) // => [[1, 2], [3]]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function bufferCount<V>(uid: string, bufferSize: number, startBufferEvery?: number | null): AnyKeyOperator<V, V[]>
export function bufferCount<V, C>(
  uid: string,
  options: DurableValueOptions<V, C>,
  bufferSize: number,
  startBufferEvery?: number | null,
): AnyKeyOperator<V, V[]>
export function bufferCount(uid: string, ...given: readonly unknown[]): unknown {
  const { options, args } = twinArguments(given)
  const [bufferSize, startBufferEvery] = args as [number, (number | null)?]
  const every = startBufferEvery ?? bufferSize
  atLeast('bufferSize', bufferSize, 1)
  atLeast('startBufferEvery', every, 1)
  return twin<unknown, Buffered<unknown>, unknown[]>({
    name: 'bufferCount',
    uid,
    codec: bufferedCodec(stateCodec((options.value ?? json()) as CodecOf<unknown>, { uid, state: 'state' })),
    ttl: options.ttl,
    next(before = nothingBuffered, value, out) {
      // Between two buffers nothing is kept, until the next one opens.
      if (before.size === 0 && before.index % every !== 0) return buffered(before.index + 1, [])
      const after = append(before, value)
      if (after.size < bufferSize) return after
      // The oldest buffer is full. What is left of it belongs to those that opened since.
      const full = keptIn(after)
      const rest = buffered(after.index, full.slice(every))
      out.next(full)
      return rest
    },
    complete(last = nothingBuffered, out) {
      const rest = keptIn(last)
      for (let opened = 0; opened < rest.length; opened += every) out.next(rest.slice(opened))
    },
  })
}
