import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'

/** Where the database is and who we are there, in the words of the package `pg`; what is left out comes from `PGHOST` and its like. */
export interface PostgresAddress {
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  /** The password, or a function that is asked at each new connection. */
  readonly password?: string | (() => string | Promise<string>)
  /** `true`, or options of Node's `tls.connect`. Default: no TLS. */
  readonly ssl?: boolean | object
}

/** What everything has in common that has a connection of its own. */
export interface ConnectionOptions {
  /** An address such as `postgres://user@host/database`, or its parts. Connect to the server itself, or to a pool in session mode. */
  readonly connection: string | PostgresAddress
  /** A statement that takes longer has failed. Default 60,000. */
  readonly statementTimeoutMs?: number
  /** A connection that is not made within this time has failed. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** The server ends a transaction in which nothing was said for so long: that of a process that was paused. Default 30,000. */
  readonly idleInTransactionMs?: number
  /** So many attempts in a row may fail, with a pause in between that doubles, before the failure is told. Default 5. */
  readonly attemptsMax?: number
}

/** The options of a connection, checked, with their defaults. */
export interface Connecting extends Required<ConnectionOptions> {
  /** How the server lists us, in `pg_stat_activity`. */
  readonly applicationName: string
  /**
   * Rows are read a page after the other, in the order of an index. Without a look at its figures the server would rather collect and sort
   * all that is left for each page.
   */
  readonly byIndex?: boolean
}

export function connectingOf(options: ConnectionOptions, applicationName: string): Connecting {
  const { connection, statementTimeoutMs = 60_000, connectTimeoutMs = 10_000, idleInTransactionMs = 30_000, attemptsMax = 5 } = options
  if (typeof connection !== 'string' && (typeof connection !== 'object' || connection === null))
    throw new ConfigurationError('OPTION_INVALID', { option: 'connection', found: kindOf(connection), expected: 'an address or its parts' })
  for (const [option, found] of Object.entries({ statementTimeoutMs, connectTimeoutMs, idleInTransactionMs, attemptsMax })) {
    atLeast(option, found, 1)
    // What goes to the server is a number of 31 bits.
    if (found > 2 ** 31 - 1) throw new ConfigurationError('OPTION_INVALID', { option, found, most: 2 ** 31 - 1 })
  }
  return { connection, statementTimeoutMs, connectTimeoutMs, idleInTransactionMs, attemptsMax, applicationName }
}
