import { taskEither as TE } from 'fp-ts'
import { ConfigurationError, SinkError } from '../../lib/errors.js'
import type { SinkContext, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { sinkFailure } from '../../lib/sinkFailure.js'
import { type ConnectionOptions, connectingOf } from './connection.js'
import { LedgerWriter } from './ledgerWriter.js'
import { Link } from './link.js'
import { type PostgresStorage, sessionOf } from './postgresStorage.js'
import { SharedWriter } from './sharedWriter.js'
import { type SinkLimitOptions, sinkLimits } from './sinkLimits.js'
import { isRefusal } from './sqlState.js'
import { TableInsert, type TableOptions } from './tableInsert.js'
import { makeTables, tablesFound, tablesIn } from './tables.js'

/** A table in the database of the job's storage. */
export interface SharingSinkOptions<T> extends TableOptions<T>, SinkLimitOptions {
  /** The storage of the job. */
  readonly storage: PostgresStorage
}

/** A table in any database. */
export interface LedgerSinkOptions<T> extends TableOptions<T>, SinkLimitOptions, ConnectionOptions {
  /** The schema of the ledger. Default `rxweir`. */
  readonly schema?: string
  /** Makes the ledger where it is missing; otherwise somebody runs what `postgresTables()` returns. Default true. */
  readonly createTables?: boolean
}

/**
 * Inserts records into a table of a Postgres database, each exactly once.
 *
 * With `storage` records are inserted in the very transaction that publishes their checkpoint: state and results are never seen apart.
 * With `connection` the table may be in any database: the checkpoint carries the records, and when it is complete they are inserted in
 * one transaction with a row of a ledger, which says that they are there when they come again. Neither needs a prepared transaction.
 *
 * Names are quoted, and records are parameters. What the server refuses (a type, a constraint, a right) ends the run; a connection that
 * ends is made anew, and where it ended behind a COMMIT, the ledger tells the outcome. To change from one kind to the other, give the
 * sink a new uid.
 *
 * **When to use** for results that other programs read with SQL.
 * **State** the records that are not committed, up to `recordsMax` and `charactersMax`: with `storage` in memory, else in the checkpoint.
 * **Laws** commit-idempotent · uncommitted-invisible · abort-leaves-no-trace · commit-survives-reopen · sink-remembers
 *
 * @throws ConfigurationError `OPTION_INVALID` for what is no name or out of its range, and when `storage` is not that of the job
 * @throws SinkError `SINK_REFUSED` for what the server does not take; `SINK_FENCED` when a newer run has taken over
 * @throws StreamError `VALUE_NOT_ENCODABLE` at a record that is no JSON, or has a column that is not named
 * @example Totals, of which the newest of each customer stays
 * ```ts
 * const storage = postgresStorage({ connection: 'postgres://worker@db.example.org/shop' })
 * const totals = postgresSink<{ customer: string; total: number }>({
 *   storage,
 *   table: 'totals',
 *   columns: ['customer', 'total'],
 *   onConflict: { columns: ['customer'], action: 'update' },
 * })
 * totals.commits // => 'transactional'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function postgresSink<T = unknown>(options: SharingSinkOptions<T> | LedgerSinkOptions<T>): TransactionalSink<T> {
  const insert = new TableInsert<T>(options)
  const limits = sinkLimits(options)
  const openAs = (open: (context: SinkContext) => Promise<SinkWriter<T>>): TransactionalSink<T> => ({
    commits: 'transactional',
    open: (context) =>
      TE.tryCatch(
        () => open(context),
        (cause) => sinkFailure(openFailure(insert.failure(cause, context.uid), context.uid), context.uid),
      ),
  })

  if ('storage' in options) {
    const { storage } = options
    const tables = tablesIn(storage.schema)
    return openAs(async (context) => {
      const session = sessionOf(storage, context.job)
      if (session?.epoch !== context.epoch)
        throw new ConfigurationError('OPTION_INVALID', { option: 'storage', uid: context.uid, expected: 'the storage of the job' })
      return new SharedWriter(session, tables, insert, context, limits)
    })
  }

  const { schema = 'rxweir', createTables = true } = options
  const tables = tablesIn(schema)
  connectingOf(options, '')
  return openAs(async (context) => {
    const { job, uid, clock } = context
    const link = new Link(connectingOf(options, `rxweir ${job} ${uid}`), clock)
    try {
      const there = await link.again((sql) => tablesFound(sql, tables))
      if (!there && !createTables) throw new SinkError('SINK_REFUSED', { uid, schema, reason: 'there is no ledger' })
      if (!there) await link.transaction((sql) => makeTables(sql, tables))
      const writer = new LedgerWriter(link, tables, insert, context, limits)
      await writer.claim()
      return writer
    } catch (error) {
      await link.close()
      throw error
    }
  })
}

const openFailure = (error: unknown, uid: string): unknown => (isRefusal(error) ? new SinkError('SINK_REFUSED', { uid }, { cause: error }) : error)
