import { ConfigurationError, type ErrorDetails, SinkError, StreamError } from '../../lib/errors.js'
import { jsonOf } from '../../lib/jsonOf.js'
import { kindOf } from '../../lib/kindOf.js'
import { sqlDetails } from './failures.js'
import { LinkClosed, type Sql } from './link.js'
import { quoted, quotedTable, type TableName } from './names.js'
import { isRowRefused } from './sqlState.js'

/** The table that takes records, and how. */
export interface TableOptions<T> {
  readonly table: TableName
  /** The columns that are written; the others have their defaults. */
  readonly columns: readonly string[]
  /** The columns of a record, as JSON has them: the server reads texts, numbers, arrays and objects as its columns want. Default: the value. */
  readonly row?: (value: T) => { readonly [column: string]: unknown }
  /** What to do with a row whose columns of a unique index are there already: the later one takes its place, or is left out. Default: the run ends. */
  readonly onConflict?: { readonly columns: readonly string[]; readonly action: 'update' | 'ignore' }
}

/** Characters of records that go into one statement, about. */
const statementCharactersMax = 1024 * 1024

/** Writes records into a table, as JSON texts on their way. */
export class TableInsert<T> {
  readonly #statement: string
  readonly #columns: ReadonlySet<string>
  readonly #row: (value: T) => { readonly [column: string]: unknown }

  constructor(readonly options: TableOptions<T>) {
    const { table, columns, row = (value) => value as { readonly [column: string]: unknown }, onConflict } = options
    this.#statement = statementOf(quotedTable(table), namesOf('columns', columns), conflictOf(onConflict))
    this.#columns = new Set(columns)
    this.#row = row
  }

  /** The text of a record. */
  toText(value: T, where: ErrorDetails): string {
    const row: unknown = this.#row(value)
    const refused = (column: string | undefined, expected: string): StreamError =>
      new StreamError('VALUE_NOT_ENCODABLE', { ...where, ...(column === undefined ? {} : { column }), expected })
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw refused(undefined, 'an object of columns')
    for (const [column, cell] of Object.entries(row)) {
      if (!this.#columns.has(column)) throw refused(column, 'one of the columns that are written')
      // JSON would have null in its place.
      if (typeof cell === 'number' && !Number.isFinite(cell)) throw refused(column, 'a finite number, or a text that the column reads')
    }
    return jsonOf(row, where)
  }

  /** Inserts records, in order. */
  async insert(sql: Sql, texts: readonly string[]): Promise<void> {
    for (let from = 0; from < texts.length; ) {
      let to = from
      for (let characters = 0; to < texts.length && (to === from || characters < statementCharactersMax); to += 1)
        characters += (texts[to] as string).length
      await sql.query(this.#statement, [`[${texts.slice(from, to).join(',')}]`])
      from = to
    }
  }

  /** Gives what the database said its code of ours: whether it would say so again decides. */
  failure(error: unknown, uid: string): unknown {
    const details = { uid, table: quotedTable(this.options.table), ...sqlDetails(error) }
    if (isRowRefused(error)) return new SinkError('SINK_REFUSED', details, { cause: error })
    if (error instanceof LinkClosed) return new SinkError('SINK_IO', { ...details, reason: 'the writer was closed' }, { cause: error })
    return error
  }
}

interface Conflict {
  readonly target: readonly string[]
  readonly action: 'update' | 'ignore'
}

function conflictOf(onConflict: TableOptions<never>['onConflict']): Conflict | undefined {
  if (onConflict === undefined) return undefined
  const { columns, action } = onConflict
  if (action !== 'update' && action !== 'ignore')
    throw new ConfigurationError('OPTION_INVALID', { option: 'onConflict.action', found: kindOf(action), expected: 'update or ignore' })
  return { target: namesOf('onConflict.columns', columns), action }
}

function namesOf(option: string, columns: unknown): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0 || new Set(columns).size !== columns.length)
    throw new ConfigurationError('OPTION_INVALID', { option, found: kindOf(columns), expected: 'different names of columns' })
  return columns.map((column) => quoted(column, option))
}

const number = '"rxweir n"'

/** One parameter, an array of JSON: the server itself knows the types of the columns. */
function statementOf(table: string, columns: readonly string[], conflict: Conflict | undefined): string {
  const records = `json_array_elements($1::json) WITH ORDINALITY AS e (r, ${number}) CROSS JOIN LATERAL json_populate_record(NULL::${table}, e.r) AS p`
  const list = columns.join(', ')
  if (conflict === undefined) return `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${records} ORDER BY ${number}`
  const target = conflict.target.join(', ')
  const updated = columns.filter((column) => !conflict.target.includes(column))
  if (conflict.action === 'ignore' || updated.length === 0)
    return `INSERT INTO ${table} (${list}) SELECT ${list} FROM ${records} ORDER BY ${number} ON CONFLICT (${target}) DO NOTHING`
  // One statement may not update a row twice: the last record of each key is what would remain. Two nulls are no conflict.
  const alone = `CASE WHEN ${conflict.target.map((column) => `${column} IS NULL`).join(' OR ')} THEN ${number} END`
  const last = `SELECT DISTINCT ON (${target}, ${alone}) ${list}, ${number} FROM ${records} ORDER BY ${target}, ${alone}, ${number} DESC`
  const sets = updated.map((column) => `${column} = excluded.${column}`).join(', ')
  return `INSERT INTO ${table} (${list}) SELECT ${list} FROM (${last}) AS last ORDER BY ${number} ON CONFLICT (${target}) DO UPDATE SET ${sets}`
}
