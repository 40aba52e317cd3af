import { taskEither } from 'fp-ts'
import type { StateBackend, StateTables } from '../ports/stateBackend.js'
import { EntryTable } from './entryTable.js'
import { RowTable } from './rowTable.js'

/** Tables on the heap. They hold nothing beyond the run that they were made for. */
export const heapTables: StateTables = {
  rows: (options, scope) => new RowTable(options, scope),
  entries: (options, scope) => new EntryTable(options, scope),
  close: () => () => Promise.resolve(),
}

/**
 * Keeps live rows on the heap, decoded.
 *
 * **When to use** by default: a record costs one look-up in a `Map`, and what is kept between checkpoints is what the rows take.
 *
 * @example What it can do
 * ```ts
 * heap().manifest.largerThanMemory // => false
 * ```
 * @category backends
 * @since 0.2.0
 */
export const heap = (): StateBackend => ({
  manifest: { name: 'heap', largerThanMemory: false, concurrentCaptures: true },
  open: () => taskEither.right(heapTables),
})
