import { DueRows } from './dueRows.js'
import type { Row } from './row.js'
import type { RowStore } from './rowStore.js'
import type { CheckedTtl } from './ttl.js'

/** How finely the index looks: rows that expire within the same fraction of their life are looked at together. */
const grain = 16

/**
 * The time to live of the rows of one table.
 *
 * With an index, each row is registered once for a moment after its expiry; one that was touched meanwhile is registered again
 * for later. So a row costs nothing while it is touched, and a key that never comes again is freed all the same.
 */
export class Expiry<S> {
  private readonly due = new DueRows<S>()
  private readonly stepMs: number
  /** Where a clean-up along the way has got to. */
  private along: IterableIterator<Row<S>> | undefined

  constructor(
    readonly ttl: CheckedTtl,
    private readonly now: () => number,
    private readonly table: RowStore<S>,
    /** Called when something is registered that is due earlier than everything before. */
    private readonly arm: (atMs: number) => void,
  ) {
    this.stepMs = Math.max(1, Math.floor(ttl.afterMs / grain))
  }

  isExpired(row: Row<S>): boolean {
    return row.touchedMs + this.ttl.afterMs <= this.now()
  }

  /** A row was created, or restored. */
  track(row: Row<S>): void {
    if (this.ttl.cleanup !== 'index') return
    const atMs = Math.ceil((row.touchedMs + this.ttl.afterMs) / this.stepMs) * this.stepMs
    const first = this.due.first
    this.due.add(atMs, row)
    if (first === undefined || atMs < first) this.arm(atMs)
  }

  /** Reads a row by the rules: what is expired is removed, and shown a last time where that was asked for. */
  read(found: Row<S> | undefined): { readonly value: S } | undefined {
    this.lookFurther()
    const row = found === undefined ? undefined : this.table.current(found)
    if (row === undefined) return undefined
    if (this.isExpired(row)) {
      this.table.remove(row)
      return this.ttl.expired === 'untilRemoved' ? { value: row.value } : undefined
    }
    if (this.ttl.refresh === 'onReadAndWrite') this.table.refresh(row)
    return { value: row.value }
  }

  /** Removes what is due; false where the rest is left to the next call. */
  sweep(isSliceOver?: () => boolean): boolean {
    const again: Row<S>[] = []
    const visit = (_atMs: number, row: Row<S>): void => {
      if (!row.live) return
      if (this.isExpired(row)) this.table.remove(row)
      else again.push(row)
    }
    const all = this.due.advance(this.now(), visit, isSliceOver)
    for (const row of again) this.track(row)
    if (this.due.first !== undefined) this.arm(this.due.first)
    return all
  }

  /** Looks at some rows more, in a round that begins anew when it is through. */
  lookFurther(): void {
    const { cleanup } = this.ttl
    if (typeof cleanup !== 'object') return
    for (let left = cleanup.rowsPerAccess; left > 0; left--) {
      this.along ??= this.table.rows()
      const next = this.along.next()
      if (next.done === true) {
        this.along = undefined
        return
      }
      if (next.value.live && this.ttl.expired === 'hidden' && this.isExpired(next.value)) this.table.remove(next.value)
    }
  }

  restored(): void {
    if (this.ttl.cleanup !== 'index') return
    for (const row of this.table.rows()) this.track(row)
  }
}
