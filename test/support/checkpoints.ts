import { option as O } from 'fp-ts'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, RowChunk, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { unwrap } from '../../lib/task.js'

/** Rows by name: those of one table, in letters. */
export interface PlainRows {
  readonly [key: string]: string | undefined
}

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** A chunk of rows; one that is undefined is deleted. */
export function chunkOf(rows: PlainRows, { uid = 'uid', table = 'table' } = {}): RowChunk {
  const frames = new RowFrames()
  for (const [key, value] of Object.entries(rows)) frames.add(utf8.encode(key), value === undefined ? undefined : utf8.encode(value))
  return { uid: operatorUid(uid), table, rows: frames.rows, bytes: frames.take() }
}

export async function rowsOf(stored: StoredCheckpoint): Promise<PlainRows> {
  const rows: { [key: string]: string } = {}
  await unwrap(
    stored.readRows(({ bytes }) =>
      readRows(bytes, (key, value) => {
        if (value === undefined) delete rows[text.decode(key)]
        else rows[text.decode(key)] = text.decode(value)
      }),
    ),
  )
  return rows
}

/** A session that has taken over from what it found, and what that was. */
export async function takenOver(storage: CheckpointStorage, job = 'job'): Promise<{ session: CheckpointSession; rows: PlainRows | undefined }> {
  const session = await unwrap(storage.open(jobName(job)))
  const latest = await unwrap(session.latest())
  const rows = O.isSome(latest) ? await rowsOf(latest.value) : undefined
  await unwrap(session.takeOver(latest))
  return { session, rows }
}

/** Publishes a checkpoint with rows that changed. */
export const published =
  (session: CheckpointSession, id: number, rows: PlainRows, options: { readonly whole?: boolean } = {}) =>
  async () => {
    const writer = session.begin(checkpointId(id), options)
    await unwrap(writer.write(chunkOf(rows)))
    return writer.publish({ id })()
  }
