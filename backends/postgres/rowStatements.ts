/**
 * Rows as versions: each knows the checkpoint that wrote it and the first one that no longer has it.
 *
 * **Invariants** A checkpoint has the versions with `since <= checkpoint < until`, one a key. Writing only adds versions, of an epoch of
 * its own: what a writer has not committed is in nobody's way. Who publishes ends the versions that it replaces, when it knows that
 * nobody has taken over. A deletion is a version that ended where it began.
 */
import type { CheckpointId, Epoch } from '../../lib/identity.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import { readRows } from '../../lib/state/rowFrames.js'
import type { Sql } from './link.js'
import { checksumOf, rowId } from './rowId.js'
import type { Tables } from './tables.js'

/** The checkpoint that is being written. */
export interface Written {
  readonly tables: Tables
  readonly job: string
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
}

/** Adds the rows of a chunk. Of a row that comes twice the last one counts. */
export async function addRows(sql: Sql, { tables, job, checkpointId, epoch }: Written, { uid, table, bytes }: RowChunk): Promise<void> {
  const rows = new Map<string, readonly [id: Buffer, key: Buffer | null, value: Buffer | null, crc: number]>()
  readRows(bytes, (found, value) => {
    const { id, key } = rowId(found)
    const kept = value === undefined ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    rows.set(id.toString('latin1'), [id, key, kept, checksumOf(id, value)])
  })
  if (rows.size === 0) return
  const columns = [...rows.values()]
  await sql.query(
    `INSERT INTO ${tables.rows} (job, since, epoch, uid, tab, id, key, value, crc, until)
    SELECT $1, $2, $3, $4, $5, r.id, r.key, r.value, r.crc, CASE WHEN r.value IS NULL THEN $2::bigint END
    FROM unnest($6::bytea[], $7::bytea[], $8::bytea[], $9::integer[]) AS r (id, key, value, crc)
    ON CONFLICT (job, since, epoch, uid, tab, id) DO UPDATE SET value = excluded.value, crc = excluded.crc, until = excluded.until`,
    [job, checkpointId, epoch, uid, table, ...([0, 1, 2, 3] as const).map((column) => columns.map((row) => row[column]))],
  )
}

/** Ends the versions that the checkpoint replaces; answers how many those were. */
export async function endReplaced(sql: Sql, { tables, job, checkpointId, epoch }: Written, whole: boolean): Promise<number> {
  const { rowCount } = whole
    ? await sql.query(`UPDATE ${tables.rows} SET until = $2 WHERE job = $1 AND until IS NULL AND since < $2`, [job, checkpointId])
    : await sql.query(
        // A plan of the server's own making goes through all living rows for each new one where it has not counted them yet: what is
        // behind OFFSET 0 is looked up, row by row, in the index of the living.
        `UPDATE ${tables.rows} AS old SET until = $2 FROM (
          SELECT living.place FROM ${tables.rows} AS new CROSS JOIN LATERAL (
            SELECT found.ctid AS place FROM ${tables.rows} AS found
            WHERE found.job = $1 AND found.uid = new.uid AND found.tab = new.tab AND found.id = new.id AND found.until IS NULL AND found.since < $2
            OFFSET 0
          ) AS living
          WHERE new.job = $1 AND new.since = $2 AND new.epoch = $3
        ) AS replaced
        WHERE old.ctid = replaced.place`,
        [job, checkpointId, epoch],
      )
  return rowCount ?? 0
}

/** How many rows the checkpoint has added. */
export async function addedRows(sql: Sql, { tables, job, checkpointId, epoch }: Written): Promise<number> {
  const { rows } = await sql.query(`SELECT count(*) AS added FROM ${tables.rows} WHERE job = $1 AND since = $2 AND epoch = $3 AND until IS NULL`, [
    job,
    checkpointId,
    epoch,
  ])
  return Number((rows[0] as { readonly added: string }).added)
}

/** Removes the versions that no checkpoint from `oldest` on has. */
export const removeEnded = (sql: Sql, { tables, job }: Pick<Written, 'tables' | 'job'>, oldest: CheckpointId): Promise<unknown> =>
  sql.query(`DELETE FROM ${tables.rows} WHERE job = $1 AND until <= $2`, [job, oldest])
