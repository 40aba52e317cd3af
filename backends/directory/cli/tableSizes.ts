import { visitFinalRows } from '../../../lib/processor/finalRows.js'
import { openSavepoint } from '../../../lib/processor/openSavepoint.js'
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

export interface Reading {
  /** All rows are read, for the so manieth time. */
  begins(time: number): void
  read(bytes: number): void
}

/** Counts the rows of every state, exactly. Memory does not grow with them: what was written again and again is read in several turns. */
export async function tableSizes(reader: SavepointReader, { begins, read }: Reading): Promise<readonly TableSize[]> {
  const { stored, heldBytesMax } = openSavepoint(reader)
  const tables = new Map<string, TableSize>()
  const of = (uid: string, state: string): TableSize => {
    const name = `${uid}/${state}`
    let size = tables.get(name)
    if (size === undefined) tables.set(name, (size = { uid, state, rows: 0, writtenRows: 0, writtenBytes: 0 }))
    return size
  }
  let times = 0
  await visitFinalRows(
    stored,
    {
      heldBytesMax,
      keysOnly: true,
      begins() {
        times += 1
        begins(times)
      },
      read({ uid, table, rows, bytes }) {
        read(bytes.length)
        if (times > 1) return
        const size = of(uid, table)
        size.writtenRows += rows
        size.writtenBytes += bytes.length
      },
    },
    (uid, table) => {
      of(uid, table).rows += 1
    },
  )
  return [...tables.values()]
}
