import pg from 'pg'

/** What a server has written to its log so far. */
export async function postgresFigures(connection: string): Promise<{ readonly loggedBytes: number }> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    const { rows } = await client.query<{ bytes: string }>("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS bytes")
    return { loggedBytes: Number(rows[0]?.bytes) }
  } finally {
    await client.end()
  }
}
