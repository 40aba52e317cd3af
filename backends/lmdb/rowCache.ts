import { LRUCache } from 'lru-cache'
import type { Row } from '../../lib/state/row.js'
import { roughBytes } from './roughBytes.js'

/** About what a row takes beside its value: the row, its place in its table and in the cache, its key. */
export const rowBytes = 320

/** Whoever holds rows in memory that the store has, too. */
export interface Evicting {
  evict(row: Row<never>): void
}

/** Rows of all tables of a run that are in memory as they are in the store: those used last. */
export class RowCache {
  private readonly rows: LRUCache<Row<never>, Evicting>

  constructor(private readonly cacheBytesMax: number) {
    this.rows = new LRUCache({
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
