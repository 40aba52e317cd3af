import type { task, taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'
import type { JobName } from '../identity.js'
import type { EntryTable } from '../state/entryTable.js'
import type { RowTableOptions, RowTableScope } from '../state/rowStore.js'
import type { NamespacedOptions, RowTable } from '../state/rowTable.js'

/** What a state backend can do, declared and not found out by trying. */
export interface StateBackendManifest {
  readonly name: string
  /** Rows need not all be in memory at once. */
  readonly largerThanMemory: boolean
}

/**
 * Where do live rows stay?
 *
 * What it keeps is scratch: each run begins with nothing, and takes over what the checkpoint storage has. The tables that it makes
 * are asked synchronously, once or more a record; they throw a `BackendError` where they fail.
 *
 * **Laws** `read-your-writes` · `capture-isolation` · `given-back-is-kept` · `table-isolation`
 */
export interface StateBackend {
  readonly manifest: StateBackendManifest
  /** Makes room for one run of a job. */
  open(job: JobName): taskEither.TaskEither<BackendError, StateTables>
}

/** The tables of one run. */
export interface StateTables {
  /** One row per key, or per key and namespace. */
  rows<S>(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope): RowTable<S>
  /** Many rows per key and namespace. */
  entries<S>(options: RowTableOptions<S>, scope: RowTableScope): EntryTable<S>
  /** The run has ended: nothing is asked any more. */
  close(): task.Task<void>
}
