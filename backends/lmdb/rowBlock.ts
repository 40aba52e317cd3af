/**
 * Rows on their way into the store. A value there is
 *
 *     checksum of the rest (4 bytes) · [of a key that was cut: its length (4 bytes) · the whole key] · cells
 */
import { crc32 } from '../../lib/crc32.js'
import { BackendError } from '../../lib/errors.js'
import type { RowKey, StoredRow } from '../../lib/paged/pagedStore.js'
import { readRows } from '../../lib/state/rowFrames.js'
import { isCut } from './rowKey.js'

/** The changed rows of one chunk, laid out so that writing them takes no time. */
export interface RowBlock {
  readonly table: number
  readonly rows: number
  /** Per row: key length, value length plus one or 0 for a deletion (4 bytes each), key, value. */
  readonly bytes: Uint8Array
}

const headBytes = 8
const checksumBytes = 4
const lengthBytes = 4

export function rowBlock(table: number, rows: number, chunk: Uint8Array): RowBlock {
  let size = 0
  readRows(chunk, (key, value) => {
    size += headBytes + key.length + (value === undefined ? 0 : storedLength(key, value))
  })
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  readRows(chunk, (key, value) => {
    view.setUint32(at, key.length)
    view.setUint32(at + 4, value === undefined ? 0 : storedLength(key, value) + 1)
    at += headBytes
    bytes.set(key, at)
    at += key.length
    if (value === undefined) return
    const start = at
    at += checksumBytes
    if (isCut(key.length)) {
      view.setUint32(at, key.length)
      bytes.set(key, at + lengthBytes)
      at += lengthBytes + key.length
    }
    bytes.set(value, at)
    at += value.length
    view.setUint32(start, crc32(bytes.subarray(start + checksumBytes, at)))
  })
  return { table, rows, bytes }
}

const storedLength = (key: Uint8Array, value: Uint8Array): number => checksumBytes + (isCut(key.length) ? lengthBytes + key.length : 0) + value.length

/** Visits the rows of a block; the key is good for the one call only. */
export function visitBlock({ table, bytes }: RowBlock, put: (key: RowKey, value: Uint8Array) => void, remove: (key: RowKey) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const key: RowKey = { table, bytes, start: 0, end: 0 }
  for (let at = 0; at < bytes.length; ) {
    const keyLength = view.getUint32(at)
    const valueLength = view.getUint32(at + 4)
    key.start = at + headBytes
    key.end = at = key.start + keyLength
    if (valueLength === 0) remove(key)
    else {
      put(key, bytes.subarray(at, at + valueLength - 1))
      at += valueLength - 1
    }
  }
}

/** The whole key and the cells of a stored row, checked. Views into `stored`. */
export function storedRow(key: Uint8Array, stored: Uint8Array): StoredRow {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { what: 'a row of the store', reason })
  if (stored.length < checksumBytes) throw damaged('it is cut short')
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  const rest = stored.subarray(checksumBytes)
  if (view.getUint32(0) !== crc32(rest)) throw damaged('its checksum is another')
  if (!isCut(key.length)) return { key, cells: rest }
  const keyLength = rest.length < lengthBytes ? Number.POSITIVE_INFINITY : view.getUint32(checksumBytes)
  if (lengthBytes + keyLength > rest.length) throw damaged('its key is cut short')
  return { key: rest.subarray(lengthBytes, lengthBytes + keyLength), cells: rest.subarray(lengthBytes + keyLength) }
}
