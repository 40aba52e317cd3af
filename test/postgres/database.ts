import pg from 'pg'
import type { PostgresAddress } from '../../backends/postgres/connection.js'
import { postgresTables } from '../../backends/postgres/tables.js'
import type { PostgresServer } from '../support/postgresServer.js'

/** A database of one suite: as the tests look into it, past everything that is under test. */
export interface TestDatabase {
  readonly server: PostgresServer
  readonly address: PostgresAddress
  /** A schema that nobody has used. */
  freshSchema(): string
  /** A schema with our tables, and nothing in them. */
  emptySchema(schema: string): Promise<void>
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  close(): Promise<void>
}

export async function testDatabase(server: PostgresServer, name: string): Promise<TestDatabase> {
  const at = (database: string): PostgresAddress => ({ host: '127.0.0.1', port: server.port, user: server.user, database })
  const first = new pg.Client(at('postgres'))
  await first.connect()
  await first.query(`CREATE DATABASE ${name}`)
  await first.end()
  const address = at(name)
  let client: pg.Client | undefined
  let schemas = 0
  const made = new Set<string>()
  const database: TestDatabase = {
    server,
    address,
    freshSchema: () => `s${(schemas += 1)}`,
    async emptySchema(schema) {
      if (!made.has(schema)) await database.query(postgresTables({ schema }))
      made.add(schema)
      for (const table of ['jobs', 'checkpoints', 'rows', 'ledger', 'sinks']) await database.query(`DELETE FROM ${schema}.${table}`)
    },
    async query(text, values) {
      if (client === undefined) {
        client = new pg.Client(address)
        const made = client
        // The server may be killed: the next question asks over a new connection.
        const forget = (): void => {
          if (client === made) client = undefined
        }
        client.on('error', forget)
        client.on('end', forget)
        await client.connect()
      }
      return (await client.query(text, values === undefined ? [] : [...values])).rows
    },
    async close() {
      await client?.end()
    },
  }
  return database
}
