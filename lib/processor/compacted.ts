import { operatorUid } from '../identity.js'
import type { RowChunk, StoredCheckpoint } from '../ports/checkpointStorage.js'
import { RowFrames } from '../state/rowFrames.js'
import { visitFinalRows } from './finalRows.js'

const chunkBytes = 256 * 1024

/** Hands on the rows of a checkpoint, each once. */
export async function writeCompacted(
  stored: Pick<StoredCheckpoint, 'readRows'>,
  heldBytesMax: number,
  write: (chunk: RowChunk) => Promise<void>,
): Promise<void> {
  const tables = new Map<string, { readonly uid: string; readonly table: string; readonly frames: RowFrames }>()
  const flush = async (bytes: number): Promise<void> => {
    for (const { uid, table, frames } of tables.values()) {
      const { rows } = frames
      if (rows > 0 && frames.byteLength >= bytes) await write({ uid: operatorUid(uid), table, rows, bytes: frames.take() })
    }
  }
  await visitFinalRows(stored, { heldBytesMax, turn: () => flush(chunkBytes) }, (uid, table, key, value) => {
    const name = `${uid}/${table}`
    let into = tables.get(name)
    if (into === undefined) tables.set(name, (into = { uid, table, frames: new RowFrames(4 * 1024) }))
    into.frames.add(key, value)
  })
  await flush(0)
}
