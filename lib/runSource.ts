import type { CheckpointBarrier } from './element.js'
import type { ReplayableSource, SourceBatch, SourceOffset } from './ports/replayableSource.js'
import type { RunContext } from './run.js'

/** Where records enter the graph of a run: one offset, one or several streams behind it. */
export interface RunSource<T> {
  readonly uid: string
  readonly source: ReplayableSource<T>
  /** Everything before it has been let in. */
  offset: SourceOffset
  /** The source has said that it has no more, now or before a restart. */
  finished: boolean
  /** How many records were let in by this run. */
  readonly records: number
  /** Nobody in the graph reads it. */
  readonly unused: boolean
  start(run: RunContext): void
  /** Called when every operator has started. */
  open(): void
  /** Lets the records of a batch from `from` up to `to` in; answers where it stopped, if work was put off before all were in. */
  letIn(batch: SourceBatch<T>, from: number, to: number): number
  barrier(barrier: CheckpointBarrier): void
  /** Tells the end downstream, once: of the source, or because the job drains. */
  end(drained: boolean): void
  complete(): void
  /** The run has ended: whatever lets go now does so rightly. */
  close(): void
}
