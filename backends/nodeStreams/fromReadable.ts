import type { Readable } from 'node:stream'
import type { CodecOf } from '../../lib/codec.js'
import type { Json } from '../../lib/json.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import type { PulledOffsets } from '../../lib/pulledOffsets.js'
import { type PulledSourceOptions, pulledSource } from '../../lib/pulledSource.js'
import { readableOf } from './readableOf.js'

type OpenedReadable = Readable | PromiseLike<Readable>

/** A stream that yields the same chunks in the same order each time: the offset is a count of chunks. */
export interface CountedReadableOptions extends PulledSourceOptions {
  /** Makes the stream, from its first chunk on. The signal aborts when it is not read any more; the stream is destroyed then. */
  readonly open: (from: undefined, signal: AbortSignal) => OpenedReadable
  readonly offsetOf?: undefined
}

/** A stream that can begin anywhere: the offset is in the chunks. */
export interface SeekableReadableOptions<T, O extends Json> extends PulledSourceOptions {
  /**
   * Makes the stream, from the chunk behind `from` on; without `from`, from the first. Where what was there is gone, throw or
   * reject with a `RestoreError` `SOURCE_OFFSET_GONE`.
   */
  readonly open: (from: O | undefined, signal: AbortSignal) => OpenedReadable
  /** Where a chunk stands. Different for each chunk; plain data. */
  readonly offsetOf: (value: T) => O
  /** Checks an offset that comes out of a checkpoint. */
  readonly offset: CodecOf<O>
}

/**
 * Reads the chunks of a Node stream, each as a record.
 *
 * The stream is pulled: while the run is busy it is paused, and holds as much as its own high-water mark allows. When it is not
 * read any more it is destroyed. Its error ends the run, behind the records before it, as `SOURCE_IO` with its cause.
 *
 * Without `offsetOf` the offset is a count of chunks: after a restart the stream is opened again and so many are passed over. That is
 * for streams of objects: where the bytes of a file are cut into chunks is nobody's promise. Take `readableLines` for text.
 *
 * **When to use** for a parser, a cursor of a database or anything else that is a stream of objects.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range, or what was opened is no stream
 * @throws RestoreError `SOURCE_OFFSET_AHEAD` where the chunks end before the offset, `CODEC_MISMATCH` for an offset that is none
 * @example Reading a stream of objects
 * ```ts
 * import { Readable } from 'node:stream'
 * import { defineJob } from 'rxweir'
 * import { memory, memorySink } from 'rxweir/backends/memory'
 * import { fromReadable } from 'rxweir/backends/nodeStreams'
 *
 * const all = memorySink<number>()
 * const numbers = fromReadable<number>({ open: () => Readable.from([1, 2, 3]) })
 * await defineJob('copy', { storage: memory() }, ({ source, sink }) => source('numbers', numbers).pipe(sink('all', all))).run().done
 * all.committed // => [1, 2, 3]
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function fromReadable<T>(options: CountedReadableOptions): ReplayableSource<T>
export function fromReadable<T, O extends Json>(options: SeekableReadableOptions<T, O>): ReplayableSource<T>
export function fromReadable<T, O extends Json>(options: CountedReadableOptions | SeekableReadableOptions<T, O>): ReplayableSource<T> {
  const offsets: PulledOffsets<T> =
    options.offsetOf === undefined
      ? { kind: 'counted', open: (signal) => readableOf(options.open(undefined, signal), signal) }
      : {
          kind: 'told',
          open: (from, signal) => readableOf(options.open(from as O | undefined, signal), signal),
          offsetOf: options.offsetOf,
          offset: options.offset,
        }
  return pulledSource({ ...options, offsets, recordIn: (value: T) => value })
}
