import type { CheckpointBody } from '../checkpointBody.js'
import type { JobName } from '../identity.js'
import type { StoredCheckpoint } from '../ports/checkpointStorage.js'

/** What is known of a checkpoint that is open. */
export interface OpenSavepoint {
  readonly job: JobName
  readonly stored: StoredCheckpoint
  readonly body: CheckpointBody
  readonly heldBytesMax: number
}

export const heldBytesUsual = 32 * 1024 * 1024

const opened = new WeakMap<object, OpenSavepoint>()

export const noteOpen = (reader: object, open: OpenSavepoint): void => void opened.set(reader, open)

/** What stands behind a reader. */
export const openSavepoint = (reader: object): OpenSavepoint => opened.get(reader) as OpenSavepoint
