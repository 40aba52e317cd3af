import type { Row } from './row.js'

/** So many times without rows are always tolerated. */
const spareTimes = 64

interface Begun<S> {
  readonly timeMs: number
  readonly rows: IterableIterator<Row<S>>
}

/**
 * Rows by the event time at which something is due for them, soonest first.
 *
 * Many windows end at the same time, so times are kept in a binary heap once each, with the rows of each time in a set. Timers of
 * single records have a time each: one row stands there without a set.
 */
export class DueRows<S> {
  private times: number[] = []
  private readonly rowsAt = new Map<number, Row<S> | Set<Row<S>>>()
  /** A time of which some rows were visited, and some not yet. */
  private begun: Begun<S> | undefined

  /** The soonest time at which something is due. */
  get first(): number | undefined {
    if (this.begun !== undefined) return this.begun.timeMs
    // Times whose rows were all taken back are still in the heap.
    for (let first = this.times[0]; first !== undefined; first = this.times[0]) {
      if (this.rowsAt.has(first)) return first
      this.pop()
    }
    return undefined
  }

  /** Registering twice is registering once. */
  add(timeMs: number, row: Row<S>): void {
    const rows = this.rowsAt.get(timeMs)
    if (rows === undefined) {
      this.rowsAt.set(timeMs, row)
      this.push(timeMs)
    } else if (rows instanceof Set) rows.add(row)
    else if (rows !== row) this.rowsAt.set(timeMs, new Set([rows, row]))
  }

  /** Takes a row back before its time. */
  delete(timeMs: number, row: Row<S>): void {
    const rows = this.rowsAt.get(timeMs)
    if (rows instanceof Set ? !rows.delete(row) || rows.size > 0 : rows !== row) return
    this.rowsAt.delete(timeMs)
    // The time stays in the heap until it is reached, or until most times there have no rows any more: a sorted list is a heap.
    if (this.times.length > 2 * this.rowsAt.size + spareTimes) this.times = [...this.rowsAt.keys()].sort((a, b) => a - b)
  }

  /**
   * Visits what is due up to a time, in the order of time; what is added meanwhile and due joins in.
   *
   * @param isOver - asked behind each row; where it is, the rest is left to the next call
   * @returns whether everything was visited
   */
  advance(upToMs: number, visit: (timeMs: number, row: Row<S>) => void, isOver?: () => boolean): boolean {
    const { begun } = this
    if (begun !== undefined && !this.visitAll(begun.timeMs, begun.rows, visit, isOver)) return false
    for (let first = this.times[0]; first !== undefined && first <= upToMs; first = this.times[0]) {
      this.pop()
      const rows = this.rowsAt.get(first)
      this.rowsAt.delete(first)
      if (rows instanceof Set) {
        if (!this.visitAll(first, rows.values(), visit, isOver)) return false
      } else if (rows !== undefined) {
        visit(first, rows)
        if (isOver?.() === true) return false
      }
    }
    return true
  }

  /** Goes on where the iterator stands. The iterator of a set can be left in the middle: leaving a loop does not close it. */
  private visitAll(
    timeMs: number,
    rows: Begun<S>['rows'],
    visit: (timeMs: number, row: Row<S>) => void,
    isOver: (() => boolean) | undefined,
  ): boolean {
    this.begun = undefined
    for (const row of rows) {
      visit(timeMs, row)
      if (isOver?.() !== true) continue
      this.begun = { timeMs, rows }
      return false
    }
    return true
  }

  private push(timeMs: number): void {
    const { times } = this
    let at = times.push(timeMs) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((times[parent] as number) <= timeMs) break
      times[at] = times[parent] as number
      at = parent
    }
    times[at] = timeMs
  }

  private pop(): void {
    const { times } = this
    const last = times.pop()
    if (last === undefined || times.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= times.length) break
      if (child + 1 < times.length && (times[child + 1] as number) < (times[child] as number)) child += 1
      if ((times[child] as number) >= last) break
      times[at] = times[child] as number
      at = child
    }
    times[at] = last
  }
}
