/**
 * Writes records into a table of a database that knows nothing of the checkpoints.
 *
 * **Invariants** A transaction's records are in its handle until they are in the table. They go there in one transaction with a row of the
 * ledger, which is there once: what comes again finds it and writes nothing. A run that was taken over from writes nothing any more.
 *
 * **Fault model** The connection may end at any moment. When it ended behind a COMMIT, the same is done again: it waits until the server
 * knows how the first one went, and finds its row, or not.
 */
import { type option, taskEither as TE, type task, type taskEither } from 'fp-ts'
import { carriedTransaction } from '../../lib/carriedHandle.js'
import { CarriedWriter } from '../../lib/carriedWriter.js'
import type { Delivery } from '../../lib/delivery.js'
import { SinkError } from '../../lib/errors.js'
import { type CheckpointId, checkpointId, epoch } from '../../lib/identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { sinkFailure } from '../../lib/sinkFailure.js'
import { Ledger } from './ledger.js'
import type { Link, Sql } from './link.js'
import type { SinkLimits } from './sinkLimits.js'
import type { TableInsert } from './tableInsert.js'
import type { Tables } from './tables.js'

export class LedgerWriter<T> implements SinkWriter<T> {
  readonly #carried: CarriedWriter<T, string>
  readonly #ledger: Ledger
  /** What an earlier run left and no checkpoint decided is gone for good. */
  #aborted = false

  constructor(
    private readonly link: Link,
    private readonly tables: Tables,
    private readonly insert: TableInsert<T>,
    private readonly context: SinkContext,
    limits: SinkLimits,
  ) {
    const { job, uid } = context
    this.#ledger = new Ledger(tables, job, uid)
    const form = { version: 1, toText: (value: T) => insert.toText(value, { uid }), fromText: (text: string) => text }
    this.#carried = new CarriedWriter({ ...limits, prefix: '', committedUpTo: undefined, form }, context, {
      deliver: (deliveries, confirmed) => this.#deliver(deliveries, confirmed),
    })
  }

  /** Makes this run the only one that writes. */
  async claim(): Promise<void> {
    const { job, uid, epoch } = this.context
    const { sinks } = this.tables
    await this.link.again(async (sql) => {
      const { rowCount } = await sql.query(
        `INSERT INTO ${sinks} AS old (job, uid, epoch) VALUES ($1, $2, $3)
        ON CONFLICT (job, uid) DO UPDATE SET epoch = excluded.epoch WHERE old.epoch <= excluded.epoch`,
        [job, uid, epoch],
      )
      if (rowCount !== 1) throw new SinkError('SINK_FENCED', { uid, epoch })
    })
  }

  committedUpTo(): taskEither.TaskEither<SinkError, option.Option<CommittedUpTo>> {
    return this.#task(() => this.link.again((sql) => this.#ledger.newest(sql)))
  }

  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return this.#task(async () => {
      this.#aborted = true
    })
  }

  write(value: T): void {
    this.#carried.write(value)
  }

  full(): boolean {
    return this.#carried.full()
  }

  drained(): Promise<void> {
    return this.#carried.drained()
  }

  preCommit(id: CheckpointId): taskEither.TaskEither<SinkError, option.Option<TransactionHandle>> {
    return this.#carried.preCommit(id)
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return TE.chain(() => this.#carried.commit(handle))(this.#task(() => this.#requireKnown(handle)))
  }

  close(): task.Task<void> {
    return async () => {
      await this.#carried.close()()
      await this.link.close()
    }
  }

  /** All of it or nothing: a transaction that comes again comes from its beginning. */
  async #deliver(deliveries: readonly Delivery<string>[], confirmed: (count: number) => void): Promise<void> {
    const [first] = deliveries
    if (first === undefined) return
    try {
      await this.link.transaction((sql) => this.#write(sql, first, deliveries))
    } catch (error) {
      throw this.insert.failure(error, this.context.uid)
    }
    confirmed(deliveries.length)
  }

  async #write(sql: Sql, first: Delivery<string>, deliveries: readonly Delivery<string>[]): Promise<void> {
    const { job, uid } = this.context
    const { rows } = await sql.query(`SELECT epoch FROM ${this.tables.sinks} WHERE job = $1 AND uid = $2 FOR UPDATE`, [job, uid])
    const found = Number((rows[0] as { readonly epoch: string } | undefined)?.epoch)
    if (found !== this.context.epoch) throw new SinkError('SINK_FENCED', { uid, epoch: this.context.epoch, found })
    const transaction = { epoch: epoch(first.epoch), checkpointId: checkpointId(first.checkpointId) }
    if (!(await this.#ledger.note(sql, transaction))) return
    await this.insert.insert(
      sql,
      deliveries.map(({ value }) => value),
    )
  }

  async #requireKnown(handle: TransactionHandle): Promise<void> {
    const { uid } = this.context
    const transaction = carriedTransaction(handle, { uid })
    if (!this.#aborted || transaction.epoch >= this.context.epoch) return
    if (await this.link.again((sql) => this.#ledger.has(sql, transaction))) return
    const { epoch, checkpointId } = transaction
    throw new SinkError('TRANSACTION_LOST', { uid, epoch, checkpointId, reason: 'an earlier run has left it undecided' })
  }

  #task<A>(work: () => Promise<A>): taskEither.TaskEither<SinkError, A> {
    return TE.tryCatch(work, (cause) => sinkFailure(this.insert.failure(cause, this.context.uid), this.context.uid))
  }
}
