import type { Row } from '../state/row.js'
import type { StoredRow } from './pagedStore.js'

/** What a walk over a table asks of it. */
export interface WalkedTable<S> {
  /** All rows that are in memory. */
  inMemory(): Iterable<Row<S>>
  /** What is there now where a row was found earlier. */
  current(row: Row<S>): Row<S> | undefined
  isClean(row: Row<S>): boolean
  textOf(row: Row<S>): string
  /** Deletions that the store may not know of. */
  removedTexts(): Iterable<string>
  /** The row of an address: the one that is in memory, or else one made of the cells; none where it was removed, or the state has none there. */
  rowOf(text: string, cells: Uint8Array): Row<S> | undefined
}

const utf8 = new TextDecoder()

/**
 * Visits all rows of a table: first those that the store does not know, or not as they are, then the store from one end to the other.
 *
 * Rows may change meanwhile, and checkpoints may be published. Rows that come meanwhile may be visited, and none is twice.
 */
export function* pagedRows<S>(table: WalkedTable<S>, stored: Iterable<StoredRow>): IterableIterator<Row<S>> {
  const changed = [...table.inMemory()].filter((row) => !table.isClean(row))
  const told = new Set(table.removedTexts())
  for (const row of changed) told.add(table.textOf(row))
  for (const row of changed) {
    // Once it is durable it may be evicted before the walk gets here, and another row of its address be written or removed.
    const current = table.current(row)
    if (current !== undefined) yield current
  }
  for (const { key, cells } of stored) {
    const text = utf8.decode(key.subarray(2))
    if (told.has(text)) continue
    const row = table.rowOf(text, cells)
    if (row !== undefined) yield row
  }
}
