import type { OperatorUid } from '../../lib/identity.js'
import type { ExpiredRows, RowChunk } from '../../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'

/** Rows that changed: per operator, table and key the newest value, or undefined for a deletion. Never changed once it is made. */
export type Layer = ReadonlyMap<OperatorUid, ReadonlyMap<string, ReadonlyMap<string, Row>>>

interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export type OpenLayer = Map<OperatorUid, Map<string, Map<string, Row>>>

const chunkBytesTarget = 256 * 1024
/** So many rows are joined before others have their turn. */
const rowsPerSlice = 4_096

export function addChunk(layer: OpenLayer, { uid, table, bytes }: RowChunk): void {
  const rows = rowsOf(layer, uid, table)
  readRows(bytes, (key, value) => put(rows, { key: key.slice(), value: value?.slice() }))
}

/**
 * Joins layers at the end of the list while the older one is not much larger, so that the list stays short.
 *
 * What has expired becomes a deletion, so that no older value of it comes back.
 *
 * @param breathe - lets others have their turn; asked for only where there is much to join
 */
export async function merged(layers: readonly Layer[], breathe: () => Promise<void>, expired?: ExpiredRows): Promise<readonly Layer[]> {
  let slice = 0
  const kept = [...layers]
  while (kept.length > 1 && sizeOf(kept.at(-2) as Layer) <= 2 * sizeOf(kept.at(-1) as Layer)) {
    const newer = kept.pop() as Layer
    const older = kept.pop() as Layer
    const joined: OpenLayer = new Map()
    const oldest = kept.length === 0
    for (const part of [older, newer])
      for (const [uid, tables] of part)
        for (const [table, rows] of tables) {
          const into = rowsOf(joined, uid, table)
          const isExpired = expired?.(uid, table)
          for (const row of rows.values()) {
            put(into, row.value !== undefined && isExpired?.(row.value) === true ? { key: row.key, value: undefined } : row)
            slice += 1
            if (slice % rowsPerSlice === 0) await breathe()
          }
        }
    if (oldest)
      for (const tables of joined.values())
        for (const rows of tables.values()) for (const [name, row] of rows) if (row.value === undefined) rows.delete(name)
    kept.push(joined)
  }
  return kept
}

export function* chunksOf(layer: Layer): Iterable<RowChunk> {
  for (const [uid, tables] of layer)
    for (const [table, rows] of tables) {
      const frames = new RowFrames(4 * 1024)
      for (const { key, value } of rows.values()) {
        frames.add(key, value)
        if (frames.byteLength >= chunkBytesTarget) yield { uid, table, rows: frames.rows, bytes: frames.take() }
      }
      if (frames.rows > 0) yield { uid, table, rows: frames.rows, bytes: frames.take() }
    }
}

const latin1 = new TextDecoder('latin1')

/** The decoder reads some bytes as other characters, but no two bytes as the same one. */
const put = (rows: Map<string, Row>, row: Row): void => {
  rows.set(latin1.decode(row.key), row)
}

function rowsOf(layer: OpenLayer, uid: OperatorUid, table: string): Map<string, Row> {
  const tables = layer.get(uid) ?? new Map<string, Map<string, Row>>()
  layer.set(uid, tables)
  const rows = tables.get(table) ?? new Map<string, Row>()
  tables.set(table, rows)
  return rows
}

function sizeOf(layer: Layer): number {
  let size = 0
  for (const tables of layer.values()) for (const rows of tables.values()) size += rows.size
  return size
}
