import { createHash } from 'node:crypto'
import { BackendError } from '../../lib/errors.js'
import type { RowKey } from '../../lib/paged/pagedStore.js'

/** The longest key that a store takes. */
export const keyBytesMax = 1_978
const tableBytes = 2
const hashBytes = 32
/** So many bytes of a key that is too long stand before its hash. */
const headBytes = keyBytesMax - tableBytes - hashBytes

/*
 * Where a row stands in the store: the number of its table in two bytes, then its key.
 *
 * A key that is too long is cut, and its hash follows; such a place is as long as a place can be, and no other is. The whole key is
 * kept with the value.
 */

export const isCut = (keyLength: number): boolean => tableBytes + keyLength >= keyBytesMax

/** Writes places, and reads them back as bytes. */
export const rowKeyEncoder = {
  writeKey(key: RowKey | Uint8Array, target: Uint8Array, at: number): number {
    // No key at all: so the driver clears a tree.
    if (key instanceof Uint8Array) return at
    const { table, bytes, start, end } = key
    target[at] = table >>> 8
    target[at + 1] = table & 0xff
    const from = at + tableBytes
    const length = end - start
    if (!isCut(length)) {
      // Most keys are short: copied byte by byte they need no view.
      for (let index = 0; index < length; index++) target[from + index] = bytes[start + index] as number
      return from + length
    }
    target.set(bytes.subarray(start, start + headBytes), from)
    target.set(createHash('sha256').update(bytes.subarray(start, end)).digest(), from + headBytes)
    return at + keyBytesMax
  },
  readKey(source: Uint8Array, start: number, end: number): RowKey {
    const bytes = Uint8Array.prototype.slice.call(source, start + tableBytes, end)
    return { table: (source[start] as number) * 256 + (source[start + 1] as number), bytes, start: 0, end: bytes.length }
  },
}

/** The place of a key as a whole. */
export const rowKey = (table: number, bytes: Uint8Array): RowKey => ({ table, bytes, start: 0, end: bytes.length })

/** Before every row of a table. */
export const tableStart = (table: number): RowKey => rowKey(table, new Uint8Array(0))

/** Tables are numbered, for good; no operator has so many. */
export function tableNumber(number: number): number {
  if (number > 0xfffe) throw new BackendError('BACKEND_FULL', { tablesMax: 0xfffe })
  return number
}
