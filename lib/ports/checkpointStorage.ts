import type { option, task, taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'
import type { CheckpointId, Epoch, JobName, OperatorUid } from '../identity.js'
import type { Json } from '../json.js'
import type { Journal } from './journal.js'

/** What a storage can do, declared and not found out by trying. */
export interface StorageManifest {
  readonly name: string
  /** Completed checkpoints survive the end of the process. */
  readonly durable: boolean
  /** Writing a checkpoint costs what changed, not what is kept. */
  readonly incremental: boolean
  /** Another process that takes over is noticed at the next publish. */
  readonly fencesProcesses: boolean
  /** Where it merges what earlier checkpoints wrote, it leaves out rows that {@link ExpiredRows} names. Default no. */
  readonly leavesOutExpired?: boolean
  /** Its sessions have a journal. Default no. */
  readonly journals?: boolean
  /** Its sessions can forget all checkpoints. Default no. */
  readonly discards?: boolean
  /** A checkpoint can be written while those begun before it are not published yet. Default no. */
  readonly concurrentWriters?: boolean
}

/**
 * Some changed rows of one table of one operator, framed by `lib/state/rowFrames.ts`.
 *
 * A storage may keep chunks as they are, or open the frames and keep rows.
 */
export interface RowChunk {
  readonly uid: OperatorUid
  readonly table: string
  readonly rows: number
  readonly bytes: Uint8Array
  /** The checkpoint that wrote all of these rows, where a storage is read that can tell it. */
  readonly writtenBy?: { readonly checkpointId: CheckpointId; readonly epoch: Epoch } | undefined
}

/**
 * Rows that nobody misses in a checkpoint or in any later one: for a table, whether a row has expired, told by its value; undefined
 * for a table of which every row is kept. A storage need not know what a value is.
 */
export type ExpiredRows = (uid: string, table: string) => ((value: Uint8Array) => boolean) | undefined

/** A complete checkpoint, as it is found again. */
export interface StoredCheckpoint {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  /** What the core wrote beside the rows: offsets, handles, small states. */
  readonly body: Json
  /**
   * Visits the rows. Applying the chunks in the order given, later rows over earlier ones and deletions included, is the
   * state at the checkpoint. Every byte has been verified before the chunk is handed over. A promise that is answered is waited for.
   *
   * @param isUnwanted - tables that a storage need not read; it may hand them over all the same
   */
  readRows(visit: (chunk: RowChunk) => unknown, isUnwanted?: Unwanted): taskEither.TaskEither<BackendError, void>
}

/** Whether nobody wants the rows of a table. */
export type Unwanted = (uid: string, table: string) => boolean

/**
 * Where do completed checkpoints go, atomically, and how is the newest found again?
 *
 * **Laws** `read-your-snapshot` · `snapshot-isolation` · `crash-atomicity` · `uid-isolation` · `monotone-completion` ·
 * `reopen-equivalence` · `fencing`, of one with `concurrentWriters` `several-at-a-time`, of one that discards `discard-is-final` ·
 * `discard-is-atomic`, and the traits of a session that is closed.
 */
export interface CheckpointStorage {
  readonly manifest: StorageManifest
  /**
   * Opens the checkpoints of one job. Writes nothing.
   *
   * A second session on the same storage in one process waits until an earlier one that was closed is quiet; while the
   * earlier one is open it is refused with `BACKEND_IN_USE`.
   *
   * One that only reads can be opened beside any other. It takes nothing over: what it has found may be removed while it is read,
   * which is `BACKEND_FENCED`, and then it is found anew.
   */
  open(job: JobName, options?: StorageOpenOptions): taskEither.TaskEither<BackendError, CheckpointSession>
}

export interface StorageOpenOptions {
  /** Nothing is taken over, written or held. Default no. */
  readonly readOnly?: boolean
}

/** The storage in the hands of one run. */
export interface CheckpointSession {
  /**
   * The newest complete checkpoint. A damaged one is an error that names the file, `SNAPSHOT_CORRUPT`; it is never passed
   * over in silence.
   */
  latest(): taskEither.TaskEither<BackendError, option.Option<StoredCheckpoint>>
  /**
   * Makes this session the only writer: publishes, durably, that a higher epoch goes on from `from`. Afterwards a publish by
   * any earlier writer fails with `BACKEND_FENCED`. When someone else published since `from` was read, it fails with
   * `BACKEND_FENCED` too, and the caller reads again.
   *
   * @param above - an epoch that another storage has used for this job: the one that is answered is higher than it, too
   */
  takeOver(from: option.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch>
  /**
   * Starts to write checkpoint `id`. What it writes is not to be found before `publish` has succeeded. With `concurrentWriters`, one that
   * was begun before may be under way: this one builds on it, is published behind it, and never once that one was given up.
   */
  begin(id: CheckpointId, options?: WriterOptions): CheckpointWriter
  /** Opens the job's journal, once the session has taken over. The session closes it. */
  journal?(): taskEither.TaskEither<BackendError, Journal>
  /** The checkpoints that are kept, oldest first. */
  retained(): readonly CheckpointId[]
  /** One of the checkpoints that are kept, or none. What it needs stays until `letGo`, whatever is published meanwhile. */
  hold(id: CheckpointId): taskEither.TaskEither<BackendError, option.Option<StoredCheckpoint>>
  /** What `hold` kept from being removed may go. Idempotent. */
  letGo(id: CheckpointId): void
  /**
   * Forgets all checkpoints of the job, once the session has taken over: one atomic and durable step behind what is being published. From the call on
   * the session publishes nothing more, and whoever opens the job next finds none. Epochs go on rising, and the journal stays. After a `Left` either all checkpoints are there, or
   * none. Whoever reads one meanwhile may be told `BACKEND_FENCED`.
   */
  discard?(): taskEither.TaskEither<BackendError, void>
  /** Work in the background, compaction and deletion, that has not ended. For tests and for an orderly end. */
  idle(): task.Task<void>
  /** From this call on nothing is published. Resolves when everything that was under way has settled. Idempotent. */
  close(): task.Task<void>
}

export interface WriterOptions {
  /** The checkpoint holds what is written to it, and nothing of the last published one. Default no. */
  readonly whole?: boolean
}

/** One checkpoint on its way to the storage. */
export interface CheckpointWriter {
  /**
   * Takes rows that changed since the last *published* checkpoint, or since the one that was begun before this one and is still under way.
   * The bytes are the storage's from now on.
   */
  write(chunk: RowChunk): taskEither.TaskEither<BackendError, void>
  /**
   * Makes the checkpoint complete, in one atomic and durable step: state of the last published checkpoint, unless this one is
   * `whole`, plus what was written here. After a `Left` the checkpoint does not exist and never will, nor will any that builds on it.
   *
   * A row that is `expired` may be missing in this checkpoint and in later ones, for good: no older value of it comes back.
   */
  publish(body: Json, expired?: ExpiredRows): taskEither.TaskEither<BackendError, void>
  /** Gives up. What was written is removed when that is safe. Idempotent; never fails. */
  abort(): task.Task<void>
}
