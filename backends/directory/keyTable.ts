/** Keys are kept in blocks of this size; a longer key has a block of its own. */
const blockBytes = 256 * 1024

/**
 * Remembers which keys were met, and in which segment first.
 *
 * Keys stay bytes in a few large blocks, not strings in a set: a million small objects would hold up the event loop for tens of
 * milliseconds whenever the garbage collector moves them.
 */
export class KeyTable {
  /** Entry numbers + 1, by hash with linear probing; 0 is free. */
  private slots: Int32Array
  private readonly hashes: number[] = []
  private readonly tables: number[] = []
  private readonly owners: number[] = []
  private readonly starts: number[] = []
  private readonly lengths: number[] = []
  private readonly blockOf: number[] = []
  private readonly blocks: Uint8Array[] = []
  private used = blockBytes

  constructor(keysExpected: number) {
    let size = 1024
    while (size < keysExpected * 2) size *= 2
    this.slots = new Int32Array(size)
  }

  /** Whether another segment than `owner` had this key first. A key that nobody had is noted as the owner's, if asked. */
  hadByOther(table: number, key: Uint8Array, hash: number, owner: number, note: boolean): boolean {
    const mask = this.slots.length - 1
    let slot = (hash ^ Math.imul(table, 0x9e3779b1)) & mask
    for (;;) {
      const entry = (this.slots[slot] as number) - 1
      if (entry < 0) break
      if (this.hashes[entry] === hash && this.tables[entry] === table && this.same(entry, key)) return this.owners[entry] !== owner
      slot = (slot + 1) & mask
    }
    if (!note) return false
    this.slots[slot] = this.hashes.length + 1
    this.hashes.push(hash)
    this.tables.push(table)
    this.owners.push(owner)
    this.keep(key)
    if (this.hashes.length * 2 > this.slots.length) this.grow()
    return false
  }

  private keep(key: Uint8Array): void {
    if (this.used + key.length > (this.blocks.at(-1)?.length ?? 0)) {
      this.blocks.push(new Uint8Array(Math.max(blockBytes, key.length)))
      this.used = 0
    }
    ;(this.blocks.at(-1) as Uint8Array).set(key, this.used)
    this.blockOf.push(this.blocks.length - 1)
    this.starts.push(this.used)
    this.lengths.push(key.length)
    this.used += key.length
  }

  private same(entry: number, key: Uint8Array): boolean {
    if (this.lengths[entry] !== key.length) return false
    const block = this.blocks[this.blockOf[entry] as number] as Uint8Array
    const start = this.starts[entry] as number
    for (let index = 0; index < key.length; index += 1) if (block[start + index] !== key[index]) return false
    return true
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2)
    const mask = this.slots.length - 1
    for (let entry = 0; entry < this.hashes.length; entry += 1) {
      let slot = ((this.hashes[entry] as number) ^ Math.imul(this.tables[entry] as number, 0x9e3779b1)) & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = entry + 1
    }
  }
}

/** FNV-1a, mixed once more so that its low bits are as good as its high ones. */
export function hashOf(key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ (key[index] as number), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
