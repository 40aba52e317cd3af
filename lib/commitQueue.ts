/**
 * The transactions of one sink, from the barrier until the sink has confirmed the commit.
 *
 * **Invariants** Every transaction that was pre-committed and is not confirmed is in every manifest (an aborted checkpoint aborts
 * no transaction). Commits run in the order of checkpoints, one after the other; one that was decided is tried again until it
 * succeeds. Nothing is committed before its checkpoint is complete.
 *
 * **Fault model** A commit may fail, succeed without an answer, or never answer; the process may die between any two steps.
 */
import { option, type taskEither } from 'fp-ts'
import type { PendingTransaction } from './checkpointBody.js'
import type { Cancel, Clock } from './clock.js'
import { hasCode, InvariantViolation, RxweirError } from './errors.js'
import type { CheckpointId, Epoch } from './identity.js'
import type { SinkWriter, TransactionHandle } from './ports/transactionalSink.js'
import { unwrap } from './task.js'

interface Transaction {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  /** What commits it, once it is durable; none when nothing was written. */
  readonly prepared: Promise<option.Option<TransactionHandle>>
  handle: option.Option<TransactionHandle> | undefined
  decided: boolean
}

export interface CommitQueueHost {
  readonly clock: Clock
  retried(checkpointId: CheckpointId, attempt: number, error: Error): void
  confirmed(): void
  fail(error: unknown): void
}

const firstRetryMs = 100
const lastRetryMs = 10_000

export class CommitQueue {
  private readonly transactions: Transaction[] = []
  /** The newest transaction that is being made durable. */
  private preparing: Promise<unknown> | undefined
  private working: Promise<void> = Promise.resolve()
  private busy = false
  private wait: { readonly cancel: Cancel; readonly end: () => void } | undefined
  private closed = false

  constructor(
    readonly uid: string,
    private readonly writer: SinkWriter<never>,
    private readonly host: CommitQueueHost,
  ) {}

  /** The sink has ended a transaction at a barrier; making it durable begins when the one before has ended, so that what failed joins it. */
  preCommitted(checkpointId: CheckpointId, epoch: Epoch, task: taskEither.TaskEither<Error, option.Option<TransactionHandle>>): void {
    const prepare = (): Promise<option.Option<TransactionHandle>> => unwrap(task)
    const prepared = this.preparing === undefined ? prepare() : this.preparing.then(prepare, prepare)
    this.preparing = prepared
    const transaction: Transaction = { checkpointId, epoch, prepared, handle: undefined, decided: false }
    prepared.then(
      (handle) => {
        transaction.handle = handle
        if (this.preparing === prepared) this.preparing = undefined
      },
      (error: unknown) => {
        // It stays in the line: who asks later whether its checkpoint is durable has to learn that it is not.
        transaction.handle = option.none
        if (this.preparing === prepared) this.preparing = undefined
        // What is no answer of the port says nothing about its records: they may be gone.
        if (!(error instanceof RxweirError) || error.code === 'SINK_FENCED' || error.details.fatal === true) this.host.fail(error)
      },
    )
    this.transactions.push(transaction)
  }

  /** Waits until all up to `id` are durable; rejects where the one of `id` is not. The sink keeps the records of one that failed. */
  async prepared(id: CheckpointId): Promise<void> {
    const failures: unknown[] = []
    for (const transaction of [...this.transactions]) {
      if (transaction.checkpointId > id) continue
      try {
        await transaction.prepared
      } catch (error) {
        if (transaction.checkpointId === id) failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Whether all up to `id` are durable by now. */
  isPrepared(id: CheckpointId): boolean {
    return this.transactions.every(({ checkpointId, handle }) => checkpointId > id || handle !== undefined)
  }

  /** What the manifest of checkpoint `id` carries for this sink. */
  pending(id: CheckpointId): PendingTransaction[] {
    return this.transactions.flatMap(({ checkpointId, epoch, handle }) =>
      checkpointId <= id && handle !== undefined && option.isSome(handle) ? [{ checkpointId, epoch, handle: handle.value }] : [],
    )
  }

  /** Checkpoint `id` is complete: its transactions, and older ones of aborted checkpoints, are to be committed. */
  decide(id: CheckpointId): void {
    for (const transaction of this.transactions) if (transaction.checkpointId <= id) transaction.decided = true
    if (!this.closed && !this.busy) this.working = this.work()
  }

  /** Whether the sink has confirmed all up to `id`. */
  isCommitted(id: CheckpointId): boolean {
    return this.transactions.every(({ checkpointId }) => checkpointId > id)
  }

  /** How many decided transactions wait for the sink's answer. */
  get unconfirmed(): number {
    return this.transactions.reduce((count, { decided }) => count + (decided ? 1 : 0), 0)
  }

  /** No more commits are begun; resolves when the one under way has settled. */
  async close(): Promise<void> {
    this.closed = true
    this.wait?.cancel()
    this.wait?.end()
    await this.working
    await Promise.allSettled(this.transactions.map(({ prepared }) => prepared))
  }

  /** Where nothing was written there is nothing to wait for, and this is over before it returns. */
  private async work(): Promise<void> {
    this.busy = true
    for (let next = this.transactions[0]; next?.decided === true && !this.closed; next = this.transactions[0]) {
      if (next.handle !== undefined && option.isSome(next.handle) && !(await this.commit(next.checkpointId, next.handle.value))) break
      this.drop(next)
      this.host.confirmed()
    }
    this.busy = false
  }

  private async commit(checkpointId: CheckpointId, handle: TransactionHandle): Promise<boolean> {
    for (let attempt = 1; !this.closed; attempt++) {
      try {
        await unwrap(this.writer.commit(handle))
        return true
      } catch (error) {
        if (
          hasCode(error, 'TRANSACTION_LOST') ||
          hasCode(error, 'SINK_FENCED') ||
          hasCode(error, 'SINK_REFUSED') ||
          error instanceof InvariantViolation ||
          (error instanceof RxweirError && error.details.permanent === true)
        ) {
          this.host.fail(error)
          return false
        }
        this.host.retried(checkpointId, attempt, error instanceof Error ? error : new Error(String(error)))
        await this.pause(Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1)))
      }
    }
    return false
  }

  private pause(ms: number): Promise<void> {
    if (this.closed) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        this.wait = undefined
        resolve()
      }
      this.wait = { cancel: this.host.clock.callAt(this.host.clock.nowMs() + ms, end), end }
    })
  }

  private drop(transaction: Transaction): void {
    const at = this.transactions.indexOf(transaction)
    if (at >= 0) this.transactions.splice(at, 1)
  }
}
