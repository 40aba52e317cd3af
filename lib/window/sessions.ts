import { type Key, type MapKey, mapKey } from '../key.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import { type TimeWindow, timeWindow } from './timeWindow.js'

/** A session as it is stored: where it starts and ends. It stands under the name under which its contents are. */
export type StoredSession = readonly [start: number, end: number]

/** What became of a window that was added. */
export interface Added {
  /** The session that it is now part of. */
  readonly window: TimeWindow
  /** Where the contents of the session are: under the name of its first window. They do not move while it grows. */
  readonly contents: Key
  /** The sessions that were there before and became this one; none where it is new, or was there already and did not grow. */
  readonly sources: readonly TimeWindow[]
  /** Where further contents are, which now belong to this session. */
  readonly absorbed: readonly Key[]
}

/** The name of a window that may be of any size. */
export const spanName = ({ start, end }: TimeWindow): Key => `${start}/${end}`

export function windowOfSpan(name: string): TimeWindow {
  const slash = name.indexOf('/')
  return timeWindow(Number(name.slice(0, slash)), Number(name.slice(slash + 1)))
}

/**
 * The windows of each key that merge when they touch.
 *
 * **Invariants** Sessions of one key neither overlap nor touch, so they have one order, and the contents of each stand under
 * the name of a window inside it, which no other has.
 */
export class Sessions {
  private readonly ordered = new Map<MapKey, Row<StoredSession>[]>()

  constructor(private readonly table: RowTable<StoredSession>) {}

  restored(): void {
    for (const row of this.table.rows()) this.of(row.key).push(row)
    for (const rows of this.ordered.values()) rows.sort((a, b) => a.value[0] - b.value[0])
  }

  add(key: Key, window: TimeWindow): Added {
    const rows = this.of(key)
    const from = firstBehind(rows, window.start)
    let to = from
    while (to < rows.length && startOf(rows, to) <= window.end) to += 1
    const touched = rows.slice(from, to)
    const [first, ...others] = touched
    if (first === undefined) {
      const row = this.table.create(key, spanName(window), [window.start, window.end])
      rows.splice(from, 0, row)
      return { window, contents: row.namespace as Key, sources: [], absorbed: [] }
    }
    const start = Math.min(first.value[0], window.start)
    const end = Math.max((touched.at(-1) as Row<StoredSession>).value[1], window.end)
    const contents = first.namespace as Key
    if (others.length === 0 && start === first.value[0] && end === first.value[1]) return { window: timeWindow(start, end), contents, sources: [], absorbed: [] }
    const sources = touched.map(({ value }) => timeWindow(...value))
    this.table.write(first, [start, end])
    for (const other of others) this.table.remove(other)
    rows.splice(from + 1, others.length)
    return { window: timeWindow(start, end), contents, sources, absorbed: others.map(({ namespace }) => namespace as Key) }
  }

  /** Where the contents of a session are; undefined when there is none of just this start and end. */
  contentsOf(key: Key, window: TimeWindow): Key | undefined {
    const [row] = this.at(key, window)
    return row?.namespace
  }

  retire(key: Key, window: TimeWindow): void {
    const [row, index, rows] = this.at(key, window)
    if (row === undefined) return
    this.table.remove(row)
    rows.splice(index, 1)
    if (rows.length === 0) this.ordered.delete(mapKey(key))
  }

  private at(key: Key, { start, end }: TimeWindow): readonly [row: Row<StoredSession> | undefined, index: number, rows: Row<StoredSession>[]] {
    const rows = this.ordered.get(mapKey(key)) ?? []
    const index = firstBehind(rows, end)
    const row = rows[index]
    return [row !== undefined && row.value[0] === start && row.value[1] === end ? row : undefined, index, rows]
  }

  private of(key: Key): Row<StoredSession>[] {
    const at = mapKey(key)
    let rows = this.ordered.get(at)
    if (rows === undefined) {
      rows = []
      this.ordered.set(at, rows)
    }
    return rows
  }
}

const startOf = (rows: readonly Row<StoredSession>[], index: number): number => (rows[index] as Row<StoredSession>).value[0]

/** The index of the first session that ends at a moment or behind it. */
function firstBehind(rows: readonly Row<StoredSession>[], moment: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as Row<StoredSession>).value[1] < moment) low = middle + 1
    else high = middle
  }
  return low
}
