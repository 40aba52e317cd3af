/**
 * Writes records into a table of the database that the checkpoints are in, in the transactions that publish them.
 *
 * **Invariants** The records of a transaction are in memory from its barrier until a checkpoint behind it is published: that writes them,
 * and those of aborted checkpoints before it, with their rows of the ledger. So a checkpoint is there if and only if the records before
 * it are, and a handle that a restored checkpoint names is committed. What was not published died with its run, and is read again.
 */
import { option as O, taskEither as TE, type task, type taskEither } from 'fp-ts'
import { carriedTransaction } from '../../lib/carriedHandle.js'
import { CarriedWriter } from '../../lib/carriedWriter.js'
import { invariant, SinkError } from '../../lib/errors.js'
import type { CheckpointId } from '../../lib/identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { sinkFailure } from '../../lib/sinkFailure.js'
import { Ledger } from './ledger.js'
import type { Sql } from './link.js'
import type { Companion, PostgresSession } from './postgresSession.js'
import { sharedHandle, sharedTransaction } from './sharedHandle.js'
import type { SinkLimits } from './sinkLimits.js'
import type { TableInsert } from './tableInsert.js'
import type { Tables } from './tables.js'

/** A transaction of this run. */
interface Pending {
  readonly checkpointId: CheckpointId
  readonly texts: readonly string[]
  /** What the writer that counts the records knows it by. */
  readonly counted: TransactionHandle
  published: boolean
}

export class SharedWriter<T> implements SinkWriter<T>, Companion {
  readonly #counting: CarriedWriter<T, string>
  readonly #ledger: Ledger
  /** Until they are committed, in the order of their checkpoints. */
  readonly #pending = new Map<CheckpointId, Pending>()
  readonly #leave: () => void

  constructor(
    private readonly session: PostgresSession,
    tables: Tables,
    private readonly insert: TableInsert<T>,
    private readonly context: SinkContext,
    limits: SinkLimits,
  ) {
    const { job, uid } = context
    this.#ledger = new Ledger(tables, job, uid)
    const form = { version: 1, toText: (value: T) => insert.toText(value, { uid }), fromText: (text: string) => text }
    // When a transaction is committed, its records have been where they belong since it was published.
    this.#counting = new CarriedWriter({ ...limits, prefix: '', committedUpTo: undefined, form }, context, {
      deliver: async (deliveries, confirmed) => confirmed(deliveries.length),
    })
    this.#leave = session.join(this)
  }

  /** In the transaction of checkpoint `id`. */
  async writeUpTo(sql: Sql, id: CheckpointId): Promise<() => void> {
    const { uid, epoch } = this.context
    const written = [...this.#pending.values()].filter(({ checkpointId, published }) => checkpointId <= id && !published)
    try {
      for (const { checkpointId, texts } of written) {
        invariant(await this.#ledger.note(sql, { epoch, checkpointId }), 'a transaction that was not published is not in the ledger')
        await this.insert.insert(sql, texts)
      }
    } catch (error) {
      throw this.insert.failure(error, uid)
    }
    return () => {
      for (const pending of written) pending.published = true
    }
  }

  committedUpTo(): taskEither.TaskEither<SinkError, O.Option<CommittedUpTo>> {
    return this.#task(() => this.session.read((sql) => this.#ledger.newest(sql)))
  }

  /** There is nothing to remove: what was not published is nowhere. */
  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => undefined)
  }

  write(value: T): void {
    this.#counting.write(value)
  }

  full(): boolean {
    return this.#counting.full()
  }

  drained(): Promise<void> {
    return this.#counting.drained()
  }

  preCommit(checkpointId: CheckpointId): taskEither.TaskEither<SinkError, O.Option<TransactionHandle>> {
    const { epoch, uid } = this.context
    return TE.map(
      O.map((counted: TransactionHandle) => {
        const { texts } = carriedTransaction(counted, { uid })
        this.#pending.set(checkpointId, { checkpointId, texts, counted, published: false })
        return sharedHandle({ epoch, checkpointId })
      }),
    )(this.#counting.preCommit(checkpointId))
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => {
      const { uid } = this.context
      const { epoch, checkpointId } = sharedTransaction(handle, { uid })
      const pending = epoch === this.context.epoch ? this.#pending.get(checkpointId) : undefined
      if (pending?.published !== true && !(await this.session.read((sql) => this.#ledger.has(sql, { epoch, checkpointId }))))
        throw new SinkError('TRANSACTION_LOST', { uid, epoch, checkpointId, reason: 'no checkpoint of this database was published with it' })
      if (pending === undefined) return
      const counted = await this.#counting.commit(pending.counted)()
      if (counted._tag === 'Left') throw counted.left
      this.#pending.delete(checkpointId)
    })
  }

  close(): task.Task<void> {
    return async () => {
      this.#leave()
      await this.#counting.close()()
    }
  }

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SinkError, A> {
    return TE.tryCatch(work, (cause) => sinkFailure(this.insert.failure(cause, this.context.uid), this.context.uid))
  }
}
