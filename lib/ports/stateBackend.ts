import type { task, taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'
import type { JobName } from '../identity.js'
import type { EntryTable } from '../state/entryTable.js'
import type { RowTableOptions, RowTableScope } from '../state/rowStore.js'
import type { NamespacedOptions, RowTable } from '../state/rowTable.js'
import type { CheckpointSession, StoredCheckpoint, Unwanted } from './checkpointStorage.js'

/** What a state backend can do, declared and not found out by trying. */
export interface StateBackendManifest {
  readonly name: string
  /** Rows need not all be in memory at once. */
  readonly largerThanMemory: boolean
  /** A table can be captured while earlier captures of it are neither durable nor given back. Default no. */
  readonly concurrentCaptures?: boolean
}

/**
 * Where do live rows stay?
 *
 * What it keeps is scratch: each run begins with nothing, and takes over what the checkpoint storage has; unless storage and state
 * are one store, where the rows of a checkpoint are in place already. The tables that it makes are asked synchronously, once or more
 * a record; they throw a `BackendError` where they fail.
 *
 * **Laws** `read-your-writes` · `capture-isolation` · `given-back-is-kept` · `table-isolation`
 */
export interface StateBackend {
  readonly manifest: StateBackendManifest
  /** Makes room for one run of a job. */
  open(job: JobName, run: StateRun): taskEither.TaskEither<BackendError, StateTables>
}

/** What a backend may ask of the run whose rows it keeps. */
export interface StateRun {
  /** A checkpoint as soon as possible: rows that changed take much room until one is complete. */
  askCheckpoint(): void
  /** Lets the sources wait until the returned function is called. Barriers pass. */
  pause(): () => void
}

/** The tables of one run. */
export interface StateTables {
  /** One row per key, or per key and namespace. */
  rows<S>(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope): RowTable<S>
  /** Many rows per key and namespace. */
  entries<S>(options: RowTableOptions<S>, scope: RowTableScope): EntryTable<S>
  /**
   * The run has taken over `session` and goes on from `stored`, or from nothing. Called once, when every table was made and has its
   * meta back, and before rows are restored. Answers which tables have their rows in place: those are not restored.
   */
  goOnFrom?(session: CheckpointSession, stored: StoredCheckpoint | undefined): Unwanted
  /** A checkpoint was aborted a while ago, be it one that was asked for. It is not asked for again, unless here. */
  checkpointAborted?(): void
  /** The run has ended: nothing is asked any more. */
  close(): task.Task<void>
}
