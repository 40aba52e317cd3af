import type { CheckpointBody } from '../checkpointBody.js'
import type { StoredCheckpoint } from '../ports/checkpointStorage.js'
import type { Participant } from '../run.js'

/** A checkpoint, or one of the savepoints that make one together. */
export interface Part {
  readonly stored: StoredCheckpoint
  readonly body: CheckpointBody
}

/** What the graph function has made. */
export interface Program {
  readonly sources: ReadonlySet<string>
  readonly participants: ReadonlyMap<string, Participant>
}
