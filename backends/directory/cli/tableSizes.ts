import { visitFinalRows } from '../../../lib/processor/finalRows.js'
import { openSavepoint } from '../../../lib/processor/openSavepoint.js'
import { readChunks } from '../../../lib/processor/readChunks.js'
import type { SavepointReader } from '../../../lib/processor/savepointReader.js'

export interface TableSize {
  readonly uid: string
  readonly state: string
  /** The rows that there are. */
  rows: number
  /** The rows as they were written, those that were written over and deletions among them, and their bytes. */
  writtenRows: number
  writtenBytes: number
}

/** Counts the rows of every state. Memory does not grow with them. */
export async function tableSizes(reader: SavepointReader, read: (bytes: number) => void): Promise<readonly TableSize[]> {
  const { stored, heldBytesMax } = openSavepoint(reader)
  const tables = new Map<string, TableSize>()
  const of = (uid: string, state: string): TableSize => {
    const name = `${uid}/${state}`
    let size = tables.get(name)
    if (size === undefined) tables.set(name, (size = { uid, state, rows: 0, writtenRows: 0, writtenBytes: 0 }))
    return size
  }
  await readChunks(stored, ({ uid, table, rows, bytes }) => {
    const size = of(uid, table)
    size.writtenRows += rows
    size.writtenBytes += bytes.length
    read(bytes.length)
  })
  await visitFinalRows(stored, { heldBytesMax: heldBytesMax / 2, countOnly: true }, (uid, table) => {
    of(uid, table).rows += 1
  })
  return [...tables.values()]
}
