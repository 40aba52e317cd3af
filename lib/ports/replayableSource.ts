import type { option, task, taskEither } from 'fp-ts'
import type { Clock } from '../clock.js'
import type { BackendError, RestoreError, SourceError, StreamError } from '../errors.js'
import type { OperatorUid } from '../identity.js'
import type { Json } from '../json.js'
import type { SideOutput } from '../sideOutput.js'
import type { Journal } from './journal.js'

/** A position in a replayable source: everything before it has been read. Kept in the checkpoint. */
export type SourceOffset = Json

/** A record that could not be decoded, as it goes to the dead-letter side output. */
export interface DeadLetter {
  /** Where it stands in the source. */
  readonly offset: SourceOffset
  /** The record as text, cut at a limit. */
  readonly text: string
  /** Why it was refused. */
  readonly reason: string
}

/** Some records in the order of the source. */
export interface SourceBatch<out T> {
  /** The decoded records. At an index that `malformed` has, the entry means nothing. */
  readonly values: readonly T[]
  readonly malformed?: ReadonlyMap<number, DeadLetter>
  /** The offset behind the record at `index`: reading from there yields the record at `index + 1` first. */
  offsetAfter(index: number): SourceOffset
}

/** What may go wrong with a source; most say `SourceError`, or `RestoreError` where an offset is gone. */
export type SourceFailure = SourceError | RestoreError | BackendError | StreamError

export type SourceRead<T> = { readonly kind: 'batch'; readonly batch: SourceBatch<T> } | { readonly kind: 'end' }

/**
 * Reads from an offset, and knows the offset of every record.
 *
 * Reading twice from one offset yields the same records in the same order; an offset that is gone or lies ahead of the data
 * is an error with a code and a choice, never a wait and never a silent start over.
 *
 * **Laws** `replay-equivalence` · `offset-monotone` · `every-offset-resumes` · `gone-is-an-error`
 */
export interface ReplayableSource<out T> {
  readonly offsets: 'replayable'
  /** The side output that takes malformed records; without one a malformed record ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter> | undefined
  open(context: SourceContext): taskEither.TaskEither<SourceFailure, SourceReader<T>>
}

export interface SourceContext {
  readonly uid: OperatorUid
  /** Where to go on; none on the first start. */
  readonly from: option.Option<SourceOffset>
  readonly clock: Clock
  /** Where a source can note down what cannot be read again; none where the storage has no journal. */
  readonly journal?: taskEither.TaskEither<BackendError, Journal> | undefined
}

export interface SourceReader<out T> {
  /** The offset where this reader starts: the one given, or the source's beginning. */
  readonly start: SourceOffset
  /** At least one record and at most `recordsMax`, or the end. Waits while there is nothing. Not called again before it has settled. */
  read(recordsMax: number): taskEither.TaskEither<SourceFailure, SourceRead<T>>
  /**
   * A checkpoint with `offset` is complete, and no checkpoint that is kept asks for anything before `oldest`: a source that keeps
   * records for us, or a broker that is told how far we are, may let go of what lies before. Must not throw.
   */
  checkpointCompleted?(offset: SourceOffset, oldest: SourceOffset): void
  /** Releases everything; a pending `read` settles. Idempotent. */
  close(): task.Task<void>
}
