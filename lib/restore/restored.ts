import type { CheckpointBody } from '../checkpointBody.js'
import type { StoredCheckpoint } from '../ports/checkpointStorage.js'
import type { Participant } from '../run.js'

/** A checkpoint, or one of the savepoints that make one together. */
export interface Part {
  readonly stored: StoredCheckpoint
  readonly body: CheckpointBody
}

/** As much of a program as tells where the parts of a checkpoint belong: a checkpoint without its program tells it, too. */
export interface KnownProgram {
  readonly sources: ReadonlySet<string>
  readonly participants: ReadonlyMap<
    string,
    Pick<Participant, 'kind' | 'isSplit' | 'redistribution' | 'joinStates'> & Partial<Pick<Participant, 'stateIn'>>
  >
}

/** What the graph function has made. */
export interface Program extends KnownProgram {
  readonly participants: ReadonlyMap<string, Participant>
}
