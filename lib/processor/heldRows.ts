import { allKeys, halves, inShare, type KeyShare } from './keyShares.js'
import type { RowHash } from './rowHash.js'

/** What a row in memory takes beside its bytes, about: its objects, and views of its bytes. */
const rowOverhead = 600

interface Held<A> {
  readonly hash: RowHash
  readonly bytes: number
  readonly value: A
}

/**
 * What is held of rows until all have been told, in a bounded part of memory: where it does not suffice, half of the keys are put off
 * until the rows are told once more.
 */
export class HeldRows<A> {
  /** By the text of the address. */
  private readonly rows = new Map<string, Held<A>>()
  private readonly putOff: KeyShare[] = []
  private share: KeyShare = allKeys
  private bytes = 0

  constructor(private readonly heldBytesMax: number) {}

  /** Whether the rows of a key are held in this turn. */
  takes(hash: RowHash): boolean {
    return inShare(hash, this.share)
  }

  get(address: string): A | undefined {
    return this.rows.get(address)?.value
  }

  /** Holds what is known of a row, in place of what was known before. The hash is copied. */
  put(address: string, hash: RowHash, value: A, valueBytes: number, overhead = rowOverhead): void {
    const before = this.rows.get(address)
    const bytes = address.length + valueBytes + overhead
    this.bytes += bytes - (before?.bytes ?? 0)
    this.rows.set(address, { hash: before?.hash ?? { first: hash.first, second: hash.second }, bytes, value })
    while (this.bytes > this.heldBytesMax && this.rows.size > 1 && this.putOffHalf());
  }

  values(): IterableIterator<A> {
    return valuesOf(this.rows.values())
  }

  /** Goes on to keys that were put off; false where there are none left. */
  nextTurn(): boolean {
    this.rows.clear()
    this.bytes = 0
    const next = this.putOff.pop()
    if (next === undefined) return false
    this.share = next
    return true
  }

  private putOffHalf(): boolean {
    const parts = halves(this.share)
    if (parts === undefined) return false
    this.share = parts[0]
    this.putOff.push(parts[1])
    for (const [address, { hash, bytes }] of this.rows) {
      if (inShare(hash, this.share)) continue
      this.rows.delete(address)
      this.bytes -= bytes
    }
    return true
  }
}

function* valuesOf<A>(held: Iterable<Held<A>>): IterableIterator<A> {
  for (const { value } of held) yield value
}
