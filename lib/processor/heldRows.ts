import { allKeys, halves, inShare, type KeyShare } from './keyShares.js'
import type { RowHash } from './rowHash.js'

/** What is known of a row. Its bytes are views, and good until something else is held. */
export interface HeldRow {
  readonly hash: RowHash
  readonly table: number
  readonly key: Uint8Array
  /** Undefined for a row that is deleted. */
  readonly value: Uint8Array | undefined
}

/**
 * The words before the bytes of a row: its two hashes, the number of its table, the length of its key, the length of its value + 1 (0: it
 * is deleted), and the room for a value.
 */
const headWords = 6
/** A table that no row has: what is here was written anew elsewhere. */
const nowhere = 0xffff_ffff
const firstBytes = 64 * 1024
/** What is outgrown stays until the garbage collector comes: it is a small part of what takes its place. */
const growth = 16
const firstSlots = 1024

/**
 * What is held of rows until all have been told, in a bounded part of memory: where it does not suffice, half of the keys are put off
 * until the rows are told once more.
 *
 * Rows stay bytes, one behind the other in one block, and are found by a table of hashes: as objects they would take ten times as much, and
 * what is put off would be told ten times as often.
 *
 * **Invariants** Block and table take `heldBytesMax` together, unless one row, or rows whose keys are made to collide, take more.
 */
export class HeldRows {
  private bytes: Uint8Array
  private words: Uint32Array
  /** Words in use, and those of them that hold what was written anew elsewhere. */
  private used = 0
  private stale = 0
  /** Where a row begins, in words, + 1; 0 is free. Linear probing. */
  private slots = new Uint32Array(firstSlots)
  private rowCount = 0
  private readonly putOff: KeyShare[] = []
  private share: KeyShare = allKeys
  private readonly blockBytesMax: number

  constructor(heldBytesMax: number) {
    // A row takes 24 bytes and its key, and a slot 4, of which at least every third is taken.
    this.blockBytesMax = Math.floor(heldBytesMax / 16) * 12
    ;({ bytes: this.bytes, words: this.words } = block(Math.min(firstBytes, this.blockBytesMax)))
  }

  /** Whether the rows of a key are held in this turn. */
  takes(hash: RowHash): boolean {
    return inShare(hash, this.share)
  }

  get(table: number, key: Uint8Array, hash: RowHash): HeldRow | undefined {
    const at = this.slots[this.slotOf(table, key, hash.first)] as number
    return at === 0 ? undefined : this.rowAt(at - 1)
  }

  /** Holds what is known of a row, in place of what was known before. Everything is copied. */
  put(table: number, key: Uint8Array, hash: RowHash, value: Uint8Array | undefined): void {
    const valueBytes = value?.length ?? 0
    let slot = this.slotOf(table, key, hash.first)
    const known = (this.slots[slot] as number) - 1
    if (known >= 0 && valueBytes <= (this.words[known + 5] as number)) return this.putValue(known, key.length, value)
    const size = headWords + ((key.length + valueBytes + 3) >>> 2)
    if (this.makeRoom(size)) {
      // Half of the keys may have gone, this one with them.
      if (!this.takes(hash)) return
      slot = this.slotOf(table, key, hash.first)
    }
    const before = this.slots[slot] as number
    if (before !== 0) this.forget(before - 1)
    else this.rowCount += 1
    const at = this.used
    this.words.set([hash.first, hash.second, table, key.length, 0, (size - headWords) * 4 - key.length], at)
    this.bytes.set(key, (at + headWords) * 4)
    this.putValue(at, key.length, value)
    this.used += size
    this.slots[slot] = at + 1
    if (this.rowCount * 2 > this.slots.length) this.fillSlots(this.slots.length * 2)
  }

  *rows(): IterableIterator<HeldRow> {
    for (let at = 0; at < this.used; at += this.sizeAt(at)) if (this.words[at + 2] !== nowhere) yield this.rowAt(at)
  }

  /** Goes on to keys that were put off; false where there are none left. */
  nextTurn(): boolean {
    this.used = this.stale = this.rowCount = 0
    this.slots.fill(0)
    const next = this.putOff.pop()
    if (next === undefined) return false
    this.share = next
    return true
  }

  private rowAt(at: number): HeldRow {
    const { words, bytes } = this
    const keyAt = (at + headWords) * 4
    const valueAt = keyAt + (words[at + 3] as number)
    const valueLength = (words[at + 4] as number) - 1
    return {
      hash: { first: words[at] as number, second: words[at + 1] as number },
      table: words[at + 2] as number,
      key: bytes.subarray(keyAt, valueAt),
      value: valueLength < 0 ? undefined : bytes.subarray(valueAt, valueAt + valueLength),
    }
  }

  private sizeAt(at: number): number {
    return headWords + (((this.words[at + 3] as number) + (this.words[at + 5] as number) + 3) >>> 2)
  }

  private putValue(at: number, keyLength: number, value: Uint8Array | undefined): void {
    this.words[at + 4] = value === undefined ? 0 : value.length + 1
    if (value !== undefined) this.bytes.set(value, (at + headWords) * 4 + keyLength)
  }

  private forget(at: number): void {
    this.words[at + 2] = nowhere
    this.stale += this.sizeAt(at)
  }

  /** Where a row is, or where it can be put. */
  private slotOf(table: number, key: Uint8Array, first: number): number {
    const { slots } = this
    const mask = slots.length - 1
    let slot = first & mask
    for (;;) {
      const at = slots[slot] as number
      if (at === 0 || this.isAt(at - 1, table, key, first)) return slot
      slot = (slot + 1) & mask
    }
  }

  private isAt(at: number, table: number, key: Uint8Array, first: number): boolean {
    const { words, bytes } = this
    if (words[at] !== first || words[at + 2] !== table || words[at + 3] !== key.length) return false
    const keyAt = (at + headWords) * 4
    for (let index = 0; index < key.length; index += 1) if (bytes[keyAt + index] !== key[index]) return false
    return true
  }

  /** Makes room for so many words. True where rows have moved or gone. */
  private makeRoom(size: number): boolean {
    let hasMoved = false
    while ((this.used + size) * 4 > this.bytes.length) {
      if (this.bytes.length < this.blockBytesMax) this.growTo(Math.min(this.blockBytesMax, this.bytes.length * growth))
      else if (this.stale * 4 > this.used) {
        this.closeUp()
        hasMoved = true
      } else if (this.used > 0 && this.putOffHalf()) hasMoved = true
      else this.growTo(Math.max(this.bytes.length * 2, Math.ceil(size / 1024) * 4096))
    }
    return hasMoved
  }

  private growTo(bytes: number): void {
    const larger = block(bytes)
    larger.words.set(this.words.subarray(0, this.used))
    this.bytes = larger.bytes
    this.words = larger.words
  }

  private putOffHalf(): boolean {
    const parts = halves(this.share)
    if (parts === undefined) return false
    this.share = parts[0]
    this.putOff.push(parts[1])
    this.closeUp()
    return true
  }

  /** Moves what stays to the beginning of the block. */
  private closeUp(): void {
    const { words } = this
    const hash: RowHash = { first: 0, second: 0 }
    let to = 0
    this.rowCount = 0
    for (let at = 0, size = 0; at < this.used; at += size) {
      size = this.sizeAt(at)
      hash.second = words[at + 1] as number
      if (words[at + 2] === nowhere || !this.takes(hash)) continue
      if (to < at) words.copyWithin(to, at, at + size)
      to += size
      this.rowCount += 1
    }
    this.used = to
    this.stale = 0
    this.fillSlots(this.slots.length)
  }

  private fillSlots(length: number): void {
    if (length === this.slots.length) this.slots.fill(0)
    else this.slots = new Uint32Array(length)
    const mask = length - 1
    for (let at = 0; at < this.used; at += this.sizeAt(at)) {
      if (this.words[at + 2] === nowhere) continue
      let slot = (this.words[at] as number) & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = at + 1
    }
  }
}

function block(bytes: number): { readonly bytes: Uint8Array; readonly words: Uint32Array } {
  const buffer = new ArrayBuffer(bytes)
  return { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) }
}
