import pg from 'pg'

/** How many bytes a server has written to its log so far. */
export const loggedBytes = (connection: string): Promise<number> =>
  connected(connection, async (client) => {
    const { rows } = await client.query<{ bytes: string }>("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS bytes")
    return Number(rows[0]?.bytes)
  })

/** Removes what a measurement has left on the server. */
export const dropSchema = (connection: string, schema: string): Promise<unknown> =>
  connected(connection, (client) => client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))

async function connected<A>(connection: string, use: (client: pg.Client) => Promise<A>): Promise<A> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
