import type { CodecOf } from './codec.js'
import type { SourceOffset } from './ports/replayableSource.js'

type Opened<I> = AsyncIterable<I> | Iterable<I> | PromiseLike<AsyncIterable<I> | Iterable<I>>

/** How offsets are found: by a function of an item, or by counting. */
export type PulledOffsets<I> =
  | { readonly kind: 'counted'; readonly open: (signal: AbortSignal) => Opened<I> }
  | {
      readonly kind: 'told'
      readonly open: (from: SourceOffset | undefined, signal: AbortSignal) => Opened<I>
      readonly offsetOf: (item: I) => SourceOffset
      /** Checks a stored offset. */
      readonly offset: CodecOf<unknown>
    }
