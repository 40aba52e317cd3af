import type { CheckpointError } from './errors.js'

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
    }
  /** The checkpoint failed; the job goes on and the one before is intact. */
  | { readonly kind: 'checkpointAborted'; readonly checkpointId: number; readonly error: CheckpointError }
  /** Every sink has made its transaction of the checkpoint visible. */
  | { readonly kind: 'checkpointCommitted'; readonly checkpointId: number }
  /** A decided commit failed and is tried again. */
  | { readonly kind: 'commitRetried'; readonly checkpointId: number; readonly uid: string; readonly attempt: number; readonly error: Error }
  | { readonly kind: 'sourceEnded'; readonly uid: string }
  /** Side records that an operator emitted and nobody tapped, counted when the run ends. */
  | { readonly kind: 'sideOutputUntapped'; readonly operator: string; readonly tag: string; readonly records: number }
  /** Records that came too late for their window while no side output took them, counted when the run ends. */
  | { readonly kind: 'lateRecordsDropped'; readonly operator: string; readonly records: number }
  | { readonly kind: 'stopped'; readonly drained: boolean }
