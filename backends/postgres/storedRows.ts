import { BackendError } from '../../lib/errors.js'
import { type CheckpointId, checkpointId, epoch, type OperatorUid } from '../../lib/identity.js'
import type { RowChunk, Unwanted } from '../../lib/ports/checkpointStorage.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { Link } from './link.js'
import { checksumOf, keyOf, rowId } from './rowId.js'
import type { Tables } from './tables.js'

/** What is asked for at once, about. */
const pageBytesTarget = 2 * 1024 * 1024
const pageRowsFirst = 256
const pageRowsMax = 8_192

type Row = readonly [since: string, epoch: string, uid: string, tab: string, id: Buffer, key: Buffer | null, value: Buffer, crc: number]

export interface Reading {
  readonly tables: Tables
  readonly job: string
  readonly checkpointId: CheckpointId
  /** How many rows the checkpoint has. */
  readonly rows: number
  /** Whether each chunk is of one checkpoint, and says so. */
  readonly tellsWriters: boolean
  readonly isUnwanted?: Unwanted | undefined
}

/**
 * Reads the rows of a checkpoint, a page at a time, in the order of their versions.
 *
 * No transaction is held open over it. That nothing was removed is asked behind each page: a checkpoint goes in one step with its rows.
 */
export async function readVersions(
  link: Link,
  { tables, job, checkpointId, rows, tellsWriters, isUnwanted }: Reading,
  visit: (chunk: RowChunk) => unknown,
): Promise<void> {
  let last: readonly unknown[] = ['-1', '-1', '', '', Buffer.alloc(0)]
  let limit = pageRowsFirst
  let found = 0
  for (;;) {
    const page = await link.again(async (sql) => {
      const answer = await sql.arrays(
        `SELECT since, epoch, uid, tab, id, key, value, crc FROM ${tables.rows}
        WHERE job = $1 AND (since, epoch, uid, tab, id) > ($2, $3, $4, $5, $6) AND since <= $7 AND (until IS NULL OR until > $7)
        ORDER BY since, epoch, uid, tab, id LIMIT $8`,
        [job, ...last, checkpointId, limit],
      )
      const { rows: kept } = await sql.query(`SELECT FROM ${tables.checkpoints} WHERE job = $1 AND checkpoint = $2`, [job, checkpointId])
      if (kept.length === 0) throw new BackendError('BACKEND_FENCED', { checkpointId, reason: 'the checkpoint was removed while it was read' })
      return answer.rows as readonly Row[]
    })
    const [before] = page.slice(-1)
    if (before !== undefined) last = before.slice(0, 5)
    found += page.length
    // All of a page is looked at before anything of it is handed over.
    for (const [, , uid, table, id, key, value, crc] of page)
      if (crc !== checksumOf(id, value) || (key !== null && !rowId(key).id.equals(id)))
        throw new BackendError('SNAPSHOT_CORRUPT', { checkpointId, uid, table, what: 'a row' })
    const bytes = await visitAll(page, tellsWriters, visit, isUnwanted)
    if (page.length < limit) break
    limit = Math.min(pageRowsMax, Math.max(16, Math.floor((limit * pageBytesTarget) / Math.max(1, bytes))))
  }
  if (found !== rows) throw new BackendError('SNAPSHOT_CORRUPT', { checkpointId, what: 'rows', found, expected: rows })
}

/** Hands rows over as chunks of one table each; answers how much it was. */
async function visitAll(page: readonly Row[], tellsWriters: boolean, visit: (chunk: RowChunk) => unknown, isUnwanted?: Unwanted): Promise<number> {
  let bytes = 0
  for (let from = 0; from < page.length; ) {
    const [since, wroteIn, uid, table] = page[from] as Row
    const isSame = (row: Row): boolean => row[2] === uid && row[3] === table && (!tellsWriters || (row[0] === since && row[1] === wroteIn))
    const frames = new RowFrames(4 * 1024)
    let to = from
    for (let row = page[to]; row !== undefined && isSame(row); row = page[(to += 1)]) {
      const [, , , , id, key, value] = row
      frames.add(keyOf({ id, key }), value)
    }
    bytes += frames.byteLength
    from = to
    const writtenBy = tellsWriters ? { checkpointId: checkpointId(Number(since)), epoch: epoch(Number(wroteIn)) } : undefined
    if (isUnwanted?.(uid, table) !== true) await visit({ uid: uid as OperatorUid, table, rows: frames.rows, bytes: frames.take(), writtenBy })
  }
  return bytes
}
