import type { DroppedRecords } from './droppedRecords.js'
import type { CheckpointError } from './errors.js'
import type { CheckpointPhases } from './metrics.js'

/** What a job tells whoever subscribes to it. */
export type JobEvent =
  /** State, offsets and transactions of a checkpoint were restored, or there was none. */
  | {
      readonly kind: 'restored'
      readonly checkpointId: number | undefined
      readonly epoch: number
      readonly rows: number
      readonly committedAgain: number
    }
  /** The first record may flow. */
  | { readonly kind: 'started'; readonly epoch: number }
  | { readonly kind: 'checkpointStarted'; readonly checkpointId: number }
  /** The checkpoint is durable: from now on a crash recovers it. */
  | {
      readonly kind: 'checkpointCompleted'
      readonly checkpointId: number
      readonly durationMs: number
      readonly rows: number
      readonly bytes: number
      readonly phases: CheckpointPhases
    }
  /** A copy of the checkpoint is complete where it was asked for. */
  | { readonly kind: 'savepointCompleted'; readonly checkpointId: number; readonly rows: number }
  /** The checkpoint failed; the job goes on and the one before is intact. */
  | { readonly kind: 'checkpointAborted'; readonly checkpointId: number; readonly error: CheckpointError }
  /** Every sink has made its transaction of the checkpoint visible. */
  | { readonly kind: 'checkpointCommitted'; readonly checkpointId: number }
  /** A decided commit failed and is tried again. */
  | { readonly kind: 'commitRetried'; readonly checkpointId: number; readonly uid: string; readonly attempt: number; readonly error: Error }
  /** An input has been silent for long while others went on: windows and timers behind it wait. Told once per silence. */
  | { readonly kind: 'eventTimeHeldBack'; readonly path: string; readonly watermark: number; readonly forMs: number }
  | { readonly kind: 'sourceEnded'; readonly uid: string }
  /** Side records that an operator emitted and nobody tapped, counted when the run ends. */
  | { readonly kind: 'sideOutputUntapped'; readonly operator: string; readonly tag: string; readonly records: number }
  /** Records that an operator dropped for one reason, counted when the run ends; {@link JobRunHandle.droppedRecords} counts before. */
  | ({ readonly kind: 'recordsDropped' } & DroppedRecords)
  /** A run has failed, and the restart strategy is asked whether there is another one. Only the handle of a run with `restart` tells. */
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopped'; readonly drained: boolean }
