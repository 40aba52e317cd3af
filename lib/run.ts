import type { option, taskEither } from 'fp-ts'
import type { BarrierRules } from './barrierRules.js'
import type { Clock } from './clock.js'
import type { DriftGroup } from './driftGroup.js'
import type { DroppedRecords } from './droppedRecords.js'
import type { JobEvent } from './events.js'
import type { OperatorTime } from './eventTime.js'
import type { CheckpointId } from './identity.js'
import type { InstanceShare } from './instanceShare.js'
import type { Json } from './json.js'
import type { Limits } from './limits.js'
import type { RowChunk } from './ports/checkpointStorage.js'
import type { StateTables } from './ports/stateBackend.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from './ports/transactionalSink.js'
import type { StateQuery } from './query.js'
import type { Redistribution } from './restore/redistribution.js'
import type { Slices } from './slices.js'
import type { RowAddress, RowCapture } from './state/rowStore.js'
import type { StateCodec } from './stateCodec.js'

/**
 * The run that a stream belongs to, as operators see it. It comes down the stream in the first element.
 *
 * A *local* run has no coordinator: a pipeline over `records()` outside a job. It takes no checkpoints.
 */
export interface RunContext {
  readonly kind: 'local' | 'job'
  readonly clock: Clock
  readonly limits: Limits
  /** How long work is put off; without it it is done at once. */
  readonly slices?: Slices | undefined
  /** Where live rows stay. */
  readonly state: StateTables
  /** The keys that the run is there for; all, unless told. */
  readonly share?: InstanceShare
  /** How barriers that do not arrive together are dealt with; aligned, unless told. */
  readonly barriers?: BarrierRules
  /** Outside production: values are frozen and captures are compared. */
  readonly development: boolean
  /**
   * Makes an operator a participant of every checkpoint. Answers its uid: the one given, or for a derived one (an operator
   * without a uid that still has a little state) the path, made unique.
   */
  register(participant: Participant): string
  /** The snapshot of `uid` at the barrier; its bytes follow. */
  acknowledge(checkpointId: CheckpointId, uid: string, snapshot: Snapshot): void
  /** `uid` cannot take its snapshot. The checkpoint aborts. */
  decline(checkpointId: CheckpointId, uid: string, cause: unknown): void
  /** Gives up a checkpoint for a reason that is nobody's state. */
  abort(checkpointId: CheckpointId, cause: Error): void
  /** Ends the run with an error. */
  fail(error: unknown): void
  /**
   * Only the last checkpoint is still to come. Operators begin nothing of their own any more, timers and answers included: behind its
   * barrier it would happen here, and again where somebody goes on from the checkpoint.
   */
  readonly isEnding?: boolean
  /** Calls `work` between two records, soon. */
  post(work: () => void): void
  /** For how long the sources named, or all, were kept waiting at the same time; in no run without sources. */
  heldMs?(sources?: readonly string[]): number
  /** Lets the sources named, or all, pause until the returned function is called. */
  pause(sources?: readonly string[]): () => void
  /** The streams of this run that keep their event times together under a name. */
  driftGroup(name: string): DriftGroup
  /** Tells whoever watches the run. */
  report(event: JobEvent): void
}

/** One operator in the checkpoints of a run. Participants register at the start, and they stay. */
export interface Participant {
  readonly uid: string
  /** A derived uid comes from the position; its state is a convenience that may be missing. */
  readonly derived: boolean
  readonly kind: 'operator' | 'sink'
  /** Takes state over from a checkpoint. Not called on a first start. */
  restore(stored: StoredSnapshot): void
  /** The state that one of its tables holds, and its codec; undefined for a table that it does not have. */
  stateIn(table: string): { readonly state: string; readonly codec: StateCodec<unknown> } | undefined
  /** Takes rows of one of its tables over. */
  restoreRows(chunk: RowChunk): void
  /** Tables with a restored entry whose name does not fit, and why. Without a start; `open` refuses it. */
  misfits(): readonly { readonly table: string; readonly error: unknown }[]
  /** After restore, before the first record. */
  open(): void
  /** An aborted checkpoint: release what is held back for it, keep what was captured for the next one. */
  checkpointAborted(checkpointId: CheckpointId): void
  checkpointCompleted(checkpointId: CheckpointId): void
  /** It stands behind a `keyBy`: of several instances of the job each has other records. */
  readonly isSplit: boolean
  /** What becomes of the rows of a table in another number of instances. */
  redistribution(table: string): Redistribution
  /** Puts together what instances had beside their rows; undefined where that cannot be done. */
  joinStates(states: readonly Json[], share: InstanceShare): Json | undefined
  eventTime(): OperatorTime
  /** A look into one of its states; undefined where it has none of that name. */
  query(state: string): StateQuery | undefined
  /** How checkpoints have one of its states; undefined where it has none of that name. */
  storedState(state: string): StoredState | undefined
  /** How many rows each of its tables has. */
  rowCounts(): { readonly [table: string]: number }
  droppedRecords(): readonly DroppedRecords[]
  /** A sink only. */
  readonly sink?: SinkParticipant | undefined
}

/** How rows of one state are read that a checkpoint of the run has. */
export interface StoredState {
  readonly table: string
  /** Whose a row is, told by its key as it is stored. */
  address(keyBytes: Uint8Array): RowAddress
  /** What a row holds, told by its cells; undefined where these are of other states. */
  read(cells: Uint8Array): { readonly value: unknown } | undefined
}

export interface SinkParticipant {
  readonly target: TransactionalSink<never>
  attach(writer: SinkWriter<never>): void
  /** How many records were written in this run. */
  readonly records: number
}

/** What an operator hands over at a barrier. Everything in it is fixed at that moment; encoding follows in slices. */
export interface Snapshot {
  readonly meta: Json
  /** It has records in flight: they belong to the checkpoint, so that the operator may not be missing at a restore. */
  readonly inFlight?: boolean
  readonly tables: readonly RowCapture[]
  /** A sink only: makes the transaction durable and yields what commits it. */
  readonly transaction?: taskEither.TaskEither<Error, option.Option<TransactionHandle>> | undefined
}

/** What was stored of one operator beside its rows. */
export interface StoredSnapshot {
  readonly meta: Json
}
