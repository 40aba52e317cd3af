import { BackendError } from '../../lib/errors.js'
import type { Sql } from './link.js'
import { quoted } from './names.js'
import { isMissing } from './sqlState.js'

/** Raised with every change of the tables; what older releases made is read, or changed in place. */
const format = 1

/** The names of our tables, quoted. */
export interface Tables {
  readonly schema: string
  /** One row a job: who writes, and how often was published. */
  readonly jobs: string
  readonly checkpoints: string
  /** Every version of every row that a checkpoint needs which is kept. */
  readonly rows: string
  /** What sinks have committed. */
  readonly ledger: string
  /** Which run a sink of a database of its own belongs to. */
  readonly sinks: string
  readonly format: string
}

export function tablesIn(schema: string): Tables {
  const name = quoted(schema, 'schema')
  const table = (of: string): string => `${name}."${of}"`
  return {
    schema: name,
    jobs: table('jobs'),
    checkpoints: table('checkpoints'),
    rows: table('rows'),
    ledger: table('ledger'),
    sinks: table('sinks'),
    format: table('format'),
  }
}

/**
 * The statements that make our tables, for whoever may do so to run once.
 *
 * Then the role of the job needs no right to make anything. They can be run again.
 *
 * **When to use** where jobs run under a role that may not create tables: `createTables: false` is for them.
 *
 * @param options.schema - the schema, made for us alone; `rxweir` unless told
 * @param options.role - who is given the rights that a job needs, and no others
 * @throws ConfigurationError `OPTION_INVALID` for what is no name
 * @example The rights of a job
 * ```ts
 * const script = postgresTables({ role: 'worker' })
 * script.includes('GRANT USAGE ON SCHEMA "rxweir" TO "worker";') // => true
 * ```
 * @category backends
 * @since 0.2.0
 */
export function postgresTables({ schema = 'rxweir', role }: { readonly schema?: string; readonly role?: string } = {}): string {
  const tables = tablesIn(schema)
  return [...making(tables), ...(role === undefined ? [] : granting(tables, quoted(role, 'role')))].map((statement) => `${statement};\n`).join('\n')
}

const making = ({ schema, jobs, checkpoints, rows, ledger, sinks, format: formats }: Tables): readonly string[] => [
  `CREATE SCHEMA IF NOT EXISTS ${schema}`,
  `CREATE TABLE IF NOT EXISTS ${formats} (
  format integer PRIMARY KEY
)`,
  `INSERT INTO ${formats} SELECT ${format} WHERE NOT EXISTS (SELECT FROM ${formats})`,
  `CREATE TABLE IF NOT EXISTS ${jobs} (
  job text PRIMARY KEY,
  epoch bigint NOT NULL,
  seq bigint NOT NULL
)`,
  `CREATE TABLE IF NOT EXISTS ${checkpoints} (
  job text NOT NULL,
  checkpoint bigint NOT NULL,
  epoch bigint NOT NULL,
  -- How many rows it has: one that is missing is noticed.
  rows bigint NOT NULL,
  body text NOT NULL,
  crc integer NOT NULL,
  PRIMARY KEY (job, checkpoint)
)`,
  `CREATE TABLE IF NOT EXISTS ${rows} (
  job text NOT NULL,
  -- The checkpoint that wrote it, and the first one that no longer has it.
  since bigint NOT NULL,
  until bigint,
  epoch bigint NOT NULL,
  uid text NOT NULL,
  tab text NOT NULL,
  -- The key behind a 0, or the digest of a long one behind a 1.
  id bytea NOT NULL,
  key bytea,
  value bytea,
  crc integer NOT NULL,
  PRIMARY KEY (job, since, epoch, uid, tab, id)
)`,
  `CREATE INDEX IF NOT EXISTS rows_living ON ${rows} (job, uid, tab, id) WHERE until IS NULL`,
  `CREATE INDEX IF NOT EXISTS rows_ended ON ${rows} (job, until) WHERE until IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${ledger} (
  job text NOT NULL,
  uid text NOT NULL,
  epoch bigint NOT NULL,
  checkpoint bigint NOT NULL,
  PRIMARY KEY (job, uid, epoch, checkpoint)
)`,
  `CREATE TABLE IF NOT EXISTS ${sinks} (
  job text NOT NULL,
  uid text NOT NULL,
  epoch bigint NOT NULL,
  PRIMARY KEY (job, uid)
)`,
]

const granting = ({ schema, jobs, checkpoints, rows, ledger, sinks, format: formats }: Tables, role: string): readonly string[] => [
  `GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
  `GRANT SELECT ON ${formats} TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE ON ${jobs}, ${sinks} TO ${role}`,
  `GRANT SELECT, INSERT, DELETE ON ${checkpoints}, ${ledger} TO ${role}`,
  `GRANT SELECT, INSERT, UPDATE, DELETE ON ${rows} TO ${role}`,
]

/** Whether our tables are there. Refuses what a newer release made. */
export async function tablesFound(sql: Sql, tables: Tables): Promise<boolean> {
  try {
    const { rows } = await sql.query(`SELECT format FROM ${tables.format}`)
    const found = Math.max(0, ...(rows as { readonly format: number }[]).map((row) => row.format))
    if (found > format) throw new BackendError('FORMAT_NEWER', { schema: tables.schema, found, supported: format })
    return found > 0
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Makes what is missing. Where two do so at once, the second finds it made. */
export async function makeTables(sql: Sql, tables: Tables): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [lock])
  if (await tablesAreThere(sql, tables)) return
  const { rows } = await sql.query('SELECT to_regnamespace($1) IS NOT NULL AS there', [tables.schema])
  // Who may make tables in a schema that is there need not have the right to make schemas.
  const [schema, ...others] = making(tables) as [string, ...string[]]
  if (!(rows[0] as { readonly there: boolean }).there) await sql.query(schema)
  for (const statement of others) await sql.query(statement)
}

/** Any number, the same in every release: whoever makes our tables asks for this lock. */
const lock = 7_265_948_211

/** The same question in a transaction, which an error would end. */
async function tablesAreThere(sql: Sql, tables: Tables): Promise<boolean> {
  const { rows } = await sql.query('SELECT to_regclass($1) IS NOT NULL AS there', [tables.format])
  return (rows[0] as { readonly there: boolean }).there && (await tablesFound(sql, tables))
}
