/**
 * How rows travel from the core to a storage: one after the other, each `key value`, both with their length in front.
 *
 *     key length (varint) · key · value length + 1 (varint), 0 for a deletion · value
 *
 * A key starts with its key group (two bytes, big endian). Frames carry no checksum: a storage that keeps bytes adds its own.
 */
import { BackendError } from '../errors.js'
import { stampedFlag } from './cells.js'

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

const utf8 = new TextEncoder()
/** Longer texts are encoded by the platform; shorter ones are copied letter by letter while they are ASCII, which is faster. */
const shortText = 128

const varintLength = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5)

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

  /** Adds a row as bytes. */
  add(key: Uint8Array, value: Uint8Array | undefined): void {
    this.room(key.length + (value?.length ?? 0) + 10)
    this.varint(key.length)
    this.put(key)
    if (value === undefined) this.varint(0)
    else {
      this.varint(value.length + 1)
      this.put(value)
    }
    this.rows += 1
  }

  /** Adds a row that is deleted. */
  addDeletion(keyGroup: number, key: string): void {
    this.addKey(keyGroup, key)
    this.varint(0)
    this.rows += 1
  }

  /** Adds a row with one cell (the layout of cells.ts), and behind it cells that are kept as bytes. */
  addCell(
    keyGroup: number,
    key: string,
    state: number,
    version: number,
    touchedMs: number | undefined,
    text: string | undefined,
    foreign: Uint8Array | undefined,
  ): void {
    this.addKey(keyGroup, key)
    const foreignLength = foreign?.length ?? 0
    if (text === undefined) {
      this.room(foreignLength + 10)
      this.varint(foreignLength + 1)
    } else {
      const start = this.used
      if (text.length <= shortText) this.cellHead(state, version, touchedMs, text.length, foreignLength)
      if (text.length > shortText || !this.letters(text)) {
        this.used = start
        const bytes = utf8.encode(text)
        this.cellHead(state, version, touchedMs, bytes.length, foreignLength)
        this.put(bytes)
      }
    }
    if (foreign !== undefined) this.put(foreign)
    this.rows += 1
  }

  /** Hands the block over and starts anew. */
  take(): Uint8Array {
    const block = this.bytes.slice(0, this.used)
    this.used = 0
    this.rows = 0
    return block
  }

  private addKey(keyGroup: number, key: string): void {
    const start = this.used
    if (key.length <= shortText) this.keyHead(keyGroup, key.length)
    if (key.length > shortText || !this.letters(key)) {
      this.used = start
      const bytes = utf8.encode(key)
      this.keyHead(keyGroup, bytes.length)
      this.put(bytes)
    }
  }

  /** What stands before the text of a key, and room for it. */
  private keyHead(keyGroup: number, length: number): void {
    this.room(length + 12)
    this.varint(length + 2)
    this.bytes[this.used++] = keyGroup >>> 8
    this.bytes[this.used++] = keyGroup & 0xff
  }

  /** What stands before the text of a cell, and room for it and what follows. */
  private cellHead(state: number, version: number, touchedMs: number | undefined, length: number, foreignLength: number): void {
    const cellLength = varintLength(state) + 1 + varintLength(version) + (touchedMs === undefined ? 0 : 8) + varintLength(length) + length
    this.room(cellLength + foreignLength + 10)
    this.varint(cellLength + foreignLength + 1)
    this.varint(state)
    this.varint(touchedMs === undefined ? 0 : stampedFlag)
    this.varint(version)
    if (touchedMs !== undefined) this.float(touchedMs)
    this.varint(length)
  }

  /** Adds a text whose letters are its bytes; answers false, having added nothing, for any other. */
  private letters(text: string): boolean {
    const { bytes } = this
    let at = this.used
    for (let index = 0; index < text.length; index++) {
      const letter = text.charCodeAt(index)
      if (letter > 127) return false
      bytes[at++] = letter
    }
    this.used = at
    return true
  }

  private put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.used)
    this.used += bytes.length
  }

  private room(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }

  private float(value: number): void {
    new DataView(this.bytes.buffer, this.bytes.byteOffset + this.used, 8).setFloat64(0, value)
    this.used += 8
  }

  private varint(value: number): void {
    while (value >= 128) {
      this.bytes[this.used++] = (value % 128) | 0x80
      value = Math.floor(value / 128)
    }
    this.bytes[this.used++] = value
  }
}
