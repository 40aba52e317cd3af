import type { DroppedRecords } from './droppedRecords.js'

/** Where the time of a checkpoint went, in ms. */
export interface CheckpointPhases {
  /** The barrier passed the graph, and every operator fixed its changes. Nothing else happened meanwhile. */
  readonly barrierMs: number
  /** What had changed was encoded and handed to the storage, in slices beside the records. */
  readonly encodeMs: number
  /** Behind that, sinks were waited for that made their transactions durable. */
  readonly preCommitMs: number
  /** The storage made it complete, once the checkpoint before was. */
  readonly publishMs: number
}

/** A checkpoint that is complete. */
export interface CheckpointFigures {
  readonly checkpointId: number
  readonly durationMs: number
  readonly rows: number
  readonly bytes: number
  readonly phases: CheckpointPhases
}

export interface SourceMetrics {
  readonly uid: string
  /** Let in by this run. */
  readonly records: number
  readonly finished: boolean
  /** Nothing of it is let in for now: a sink or an operator can take no more, or it runs ahead of others. */
  readonly paused: boolean
  /** For so long of the run's `runningMs` that was so: backpressure. */
  readonly pausedMs: number
}

export interface OperatorMetrics {
  readonly uid: string
  /** `-Infinity` before the first watermark, `Infinity` at the end of the input. */
  readonly watermark: number
  /** How far event time is behind the clock; undefined where there is none, or no end. */
  readonly watermarkLagMs: number | undefined
  /** The rows of its states, by table. */
  readonly rows: { readonly [table: string]: number }
  readonly dropped: readonly DroppedRecords[]
}

export interface SinkMetrics {
  readonly uid: string
  /** Written in this run; visible when the checkpoint behind them is complete. */
  readonly records: number
  /** Transactions that are decided or under way, and not confirmed. */
  readonly unconfirmedCommits: number
  /** It takes no more for now, so that the sources wait. */
  readonly full: boolean
}

/** Where a run stands. All counts are of this run. */
export interface RunMetrics {
  readonly job: string
  /** Since its first record could be let in, up to now or to its end. */
  readonly runningMs: number
  readonly sources: readonly SourceMetrics[]
  readonly operators: readonly OperatorMetrics[]
  readonly sinks: readonly SinkMetrics[]
  readonly checkpoints: {
    readonly completed: number
    readonly failed: number
    readonly last: CheckpointFigures | undefined
  }
}
