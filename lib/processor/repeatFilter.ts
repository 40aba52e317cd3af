import type { RowHash } from './rowHash.js'

/** Each of the two questions has 128 million bits, in blocks that are made when they are needed. */
const blocks = 16 * 1024
const blockWords = 256
const wordMask = blockWords - 1

/**
 * Which rows may have been told more than once. It says yes of every one that was, and of a few that were not: a Bloom filter of what was
 * seen, and one of what was seen again. At most 32 MiB.
 */
export class RepeatFilter {
  private readonly seen = new Bits()
  private readonly again = new Bits()

  /** Notes a row that is told. True where it may have been told before. */
  add({ first, second }: RowHash): boolean {
    const isAgain = this.seen.has(first) && this.seen.has(second)
    const bits = isAgain ? this.again : this.seen
    bits.put(first)
    bits.put(second)
    return isAgain
  }

  /** Forgets all, and keeps the memory for what follows. */
  clear(): void {
    this.seen.clear()
    this.again.clear()
  }

  mayRepeat({ first, second }: RowHash): boolean {
    return this.again.has(first) && this.again.has(second)
  }
}

class Bits {
  private readonly blocks: (Uint32Array | undefined)[] = new Array<undefined>(blocks).fill(undefined)

  has(hash: number): boolean {
    const block = this.blocks[hash >>> 18]
    return block !== undefined && ((block[(hash >>> 5) & wordMask] as number) & (1 << (hash & 31))) !== 0
  }

  clear(): void {
    for (const block of this.blocks) block?.fill(0)
  }

  put(hash: number): void {
    const at = hash >>> 18
    let block = this.blocks[at]
    if (block === undefined) this.blocks[at] = block = new Uint32Array(blockWords)
    const word = (hash >>> 5) & wordMask
    block[word] = (block[word] as number) | (1 << (hash & 31))
  }
}
