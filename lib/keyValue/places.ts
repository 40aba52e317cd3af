/**
 * Where things stand in a store of keys and values.
 *
 *     1                                              head
 *     2 checkpoint (8)                               what the core wrote beside the rows
 *     3 generation (8) table (4) key                 row of the newest checkpoint
 *     4 generation (8) newest first (8) table (4) key    row as it was at a checkpoint, changed by the next one
 *     5                                              bounds of the journal
 *     6 number (8)                                   entry of the journal
 *     7 generation (8) table (4) path                node of an index: which rows of the newest checkpoint there are
 */
import type { CheckpointId } from '../identity.js'
import type { KeyRange } from '../ports/keyValueStore.js'

const none = new Uint8Array(0)
const tableBytes = 4
const numberBytes = 8

export const headPlace = Uint8Array.of(1)
export const boundsPlace = Uint8Array.of(5)
export const bodyPlace = (id: number): Uint8Array => numbered(2, id)
export const entryPlace = (number: number): Uint8Array => numbered(6, number)
export const rowPlace = (generation: number, table: number, key: Uint8Array): Uint8Array => withKey(numbered(3, generation), table, key)
/** The newest checkpoint comes first: a reader who goes back to an older one meets them in this order. */
export const undoPlace = (generation: number, id: CheckpointId, table: number, key: Uint8Array): Uint8Array =>
  withKey(numbered(4, generation, reversed(id)), table, key)

export const indexPlace = ({ generation, table }: { readonly generation: number; readonly table: number }, path: Uint8Array): Uint8Array =>
  withKey(numbered(7, generation), table, path)

/** The table and the key of the place of a row, of either kind. */
export function rowAt(place: Uint8Array): { readonly table: number; readonly key: Uint8Array } {
  const start = 1 + numberBytes * (place[0] === 3 ? 1 : 2)
  const table = new DataView(place.buffer, place.byteOffset, place.byteLength).getUint32(start)
  return { table, key: place.subarray(start + tableBytes) }
}

/** The rows of a table, or the nodes of its index. */
export const ofTable = (kind: 3 | 7, generation: number, table: number): KeyRange => ({
  from: withKey(numbered(kind, generation), table, none),
  to: withKey(numbered(kind, generation), table + 1, none),
})
export const rowsOf = (generation: number): KeyRange => ({ from: numbered(3, generation), to: numbered(3, generation + 1) })
/** What was changed since checkpoint `id`, the newest first. */
export const undoSince = (generation: number, id: CheckpointId): KeyRange => ({
  from: numbered(4, generation),
  to: numbered(4, generation, reversed(id) + 1),
})
export const undoBefore = (generation: number, id: CheckpointId): KeyRange => ({
  from: numbered(4, generation, reversed(id) + 1),
  to: numbered(4, generation + 1),
})
export const entriesBetween = (from: number, to: number): KeyRange => ({ from: entryPlace(from), to: entryPlace(to) })

/** What lies between the numbers that are needed, of bodies (2), rows (3), undone rows (4) or indexes (7). */
export function besides(kind: 2 | 3 | 4 | 7, needed: readonly number[]): readonly KeyRange[] {
  const ranges: KeyRange[] = []
  let from = 0
  for (const number of [...needed].sort((a, b) => a - b)) {
    if (number > from) ranges.push({ from: numbered(kind, from), to: numbered(kind, number) })
    from = number + 1
  }
  return [...ranges, { from: numbered(kind, from), to: Uint8Array.of(kind + 1) }]
}

/** The first place behind another. */
export function behind(place: Uint8Array): Uint8Array {
  const next = new Uint8Array(place.length + 1)
  next.set(place)
  return next
}

const reversed = (id: CheckpointId): number => Number.MAX_SAFE_INTEGER - 1 - id

function numbered(kind: number, ...numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const place = new Uint8Array(1 + numberBytes * numbers.length)
  const view = new DataView(place.buffer)
  place[0] = kind
  for (const [index, number] of numbers.entries()) view.setBigUint64(1 + numberBytes * index, BigInt(number))
  return place
}

function withKey(prefix: Uint8Array, table: number, key: Uint8Array): Uint8Array {
  const place = new Uint8Array(prefix.length + tableBytes + key.length)
  place.set(prefix)
  new DataView(place.buffer).setUint32(prefix.length, table)
  place.set(key, prefix.length + tableBytes)
  return place
}
