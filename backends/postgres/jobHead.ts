import { crc32 } from '../../lib/crc32.js'
import { BackendError } from '../../lib/errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { Sql } from './link.js'
import type { Tables } from './tables.js'

/** A checkpoint as it is listed. */
export interface Listed {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  readonly rows: number
  readonly body: Json
}

/** Who writes, and what is kept. */
export interface Head {
  readonly epoch: Epoch
  /** Counts takeovers and publishes. */
  readonly seq: number
  /** Oldest first. */
  readonly kept: readonly CheckpointId[]
}

export const noHead: Head = { epoch: epoch(0), seq: 0, kept: [] }

/** The head as one statement sees it. */
export async function readHead(sql: Sql, tables: Tables, job: string): Promise<Head> {
  const { rows } = await sql.query(
    `SELECT epoch, seq, ARRAY(SELECT checkpoint FROM ${tables.checkpoints} c WHERE c.job = j.job ORDER BY checkpoint)::text[] AS kept
    FROM ${tables.jobs} j WHERE job = $1`,
    [job],
  )
  const [found] = rows as readonly { readonly epoch: string; readonly seq: string; readonly kept: readonly string[] }[]
  if (found === undefined) return noHead
  return { epoch: epoch(Number(found.epoch)), seq: Number(found.seq), kept: found.kept.map((id) => checkpointId(Number(id))) }
}

/** Waits until nobody is in the middle of publishing, and keeps others from it until the transaction ends. */
export async function lockedHead(sql: Sql, tables: Tables, job: string): Promise<Pick<Head, 'epoch' | 'seq'>> {
  const { rows } = await sql.query(`SELECT epoch, seq FROM ${tables.jobs} WHERE job = $1 FOR UPDATE`, [job])
  const [found] = rows as readonly { readonly epoch: string; readonly seq: string }[]
  return found === undefined ? noHead : { epoch: epoch(Number(found.epoch)), seq: Number(found.seq) }
}

export const checksumOfBody = (text: string): number => crc32(Buffer.from(text)) | 0

/** A checkpoint that is kept. */
export async function readListed(sql: Sql, tables: Tables, job: string, id: CheckpointId): Promise<Listed | undefined> {
  const { rows } = await sql.query(`SELECT epoch, rows, body, crc FROM ${tables.checkpoints} WHERE job = $1 AND checkpoint = $2`, [job, id])
  const [found] = rows as readonly { readonly epoch: string; readonly rows: string; readonly body: string; readonly crc: number }[]
  if (found === undefined) return undefined
  if (found.crc !== checksumOfBody(found.body))
    throw new BackendError('SNAPSHOT_CORRUPT', { job, checkpointId: id, what: 'the body of the checkpoint' })
  return { checkpointId: id, epoch: epoch(Number(found.epoch)), rows: Number(found.rows), body: JSON.parse(found.body) as Json }
}
