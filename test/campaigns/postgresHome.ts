import pg from 'pg'
import type { PostgresServer } from '../support/postgresServer.js'
import type { Home } from './history.js'
import { killed } from './killHomes.js'
import type { Visible } from './observer.js'
import { outputs } from './workload.js'

/** A schema of a server, for state and for results. */
export async function postgresHome(server: PostgresServer, schema: string): Promise<Home> {
  const address = { host: '127.0.0.1', port: server.port, user: server.user, database: 'postgres' }
  const client = new pg.Client(address)
  await client.connect()
  await client.query(`CREATE SCHEMA ${schema}`)
  for (const output of outputs) await client.query(`CREATE TABLE ${schema}.${output} (n bigserial PRIMARY KEY, line text NOT NULL)`)
  return {
    name: 'postgres',
    orders: { place: 'postgres', folder: '', database: { address, schema } },
    async read(output, known) {
      // A transaction of an earlier process may come late: then it has numbers of its own, and is found by them.
      const { rows } = await client.query<{ readonly n: string; readonly line: string }>(`SELECT n, line FROM ${schema}.${output} ORDER BY n`)
      const visible = new Map<string, readonly string[] | undefined>()
      for (const { n, line } of rows) visible.set(n, known.has(n) ? undefined : [line])
      return visible satisfies Visible
    },
    crash: killed,
    async leftovers() {
      const { rows } = await client.query<{ readonly gid: string }>('SELECT gid FROM pg_prepared_xacts')
      return rows.map(({ gid }) => `prepared transaction ${gid}`)
    },
    async remove() {
      await client.query(`DROP SCHEMA ${schema} CASCADE`)
      await client.end()
    },
  }
}
