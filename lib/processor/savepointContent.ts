import type { CheckpointBody } from '../checkpointBody.js'
import type { CheckpointId, Epoch, JobName } from '../identity.js'
import type { JobInstance } from '../instanceShare.js'
import type { Json } from '../json.js'
import type { RowChunk, Unwanted } from '../ports/checkpointStorage.js'
import type { SavepointReader } from './savepointReader.js'
import type { StatePart } from './statePart.js'

/** What a savepoint is made of. Uids are those that it has in the end. */
export interface SavepointContent {
  /** The savepoint that it begins with; of a job that ran in several instances, all of theirs. None: an empty one. */
  readonly from?: SavepointReader | readonly SavepointReader[]
  /** New uids by old ones: of operators, sources and sinks. */
  readonly renamed?: { readonly [uid: string]: string }
  /** The old uids of what is left out. */
  readonly without?: readonly string[]
  /** Where sources begin. Those that are not named begin where they stood, or at their start. */
  readonly sources?: { readonly [uid: string]: Json }
  /** State to begin with, and state that is changed. */
  readonly states?: readonly StatePart[]
  /**
   * The transactions that `from` names are known to be committed, and left out. A checkpoint names those of its own barrier always; a job
   * that begins with it commits them, which needs the sink that has them. Default no.
   */
  readonly settled?: boolean
  /** Rows that were written more than once are written once. It takes longer, and less room. Default no. */
  readonly compact?: boolean
  /** Which of several instances it is for. Default: that of `from`; of several, one for all. */
  readonly instance?: JobInstance
  /** The number of key groups of a savepoint that begins with nothing; else as it was. 128 unless told. */
  readonly maxParallelism?: number
}

/** What a savepoint is made from: a checkpoint that is there, or a part of its making. */
export interface Base {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  readonly body: CheckpointBody
  readonly job: JobName
  readonly heldBytesMax: number
  readRows(visit: (chunk: RowChunk) => Promise<void>, isUnwanted?: Unwanted): Promise<void>
}
