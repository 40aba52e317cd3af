/**
 * How rows travel from the core to a storage: one after the other, each `keyBytes value`, both with their length in front.
 *
 *     key length (varint) · key · value length + 1 (varint), 0 for a deletion · value
 *
 * A key starts with its key group (two bytes, big endian). Frames carry no checksum: a storage that keeps bytes adds its own.
 */
import { BackendError } from '../errors.js'

/** Called for each row; `value` is undefined for a deletion. Both are views into the chunk. */
export type VisitRow = (key: Uint8Array, value: Uint8Array | undefined) => void

/** Opens the frames of a chunk. */
export function readRows(bytes: Uint8Array, visit: VisitRow): void {
  let at = 0
  const length = (): number => {
    let result = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 35) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a row frame is cut short' })
      result += (byte & 0x7f) * scale
      if (byte < 0x80) return result
      scale *= 128
    }
  }
  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a row frame is cut short' })
    const part = bytes.subarray(at, at + count)
    at += count
    return part
  }
  while (at < bytes.length) {
    const key = take(length())
    const valueLength = length()
    visit(key, valueLength === 0 ? undefined : take(valueLength - 1))
  }
}

/** Collects rows into one growing block of bytes. */
export class RowFrames {
  rows = 0
  private bytes: Uint8Array
  private used = 0

  constructor(initialBytes = 64 * 1024) {
    this.bytes = new Uint8Array(initialBytes)
  }

  get byteLength(): number {
    return this.used
  }

  add(key: Uint8Array, value: Uint8Array | undefined): void {
    this.room(key.length + (value?.length ?? 0) + 20)
    this.varint(key.length)
    this.bytes.set(key, this.used)
    this.used += key.length
    if (value === undefined) this.varint(0)
    else {
      this.varint(value.length + 1)
      this.bytes.set(value, this.used)
      this.used += value.length
    }
    this.rows += 1
  }

  /** Hands the block over and starts anew. */
  take(): Uint8Array {
    const block = this.bytes.slice(0, this.used)
    this.used = 0
    this.rows = 0
    return block
  }

  private room(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }

  private varint(value: number): void {
    while (value >= 128) {
      this.bytes[this.used++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    this.bytes[this.used++] = value
  }
}
