import type { option, task, taskEither } from 'fp-ts'
import type { Clock } from '../clock.js'
import type { RestoreError, SinkError } from '../errors.js'
import type { CheckpointId, Epoch, JobName, OperatorUid } from '../identity.js'
import type { Json } from '../json.js'

/** Names a pre-committed transaction, so that it can be committed after a restart. Kept in the checkpoint. */
export type TransactionHandle = Json

/** The newest transaction that the sink itself remembers as committed. */
export interface CommittedUpTo {
  readonly epoch: Epoch
  readonly checkpointId: CheckpointId
}

/**
 * Write, pre-commit, commit, abort: nothing is visible before its commit, and a commit survives a restart.
 *
 * **Laws** `commit-idempotent` · `uncommitted-invisible` · `abort-leaves-no-trace` · `commit-survives-reopen` · `sink-remembers`
 */
export interface TransactionalSink<in T> {
  readonly commits: 'transactional'
  /**
   * It cannot tell what it has committed (a callback, somebody who listens), and a commit that comes again is seen. So a run that ends
   * well takes one more checkpoint behind its last commit, which no longer names it. Default no.
   */
  readonly forgets?: boolean
  /** Takes the target over for one run. Makes nothing visible. Refuses a target that belongs to another job or uid. */
  open(context: SinkContext): taskEither.TaskEither<SinkError | RestoreError, SinkWriter<T>>
}

export interface SinkContext {
  readonly job: JobName
  readonly uid: OperatorUid
  readonly epoch: Epoch
  readonly clock: Clock
  /** Asks for a checkpoint soon: for a sink that is full and can let go of what it has behind a checkpoint only. It may fail. */
  readonly askCheckpoint?: () => void
}

/**
 * A sink in the hands of one run. The calls come in this order: `committedUpTo`, `commit` for each handle of the restored
 * checkpoint, `abortOthers`, then `write`, `preCommit` and `commit` as the run goes, `close`.
 */
export interface SinkWriter<in T> {
  committedUpTo(): taskEither.TaskEither<SinkError, option.Option<CommittedUpTo>>
  /** Removes every transaction of this job and uid that is not committed. What it removes no restored checkpoint names. */
  abortOthers(): taskEither.TaskEither<SinkError, void>
  /** Adds a record to the current transaction. Synchronous; throws a `SinkError` for what it cannot write. */
  write(value: T, timestamp: number | undefined, key: unknown): void
  /** All input has ended: the transaction that the next barrier ends is to leave nothing behind that only a later one would make visible. */
  endOfInput?(): void
  /** While this is true the run pauses its sources. Barriers and the end of input arrive all the same. */
  full(): boolean
  /** Resolves when `full` has become false, or when the writer failed. */
  drained(): Promise<void>
  /**
   * Called at the barrier. Synchronously ends the current transaction and begins the next; the task then makes everything
   * written durable and yields the handle that commits it, or none when there is nothing to keep. Tasks run one after the other; what is
   * to go on while earlier ones run begins in the call. The call may come before the task of the checkpoint before has ended. After
   * a `Left` the records stay with the sink and belong to its next transaction; where it cannot keep them, `details.fatal` says so.
   */
  preCommit(checkpointId: CheckpointId): taskEither.TaskEither<SinkError, option.Option<TransactionHandle>>
  /** Makes a pre-committed transaction visible, durably. A second call, and a call after a restart, does nothing more. */
  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void>
  /** Releases everything. Pre-committed transactions stay as they are. Idempotent. */
  close(): task.Task<void>
}
