import type { task, taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'

/**
 * Texts in the order in which they came, kept until no checkpoint has need of them.
 *
 * Each has a number, counted from 0 along the life of the job. One run writes at a time: opening it fences whoever wrote before,
 * so that what an earlier writer still appends is never read.
 *
 * **Laws** `acknowledged-is-kept` · `append-order` · `trim-keeps-the-rest` · `reopen-equivalence` · `one-writer`
 */
export interface Journal {
  /** The number of the oldest entry that is kept. */
  readonly first: number
  /** The number that the next entry gets: all before it are durable. */
  readonly end: number
  /** What is kept, in bytes of the storage. */
  readonly bytes: number
  /**
   * Adds entries behind those that are there, or being added. Once it has succeeded they are durable. After a `Left` the journal
   * takes no more: open it anew, and some, all or none of them are found.
   */
  append(entries: readonly string[]): taskEither.TaskEither<BackendError, void>
  /** Entries from number `from` on, at least one and at most `entriesMax`; none at the end. `from` must be kept. */
  read(from: number, entriesMax: number): taskEither.TaskEither<BackendError, readonly string[]>
  /** Nothing before number `before` is asked for again. It may be kept for a while. */
  trim(before: number): taskEither.TaskEither<BackendError, void>
  /** What is being appended settles; afterwards nothing can be done with it. Idempotent. */
  close(): task.Task<void>
}
