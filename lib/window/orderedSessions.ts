import type { Row } from '../state/row.js'

/** A session as it is stored: where it starts and ends. It stands under the name under which its contents are. */
export type StoredSession = readonly [start: number, end: number]

/** So many sessions stand in one run; a longer one is cut in two. */
const runMax = 512

/**
 * The sessions of one key, in order: adding and removing costs little, however many there are.
 *
 * **Invariants** Sessions neither overlap nor touch, so the order of their starts is that of their ends. No run is empty.
 */
export class OrderedSessions {
  private readonly runs: Row<StoredSession>[][] = []

  get empty(): boolean {
    return this.runs.length === 0
  }

  /** The sessions that overlap or touch a stretch of time, in order. */
  touching(start: number, end: number): Row<StoredSession>[] {
    const found: Row<StoredSession>[] = []
    for (let at = this.runBehind(start); at < this.runs.length; at += 1) {
      const run = this.runs[at] as Row<StoredSession>[]
      for (let index = firstBehind(run, start); index < run.length; index += 1) {
        const row = run[index] as Row<StoredSession>
        if (row.value[0] > end) return found
        found.push(row)
      }
    }
    return found
  }

  /** Adds a session that touches no other. */
  add(row: Row<StoredSession>): void {
    const at = Math.min(this.runBehind(row.value[0]), this.runs.length - 1)
    const run = this.runs[at]
    if (run === undefined) {
      this.runs.push([row])
      return
    }
    run.splice(firstBehind(run, row.value[0]), 0, row)
    if (run.length > runMax) this.runs.splice(at + 1, 0, run.splice(runMax / 2))
  }

  remove(row: Row<StoredSession>): void {
    const at = this.runBehind(row.value[1])
    const run = this.runs[at] as Row<StoredSession>[]
    run.splice(firstBehind(run, row.value[1]), 1)
    if (run.length === 0) this.runs.splice(at, 1)
  }

  /** The first run whose last session ends at a moment or behind it. */
  private runBehind(moment: number): number {
    return lowest(this.runs.length, (index) => endOf((this.runs[index] as Row<StoredSession>[]).at(-1)) >= moment)
  }
}

const endOf = (row: Row<StoredSession> | undefined): number => (row as Row<StoredSession>).value[1]

/** The first session that ends at a moment or behind it. */
const firstBehind = (run: readonly Row<StoredSession>[], moment: number): number => lowest(run.length, (index) => endOf(run[index]) >= moment)

/** The lowest index below `count` for which something holds that holds for all above it; `count` if there is none. */
function lowest(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
