import { RepeatFilter } from './repeatFilter.js'
import type { RowHash } from './rowHash.js'

/** Keys are told apart by so many bits of their hash. */
const bucketBits = 20
const bucketMask = 2 ** bucketBits - 1

/**
 * Which rows of two checkpoints may differ, so that only those have to be held and compared.
 *
 * Rows go into buckets by their keys. What a bucket has of the first is added to its sums, and what it has of the second is taken away: where
 * something is left, some row of it differs. A row that is told several times, or deleted, marks its bucket, since the order counts there.
 * A bucket that differs passes for one that does not only where 64 bits happen to be equal.
 */
export class ChangedKeys {
  private readonly sums = new Uint32Array(2 * (bucketMask + 1))
  private readonly marked = new Uint8Array(bucketMask + 1)
  private readonly filter = new RepeatFilter()
  private sign = 1

  /** What follows is of the second checkpoint. */
  secondSide(): void {
    this.sign = -1
    this.filter.clear()
  }

  /** Notes a row that is told. */
  add(hash: RowHash, key: Uint8Array, value: Uint8Array | undefined): void {
    const bucket = hash.first & bucketMask
    if (this.filter.add(hash) || value === undefined) {
      this.marked[bucket] = 1
      return
    }
    let one = hash.second
    let other = ~hash.first
    for (const bytes of [key, value])
      for (let at = 0; at < bytes.length; at += 1) {
        const byte = bytes[at] as number
        one = Math.imul(one ^ byte, 0x01000193)
        other = Math.imul(other, 0x2c1b3c6d) + byte
        other ^= other >>> 15
      }
    one = Math.imul(one ^ (one >>> 16), 0x85ebca6b)
    one ^= one >>> 13
    this.sums[2 * bucket] = (this.sums[2 * bucket] as number) + this.sign * one
    this.sums[2 * bucket + 1] = (this.sums[2 * bucket + 1] as number) + this.sign * other
  }

  mayDiffer({ first }: RowHash): boolean {
    const bucket = first & bucketMask
    return this.marked[bucket] === 1 || this.sums[2 * bucket] !== 0 || this.sums[2 * bucket + 1] !== 0
  }
}
