import { option as O, taskEither as TE } from 'fp-ts'
import { invariant, SinkError } from '../../lib/errors.js'
import type { CheckpointId, Epoch } from '../../lib/identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'

/** One transaction, as a whole. */
export interface MemoryTransaction<out T> {
  readonly epoch: Epoch
  readonly checkpointId: CheckpointId
  readonly values: readonly T[]
}

export interface MemorySink<T> extends TransactionalSink<T> {
  /** The values of all committed transactions, in the order of their commits. */
  readonly committed: readonly T[]
  readonly transactions: readonly MemoryTransaction<T>[]
  /** Pre-committed, neither committed nor aborted. */
  readonly pending: readonly MemoryTransaction<T>[]
}

/**
 * Keeps committed records in memory.
 *
 * It outlives its runs: hand the same object to every run, and it remembers what the runs before have committed. It is strict
 * about the order of calls, so that it catches a caller that is not.
 *
 * **When to use** in tests, and for results that the program itself looks at.
 * **Laws** commit-idempotent · uncommitted-invisible · abort-leaves-no-trace · commit-survives-reopen · sink-remembers
 *
 * @throws SinkError `SINK_SHARED` when another job or uid has opened it before, `SINK_FENCED` when a newer run has,
 * `TRANSACTION_LOST` when it never saw the transaction that it is told to commit, or has aborted it
 * @category sources and sinks
 * @since 0.1.0
 */
export function memorySink<T = unknown>(): MemorySink<T> {
  const store = new SinkMemory<T>()
  return {
    commits: 'transactional',
    open: (context) => TE.tryCatch(async () => store.opened(context), asSinkError),
    get committed() {
      return store.values
    },
    get transactions() {
      return [...store.committed.values()]
    },
    get pending() {
      return [...store.pending.values()]
    },
  }
}

/** What outlives the runs. */
class SinkMemory<T> {
  readonly pending = new Map<string, MemoryTransaction<T>>()
  readonly committed = new Map<string, MemoryTransaction<T>>()
  readonly values: T[] = []
  newest: CommittedUpTo | undefined
  epoch = 0
  #owner: string | undefined

  opened(context: SinkContext): SinkWriter<T> {
    const owner = `${context.job}@${context.uid}`
    this.#owner ??= owner
    if (this.#owner !== owner) throw new SinkError('SINK_SHARED', { found: this.#owner, expected: owner })
    if (this.epoch > context.epoch) throw new SinkError('SINK_FENCED', { epoch: context.epoch, found: this.epoch })
    this.epoch = context.epoch
    return new MemoryWriter(this, context)
  }

  commit(key: string): void {
    if (this.committed.has(key)) return
    const transaction = this.pending.get(key)
    if (transaction === undefined) throw new SinkError('TRANSACTION_LOST', { transaction: key })
    const { epoch, checkpointId } = transaction
    invariant(this.newest === undefined || later(transaction, this.newest), 'transactions are committed in the order of their checkpoints')
    this.pending.delete(key)
    this.committed.set(key, transaction)
    for (const value of transaction.values) this.values.push(value)
    this.newest = { epoch, checkpointId }
  }
}

const later = (a: CommittedUpTo, b: CommittedUpTo): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.checkpointId > b.checkpointId)

class MemoryWriter<T> implements SinkWriter<T> {
  #values: T[] = []
  #last: CheckpointId | undefined
  /** Nothing is aborted any more once this run has made something of its own. */
  #writing = false
  #closed = false

  constructor(
    readonly store: SinkMemory<T>,
    readonly context: SinkContext,
  ) {}

  committedUpTo() {
    return this.#task(() => O.fromNullable(this.store.newest))
  }

  abortOthers() {
    return this.#task(() => {
      invariant(!this.#writing, 'other transactions are aborted before the first record is written')
      for (const [key, { epoch }] of this.store.pending) if (epoch <= this.context.epoch) this.store.pending.delete(key)
    })
  }

  write(value: T): void {
    this.#mayCall()
    this.#writing = true
    this.#values.push(value)
  }

  full(): boolean {
    return false
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  preCommit(checkpointId: CheckpointId) {
    invariant(this.#last === undefined || checkpointId > this.#last, 'checkpoint ids increase along a run')
    this.#last = checkpointId
    this.#writing = true
    const values = this.#values
    this.#values = []
    const { epoch } = this.context
    return this.#task((): O.Option<TransactionHandle> => {
      if (values.length === 0) return O.none
      const key = `${epoch}-${checkpointId}`
      this.store.pending.set(key, { epoch, checkpointId, values })
      return O.some(key)
    })
  }

  commit(handle: TransactionHandle) {
    return this.#task(() => {
      if (typeof handle !== 'string') throw new SinkError('TRANSACTION_LOST', { reason: 'the handle is not one of this sink' })
      this.store.commit(handle)
    })
  }

  close() {
    return async () => {
      this.#closed = true
    }
  }

  #mayCall(): void {
    if (this.#closed) throw new SinkError('SINK_IO', { uid: this.context.uid, reason: 'the writer was closed' })
    if (this.store.epoch > this.context.epoch)
      throw new SinkError('SINK_FENCED', { uid: this.context.uid, epoch: this.context.epoch, found: this.store.epoch })
  }

  #task<A>(work: () => A): TE.TaskEither<SinkError, A> {
    return TE.tryCatch(async () => {
      this.#mayCall()
      return work()
    }, asSinkError)
  }
}

/** Nothing but our own errors can come out of memory: anything else is a mistake and stays a rejection. */
function asSinkError(cause: unknown): SinkError {
  if (cause instanceof SinkError) return cause
  throw cause
}
