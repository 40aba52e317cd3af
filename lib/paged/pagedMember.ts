import type { Paging } from './paging.js'

/** A table that pages, of either shape. */
export interface PagedMember {
  readonly paging: Paging<unknown>
  /** The checkpoint knows the table. */
  readonly isRestored: boolean
  /** How many rows it begins with: those that the store has. */
  setSize(rows: number): void
}
