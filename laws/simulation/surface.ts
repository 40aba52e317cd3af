import type { Json } from '../../lib/json.js'
import type { CheckpointStorage, RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import type { Chance } from '../crashFsChoices.js'
import type { Life } from './life.js'

/** A committed record, as it is compared. */
export interface Seen {
  /** Records of one key have an order. */
  readonly key: string
  readonly text: string
}

/** A checkpoint as it is kept. */
export interface Kept {
  readonly body: Json
  readonly chunks: readonly RowChunk[]
}

/** What outlives processes: a storage and the targets of sinks. */
export interface Surface {
  /** The storage as a new process opens it. */
  storage(life: Life): CheckpointStorage
  /** A sink as a new process opens it. */
  sink(uid: string, life: Life): TransactionalSink<unknown>
  /** What a reader of committed records sees at this instant, in order. */
  committed(uid: string): readonly Seen[]
  /** A process dies at this instant, and maybe with it what was not made durable. */
  died(how: 'kill' | 'powerCut', random: Chance): void
  /** What is left behind that nobody needs any more: pending transactions, temporary files. */
  leftovers(): readonly string[]
  /** The newest complete checkpoint, if it can be looked at. */
  newest?(): Kept | undefined
}

export type SurfaceFactory = (seed: number, retained: number) => Surface
