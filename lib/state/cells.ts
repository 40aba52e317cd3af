/**
 * A row's value: its cells one after the other, each with the state it belongs to and the version of the codec that wrote it.
 *
 *     state number (varint) · flags (varint) · codec version (varint) · [time stamp, 8 bytes] · text length (varint) · text (UTF-8)
 *
 * Flag 1: the cell expires and has the time at which it was last touched (a float, big endian). Other flags are of newer formats.
 *
 * State numbers are given once per operator, kept in the checkpoint and never used again for another name, so that cells of a
 * state that the program no longer declares can be kept as bytes.
 */
import { BackendError } from '../errors.js'

export interface Cell {
  readonly state: number
  readonly version: number
  readonly touchedMs: number | undefined
  readonly text: Uint8Array
  /** The whole cell, to be kept as it is. */
  readonly bytes: Uint8Array
}

export const stampedFlag = 1

export function readCells(bytes: Uint8Array, visit: (cell: Cell) => void): void {
  let at = 0
  const varint = (): number => {
    let result = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 35) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a cell is cut short' })
      result += (byte & 0x7f) * scale
      if (byte < 0x80) return result
      scale *= 128
    }
  }
  while (at < bytes.length) {
    const start = at
    const state = varint()
    const flags = varint()
    if (flags > stampedFlag) throw new BackendError('FORMAT_NEWER', { what: 'cell', flags })
    const version = varint()
    let touchedMs: number | undefined
    if (flags === stampedFlag) {
      if (at + 8 > bytes.length) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a cell is cut short' })
      touchedMs = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0)
      at += 8
    }
    const length = varint()
    if (at + length > bytes.length) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a cell is cut short' })
    const text = bytes.subarray(at, at + length)
    at += length
    visit({ state, version, touchedMs, text, bytes: bytes.subarray(start, at) })
  }
}

/** When the cell of a state was touched, where a row has no other cell; undefined for any other row, or where there is no stamp. */
export function onlyStamp(bytes: Uint8Array, state: number): number | undefined {
  let stamp: number | undefined
  let cells = 0
  readCells(bytes, (cell) => {
    cells += 1
    stamp = cell.state === state ? cell.touchedMs : undefined
  })
  return cells === 1 ? stamp : undefined
}
