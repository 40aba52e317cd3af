import type { Row } from '../state/row.js'
import { roughBytes } from './roughBytes.js'

/** About what a row takes beside its value: the row, its place in its table and in the cache, its key. */
export const rowBytes = 320

/** Whoever holds rows in memory that the store has, too. */
export interface Evicting {
  evict(row: Row<never>): void
}

/** What keeps owners by row, and drops those that were used longest ago: an `LRUCache`, which the core does not bring along. */
export interface UsedLast {
  get(row: Row<never>): unknown
  set(row: Row<never>, owner: Evicting): unknown
  delete(row: Row<never>): unknown
  readonly size: number
}

export interface UsedLastOptions {
  readonly maxSize: number
  sizeCalculation(owner: Evicting, row: Row<never>): number
  dispose(owner: Evicting, row: Row<never>, reason: string): void
}

export type MakeUsedLast = (options: UsedLastOptions) => UsedLast

/** Rows of all tables of a run that are in memory as they are in the store: those used last. */
export class RowCache {
  private readonly rows: UsedLast

  constructor(
    private readonly cacheBytesMax: number,
    usedLast: MakeUsedLast,
  ) {
    this.rows = usedLast({
      maxSize: cacheBytesMax,
      sizeCalculation: (_owner, row) => Math.min(this.cacheBytesMax, rowBytes + roughBytes(row.value)),
      dispose: (owner, row, reason) => {
        if (reason === 'evict') owner.evict(row)
      },
    })
  }

  add<S>(row: Row<S>, owner: Evicting): void {
    this.rows.set(row as Row<never>, owner)
  }

  /** It was used: others go before it. */
  use<S>(row: Row<S>): void {
    this.rows.get(row as Row<never>)
  }

  /** It is not as it is in the store any more. */
  remove<S>(row: Row<S>): void {
    this.rows.delete(row as Row<never>)
  }

  get size(): number {
    return this.rows.size
  }
}
