import { type CodecOf, json, type Restorable, stateCodec } from '../../lib/codec.js'
import type { AnyKeyOperator } from '../../lib/element.js'
import { operatorUid } from '../../lib/identity.js'
import { atLeast } from '../../lib/limits.js'
import { operate } from '../../lib/operate.js'
import { BufferTimeMachine } from '../../lib/twin/bufferTimeMachine.js'
import { waitMs } from '../../lib/twin/waitMs.js'

export interface BufferTimeOptions<T, C> {
  /** How long a buffer is open. */
  readonly spanMs: number
  /** A buffer opens every so often, whatever else is open. Without it, one opens when the one before has been emitted. */
  readonly creationIntervalMs?: number
  /** A buffer with so many values is emitted at once. Default: however many. */
  readonly bufferSizeMax?: number
  /** So many values are in open buffers at a time; then the sources pause. Default 100,000. */
  readonly heldValuesMax?: number
  /** What a value looks like. Without it, it is stored as it is: plain data, and what `json()` says. */
  readonly value?: C & CodecOf<T> & Restorable<C>
}

/**
 * Collects the values of a span of time, and emits them as an array, as RxJS's `bufferTime` does.
 *
 *     in   -a-b--c--1-d---|     letters are records, digits are barriers
 *     out  -----x---1-y---z|    for five dashes: x = [a, b], y = [c, d], z = []
 *
 * **When to use** in place of `bufferTime`; with keys, for each key, from its first value on. Spans without values are emitted too, so
 * a key that has come once goes on emitting empty arrays, as in RxJS: {@link window} has state only for keys with records.
 * **State** the values of open buffers, each once, and when buffers are due, owned by `uid`. What is overdue after a restore is emitted
 * before the first record. The end of the input emits the open buffers.
 * **Event time** a buffer carries that of its last value in event time; a watermark that would make it late waits until it is emitted.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param options - `spanMs`, `creationIntervalMs`, `bufferSizeMax`: RxJS's `bufferTimeSpan`, `bufferCreationInterval`, `maxBufferSize`;
 *   `heldValuesMax`: how many wait; `value`: what a value looks like
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`
 * @example By time or by size, whatever comes first
 * ```ts
 * const batches = durable.bufferTime('batches', { spanMs: 1_000, bufferSizeMax: 2 })
 * await collect(of(1, 2, 3).pipe(records(), batches)) // => [[1, 2], [3]]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function bufferTime<T, C = unknown>(uid: string, options: BufferTimeOptions<T, C>): AnyKeyOperator<T, T[]> {
  const { spanMs, creationIntervalMs, bufferSizeMax = Number.POSITIVE_INFINITY, heldValuesMax = 100_000 } = options
  waitMs('spanMs', spanMs, 1)
  if (creationIntervalMs !== undefined) waitMs('creationIntervalMs', creationIntervalMs, 1)
  atLeast('bufferSizeMax', bufferSizeMax, 1)
  atLeast('heldValuesMax', heldValuesMax, 1)
  const codec = stateCodec<T>((options.value ?? json()) as CodecOf<T>, { uid, state: 'values' })
  return operate<T, T[]>({
    name: 'bufferTime',
    uid: operatorUid(uid),
    time: 'held',
    create: (context) => new BufferTimeMachine(context, { spanMs, creationIntervalMs, bufferSizeMax, heldValuesMax }, codec),
  })
}
