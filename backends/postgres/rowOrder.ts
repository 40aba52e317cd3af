import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'
import { quoted, quotedTable, type TableName } from './names.js'

/** Names of columns that say where a row stands. */
export type RowOrder =
  | {
      /** The transaction that inserted the row: `xid8 NOT NULL DEFAULT pg_current_xact_id()`. */
      readonly xid: string
      /** Tells the rows of one transaction apart, in their order. */
      readonly id: string
    }
  | {
      readonly xid?: undefined
      /** Rises with the commits: who inserts a row sees to it that no row with a lower id becomes visible later. */
      readonly id: string
    }

/** Where a row stands. */
export interface RowPlace {
  readonly xid: string | undefined
  readonly id: string
}

/** The statements that read a table in an order that no later commit disturbs. */
export class RowStatements {
  readonly byXid: boolean
  readonly #table: string
  readonly #xid: string | undefined
  readonly #place: string
  readonly #given: string
  readonly #position: string
  readonly #columns: string
  readonly #ripe: string

  constructor(table: TableName, order: RowOrder, columns: readonly string[] | undefined) {
    this.#table = `${quotedTable(table)} AS t`
    // Without the name of the table, ORDER BY would go by the text that is selected under the same name.
    const id = `t.${quoted(order.id, 'order.id')}`
    const xid = order.xid === undefined ? undefined : `t.${quoted(order.xid, 'order.xid')}`
    this.#xid = xid
    this.byXid = xid !== undefined
    if (columns !== undefined && (!Array.isArray(columns) || columns.length === 0))
      throw new ConfigurationError('OPTION_INVALID', { option: 'columns', found: kindOf(columns), expected: 'names of columns' })
    this.#columns = columns?.map((column) => `t.${quoted(column, 'columns')}`).join(', ') ?? 't.*'
    this.#place = xid === undefined ? `(${id})` : `(${xid}, ${id})`
    this.#given = xid === undefined ? '($1)' : '($1::xid8, $2)'
    this.#position = xid === undefined ? `NULL, ${id}::text` : `${xid}::text, ${id}::text`
    // What a transaction that is still open inserts stands behind this; so nothing that is read has anything before it that is not there yet.
    this.#ripe = xid === undefined ? 'true' : `${xid} < pg_snapshot_xmin(pg_current_snapshot())`
  }

  /** Rows behind a place, in order: xid, id, then the columns. */
  read(after: RowPlace | undefined, untilXid: string | undefined, rowsMax: number): readonly [text: string, values: readonly unknown[]] {
    const values: unknown[] = this.#values(after)
    const conditions = [this.#ripe]
    if (after !== undefined) conditions.push(`${this.#place} > ${this.#given}`)
    if (untilXid !== undefined) conditions.push(`${this.#xid} < $${values.push(untilXid)}::xid8`)
    const order = this.#place.slice(1, -1)
    const limit = `$${values.push(rowsMax)}`
    return [
      `SELECT ${this.#position}, ${this.#columns} FROM ${this.#table} WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ${limit}`,
      values,
    ]
  }

  /** Whether the row of a place is there. */
  there(place: RowPlace): readonly [text: string, values: readonly unknown[]] {
    return [`SELECT EXISTS (SELECT FROM ${this.#table} WHERE ${this.#place} = ${this.#given}) AS there`, this.#values(place)]
  }

  /** Removes the rows before a place. */
  remove(before: RowPlace): readonly [text: string, values: readonly unknown[]] {
    return [`DELETE FROM ${this.#table} WHERE ${this.#place} < ${this.#given}`, this.#values(before)]
  }

  #values(place: RowPlace | undefined): unknown[] {
    if (place === undefined) return []
    return this.byXid ? [place.xid, place.id] : [place.id]
  }
}
