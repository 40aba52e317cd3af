import type { JobEvent } from '../../lib/events.js'
import type { WatermarkExplanation } from '../../lib/eventTime.js'
import type { RunMetrics } from '../../lib/metrics.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { CheckpointQuery, StateQuery } from '../../lib/query.js'

/** What is served: the handle that `job.run()` answers. */
export interface ServedRun {
  readonly events$: { subscribe(observer: { next(event: JobEvent): void; error(error: unknown): void }): { unsubscribe(): void } }
  metrics(): RunMetrics
  explainWatermark(): WatermarkExplanation
  query(uid: string, state: string): StateQuery
  query(uid: string, state: string, options: { readonly as: 'checkpoint' }): Promise<CheckpointQuery>
  checkpoint(): Promise<number>
  savepoint(target: CheckpointStorage): Promise<number>
}
