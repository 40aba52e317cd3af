/**
 * A row's value: its cells one after the other, each with the state it belongs to and the version of the codec that wrote it.
 *
 *     state number (varint) · flags (varint, 0 in format 1) · codec version (varint) · text length (varint) · text (UTF-8)
 *
 * State numbers are given once per operator, kept in the checkpoint and never used again for another name, so that cells of a
 * state that the program no longer declares can be kept as bytes.
 */
import { BackendError } from '../errors.js'

export type VisitCell = (state: number, version: number, text: Uint8Array, cell: Uint8Array) => void

export function readCells(bytes: Uint8Array, visit: VisitCell): void {
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
    if (flags !== 0) throw new BackendError('FORMAT_NEWER', { what: 'cell', flags })
    const version = varint()
    const length = varint()
    if (at + length > bytes.length) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a cell is cut short' })
    const text = bytes.subarray(at, at + length)
    at += length
    visit(state, version, text, bytes.subarray(start, at))
  }
}
