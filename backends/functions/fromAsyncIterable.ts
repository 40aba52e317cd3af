import type { CodecOf } from '../../lib/codec.js'
import type { Json } from '../../lib/json.js'
import type { ReplayableSource } from '../../lib/ports/replayableSource.js'
import type { PulledOffsets } from '../../lib/pulledOffsets.js'
import { type PulledSourceOptions, pulledSource } from '../../lib/pulledSource.js'

type Iterated<T> = AsyncIterable<T> | Iterable<T> | PromiseLike<AsyncIterable<T> | Iterable<T>>

/** An iterable that yields the same items in the same order each time: the offset is a count of items. */
export interface CountedIterableOptions<T> extends PulledSourceOptions {
  /** Makes the iterable, from its first item on. The signal aborts when it is not read any more. */
  readonly open: (from: undefined, signal: AbortSignal) => Iterated<T>
  readonly offsetOf?: undefined
}

/** An iterable that can begin anywhere: the offset is in the items. */
export interface SeekableIterableOptions<T, O extends Json> extends PulledSourceOptions {
  /**
   * Makes the iterable, from the item behind `from` on; without `from`, from the first. Where what was there is gone, throw or reject
   * with a `RestoreError` `SOURCE_OFFSET_GONE`. The signal aborts when it is not read any more.
   */
  readonly open: (from: O | undefined, signal: AbortSignal) => Iterated<T>
  /** Where an item stands. Different for each item; plain data. */
  readonly offsetOf: (value: T) => O
  /** Checks an offset that comes out of a checkpoint. */
  readonly offset: CodecOf<O>
}

/**
 * Reads what a function of yours iterates: a generator, a query, a client of something else.
 *
 * It is pulled: while the run is busy nobody asks for the next item, and one is asked for ahead at most. When it is not read any
 * more, the signal aborts and `return()` is called. What it throws ends the run, behind the records before it, as `SOURCE_IO` with
 * its cause; a `SourceError` and a `RestoreError` of yours pass as they are.
 *
 * Without `offsetOf` the offset is a count of items: after a restart the iterable is begun again and so many are passed over. An
 * iterable with fewer is not the same data, and an error, `SOURCE_OFFSET_AHEAD`. That it yields the same items again is yours to keep.
 *
 * **When to use** for whatever can be read again and has no source of its own.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range, or what was opened is no iterable
 * @throws RestoreError `SOURCE_OFFSET_AHEAD` where the items end before the offset, `CODEC_MISMATCH` for an offset that is none
 * @throws StreamError `VALUE_NOT_ENCODABLE` when `offsetOf` returns what a checkpoint cannot hold
 * @example Going on behind the last page
 * ```ts
 * const rows = [10, 20, 30]
 * const source = fromAsyncIterable({
 *   open: async function* (from?: number) {
 *     for (const id of rows) if (from === undefined || id > from) yield { id }
 *   },
 *   offsetOf: ({ id }) => id,
 *   offset: t.number,
 * })
 * const all = memorySink<{ id: number }>()
 * await defineJob('rows', { storage: memory() }, ({ source: from, sink }) => from('rows', source).pipe(sink('all', all))).run().done
 * all.committed // => [{ id: 10 }, { id: 20 }, { id: 30 }]
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function fromAsyncIterable<T>(options: CountedIterableOptions<T>): ReplayableSource<T>
export function fromAsyncIterable<T, O extends Json>(options: SeekableIterableOptions<T, O>): ReplayableSource<T>
export function fromAsyncIterable<T, O extends Json>(options: CountedIterableOptions<T> | SeekableIterableOptions<T, O>): ReplayableSource<T> {
  const offsets: PulledOffsets<T> =
    options.offsetOf === undefined
      ? { kind: 'counted', open: counted(options.open) }
      : { kind: 'told', open: (from, signal) => options.open(from as O | undefined, signal), offsetOf: options.offsetOf, offset: options.offset }
  return pulledSource({ ...options, offsets, recordIn: (value: T) => value })
}

/** What is no function stays what it is, to be refused by its name. */
const counted = <T>(open: CountedIterableOptions<T>['open']): ((signal: AbortSignal) => Iterated<T>) =>
  typeof open === 'function' ? (signal) => open(undefined, signal) : open
