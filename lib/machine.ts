import type { option, taskEither } from 'fp-ts'
import type { Cancel, Clock } from './clock.js'
import type { DriftMember } from './driftGroup.js'
import type { DropCount, DropReason } from './droppedRecords.js'
import type { JobEvent } from './events.js'
import type { CheckpointId } from './identity.js'
import type { InstanceShare } from './instanceShare.js'
import type { Json } from './json.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from './ports/transactionalSink.js'
import type { SideOutput } from './sideOutput.js'
import type { EntryTable } from './state/entryTable.js'
import type { RowTableOptions } from './state/rowStore.js'
import type { NamespacedOptions, RowTable } from './state/rowTable.js'

/** Takes records. A machine is one, and what it writes to is one: the first machine of a chain calls the second directly. */
export interface Receiver<T> {
  /** `input` counts from 0; an operator with one input need not look at it. */
  processRecord(value: T, timestamp: number | undefined, key: unknown, input?: number): void
}

/**
 * An operator, without RxJS: what it does with each element, and how its state is saved and found again.
 *
 * Everything but `processRecord` is optional. Barriers, the start and the end of the stream, alignment, watermarks of several
 * inputs, acknowledgement and errors are the business of the shell around it, `operate`.
 *
 * Methods are called one at a time, never while another one of the same machine runs.
 */
export interface Machine<T> extends Receiver<T> {
  /** After state was restored and before the first record. */
  open?(): void
  /**
   * Event time has advanced. Called before the watermark goes on downstream; never with a lower one than before.
   *
   * A machine that `putsOff` answers false to leave something for the next slice: it is called again with the same watermark.
   */
  processWatermark?(timestampMs: number): boolean | void
  /** One of several inputs has ended for good; the others go on. Told again in a restored run, unless the output has ended. */
  inputEnded?(input: number): void
  /** All inputs have ended and event time stands at `Infinity`: emit what is left. */
  endOfInput?(): void
  /**
   * It may leave long work for later: where `processWatermark`, `post` or `callAt` answer false. Until that work is done, the machine
   * is called for nothing else, what comes waits at its entry, and no barrier begins.
   */
  readonly putsOff?: boolean
  /** Of an operator with `time: 'own'`: what it has said last of being idle. */
  isIdle?(): boolean
  /** State beside the rows, small, taken at the barrier. */
  snapshotState?(): Json
  /** The value that `snapshotState` once returned. Throw a `RestoreError` for what cannot be understood. */
  restoreState?(stored: Json): void
  /**
   * What several instances of the job had returned from `snapshotState`, as this instance goes on with it. Without it, they have to be
   * the same; so they have where it answers undefined.
   */
  joinStates?(states: readonly Json[], share: InstanceShare): Json | undefined
  /** The checkpoint is durable. May come late, for a newer one, or never (a crash). */
  notifyCheckpointComplete?(checkpointId: number): void
  notifyCheckpointAborted?(checkpointId: number): void
  /** The run has ended, in any way. Release what was acquired; emit nothing. */
  close?(): void
  /** A sink only: what it writes to, and the writer once the run has opened it. */
  readonly sink?: TransactionalSink<T>
  attachWriter?(writer: SinkWriter<T>): void
  /** A sink only: how many records it has written. */
  readonly written?: number
  /** A sink only: ends the current transaction at the barrier. */
  preCommit?(checkpointId: CheckpointId): taskEither.TaskEither<Error, option.Option<TransactionHandle>>
}

/** What the shell gives a machine when it is made. */
export interface MachineContext<R> {
  /** Names the operator in messages: its uid, or its path. */
  readonly uid: string
  readonly clock: Clock
  /** Whether the records of the first input have keys. */
  readonly keyed: boolean
  /** The keys that the run is there for, where other instances of the job have others. */
  readonly share: InstanceShare | undefined
  /** Whether each instance of the job has records of its own here; otherwise each has all. */
  readonly isSplit: boolean
  /** Outside production. */
  readonly development: boolean
  /** Where results go. Give each its event time and its key. */
  readonly output: Receiver<R>
  /** Where side records go; those that nobody taps are counted. */
  side<S>(output: SideOutput<S>): Receiver<S>
  /** Sends a watermark downstream; for an operator with `time: 'own'`, and before an early end. Lower ones than before are left out. */
  emitWatermark(timestampMs: number): void
  /** For an operator with `time: 'own'`. */
  emitStatus(idle: boolean): void
  /**
   * Ends the output. With `time: 'held'`: all of the input has been processed. Before the end of the input: the operator wants no
   * more of it. Send event time to `Infinity` first; then what still comes is the machine's to leave, in a restored run too.
   */
  emitEnd(): void
  /** Lets the sources pause until the returned function is called. Barriers still come. Outside a job it has no effect. */
  pause(): () => void
  /** For how long nothing was let in of the sources of this stream, whether or not they had something. Outside a job 0. */
  heldMs(): number
  /** Keeps event time together with that of other streams: a stream that runs ahead lets its sources pause. */
  driftGroup(name: string, maxDriftMs: number): DriftMember
  /** The event time of the inputs, combined; `-Infinity` before the first watermark. */
  watermark(): number
  /** Keyed state. Call it while the machine is made. */
  rows<S>(options: RowTableOptions<S> & NamespacedOptions): RowTable<S>
  /** Keyed state with many entries per key. Call it while the machine is made. */
  entries<S>(options: RowTableOptions<S>): EntryTable<S>
  /** Calls `work` between two records, soon; before the first one when it is called while opening. */
  post(work: () => boolean | void): void
  /** Calls `work` once between two records, not before `atMs`. Cancelled when the run ends; not kept in checkpoints. */
  callAt(atMs: number, work: () => boolean | void): Cancel
  /** Asked behind each step of long work: whether the rest should be left for later, so that others have their turn. */
  readonly isSliceOver: () => boolean
  /** Ends the run with an error that arose outside a call; inside one, throw it. */
  fail(error: unknown): void
  /** Where to count what is dropped for a reason: told when the run ends, and on its handle. Call it while the machine is made. */
  dropCount(reason: DropReason): DropCount
  /** Tells whoever watches the run. */
  report(event: JobEvent): void
}

/** What `operate` needs to know about an operator. */
export interface OperatorSpec<T, R> {
  /** The name of the operator function, for messages. */
  readonly name: string
  /** Names the operator's state. Without one the operator has none, or a little under a name made of its position. */
  readonly uid?: string
  /** The operator has keyed state: its input must have keys. Default no. */
  readonly keyed?: boolean
  /** Whether the output has keys: as the input (default), given by this operator, or none. */
  readonly keys?: 'kept' | 'given' | 'none'
  /**
   * Whether watermarks pass (default), or the operator makes its own, or holds everything but barriers back for a while: then it
   * lets event time, and the end of its input, go on itself.
   */
  readonly time?: 'passes' | 'own' | 'held'
  /** The operator treats its inputs differently, and the ones listed need keys. Without it, they are joined into one stream. */
  readonly connects?: readonly number[]
  /** The side outputs that it may emit: those listed, or whatever its user's functions name. */
  readonly sides?: readonly SideOutput<never>[] | 'any'
  /** Takes part in checkpoints although it has no uid: it has `snapshotState`, under a name made of its position. */
  readonly remembers?: boolean
  create(context: MachineContext<R>): Machine<T>
}
