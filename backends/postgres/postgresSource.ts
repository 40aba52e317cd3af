import { option as O, taskEither as TE } from 'fp-ts'
import { type CodecOf, decodeWith } from '../../lib/codec.js'
import { RestoreError, SourceError } from '../../lib/errors.js'
import { atLeast } from '../../lib/limits.js'
import type { DeadLetter, ReplayableSource, SourceContext, SourceFailure, SourceOffset, SourceReader } from '../../lib/ports/replayableSource.js'
import type { SideOutput } from '../../lib/sideOutput.js'
import { type ConnectionOptions, connectingOf } from './connection.js'
import { Link } from './link.js'
import type { TableName } from './names.js'
import { type RowOrder, RowStatements } from './rowOrder.js'
import { TableReader } from './tableReader.js'

export interface PostgresSourceOptions<T> extends ConnectionOptions {
  readonly table: TableName
  /** An io-ts type, a Standard Schema or a codec; it decodes an object of the columns, as `pg` reads them: a bigint is a text there. */
  readonly codec: CodecOf<T>
  /** The columns that are read. Default: all. */
  readonly columns?: readonly string[]
  /**
   * The columns that say where a row stands. Default `{ xid: 'xid', id: 'id' }`. With `{ id }` alone rows are read in the order of their
   * ids, and one that becomes visible late, behind a higher one, is missed: for tables where that cannot happen.
   */
  readonly order?: RowOrder
  /** Goes on when everything is read, with rows that come. Otherwise it ends behind what was committed when it was opened. Default false. */
  readonly follow?: boolean
  /** Time before it asks again when there was nothing. Default 1,000. */
  readonly pollMs?: number
  /** Removes rows that no checkpoint needs any more, as of an outbox; the newest of them stays. Default false. */
  readonly deleteRead?: boolean
  /** Takes rows that cannot be decoded; without it such a row ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter>
  /** What to do when the row that was read last is gone: fail, or start over with the oldest row. Default `'fail'`. */
  readonly onOffsetGone?: 'fail' | 'earliest'
}

/**
 * Reads a table that rows are only added to: a log, or an outbox.
 *
 * Ids of rows are drawn before their transactions commit, so a row may become visible behind one with a higher id. Reading by id would
 * pass over it. So the table has a column that says which transaction inserted a row, and a row is read when every transaction that
 * began before its own has ended:
 *
 *     ALTER TABLE outbox ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
 *     CREATE INDEX ON outbox (xid, id);
 *
 * The order is that of the transactions' beginnings, and of ids in each. A transaction that stays open, on any database of the server,
 * holds back what began behind it. Rows are not updated; they are removed from the oldest on, and never the one that was read last. A
 * table that was loaded into another server counts its transactions anew: there the offset is gone, `SOURCE_OFFSET_GONE`.
 *
 * **When to use** where a program writes down, in its own transaction, what happened.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` for what is no name or out of its range
 * @throws SourceError `RECORD_MALFORMED` at a bad row when there is no `deadLetters`; `SOURCE_REFUSED` for a table, a column or a right that is not there
 * @throws RestoreError `SOURCE_OFFSET_GONE` or `SOURCE_OFFSET_AHEAD` when the row that was read last is not there
 * @example Reading an outbox
 * ```ts
 * const Order = t.type({ id: t.string, customer: t.string })
 * const orders = postgresSource({ connection: 'postgres://worker@db.example.org/shop', table: 'outbox', codec: Order, follow: true, deleteRead: true })
 * orders.offsets // => 'replayable'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function postgresSource<T>(options: PostgresSourceOptions<T>): ReplayableSource<T> {
  const { table, columns, order = { xid: 'xid', id: 'id' }, follow = false, pollMs = 1_000, deleteRead = false, deadLetters } = options
  const { onOffsetGone = 'fail' } = options
  atLeast('pollMs', pollMs, 1)
  const statements = new RowStatements(table, order, columns)
  const decode = decodeWith(options.codec)
  connectingOf(options, '')

  const opened = async ({ uid, clock }: SourceContext, start: SourceOffset): Promise<SourceReader<T>> => {
    const link = new Link({ ...connectingOf(options, `rxweir ${uid}`), byIndex: true }, clock)
    const lettersWanted = deadLetters !== undefined
    const reader = new TableReader({ uid, clock, link, statements, decode, follow, pollMs, deleteRead, lettersWanted }, start)
    try {
      await reader.open()
      return reader
    } catch (error) {
      await reader.close()()
      throw error
    }
  }
  const openedOrEarliest = async (context: SourceContext): Promise<SourceReader<T>> => {
    try {
      return await opened(context, O.isSome(context.from) ? context.from.value : null)
    } catch (error) {
      const isGone = error instanceof RestoreError && (error.code === 'SOURCE_OFFSET_GONE' || error.code === 'SOURCE_OFFSET_AHEAD')
      if (!isGone || onOffsetGone === 'fail') throw error
      return opened(context, null)
    }
  }

  return {
    offsets: 'replayable',
    deadLetters,
    open: (context) =>
      TE.tryCatch(
        () => openedOrEarliest(context),
        (cause): SourceFailure => {
          if (cause instanceof SourceError || cause instanceof RestoreError) return cause
          throw cause
        },
      ),
  }
}
