import type { ByteLine, ByteLines } from '../../lib/byteLines.js'
import type { RestoreError } from '../../lib/errors.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'

export interface PlaceRequest {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
}

/** Answers the next bytes of a body, or nothing at its end. */
export type Chunks = () => Promise<Uint8Array | undefined>

/** Lines of one batch, in order; those at an index of `malformed` are no records. */
export interface TakenLines<T> {
  readonly lines: readonly ByteLine[]
  readonly values: readonly T[]
  readonly malformed: ReadonlySet<number>
}

/** Where a tail stands: how to ask for what follows, and what its offsets are. */
export interface Place<T> {
  /** Behind everything that was taken. */
  offset(): SourceOffset
  request(): PlaceRequest
  /** What an unusual status says about the place, if anything. */
  gone(response: Response): RestoreError | undefined
  /** Finds the place in an answer. What follows in the body are the lines behind it. */
  found(response: Response, chunks: Chunks): Promise<ByteLines>
  /** Whether a line was taken before this answer, as one that is no record. */
  passesOver(): boolean
  take(line: ByteLine, value: T): void
  /** Takes a line that is no record. */
  takeMalformed(line: ByteLine): void
  /** Makes offsets of lines that are taken from here on. */
  offsetsFrom(): (taken: TakenLines<T>, index: number) => SourceOffset
}
