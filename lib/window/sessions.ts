import { type Key, type MapKey, mapKey } from '../key.js'
import type { Row } from '../state/row.js'
import type { RowTable } from '../state/rowTable.js'
import { OrderedSessions, type StoredSession } from './orderedSessions.js'
import { type TimeWindow, timeWindow } from './timeWindow.js'

export type { StoredSession }

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
  private readonly ordered = new Map<MapKey, OrderedSessions>()

  constructor(private readonly table: RowTable<StoredSession>) {}

  restored(): void {
    for (const row of this.table.rows()) this.of(row.key).add(row)
  }

  add(key: Key, window: TimeWindow): Added {
    const sessions = this.of(key)
    const touched = sessions.touching(window.start, window.end)
    const [first, ...others] = touched
    if (first === undefined) {
      const row = this.table.create(key, spanName(window), [window.start, window.end])
      sessions.add(row)
      return { window, contents: row.namespace as Key, sources: [], absorbed: [] }
    }
    const start = Math.min(first.value[0], window.start)
    const end = Math.max((touched.at(-1) as Row<StoredSession>).value[1], window.end)
    const merged = timeWindow(start, end)
    const contents = first.namespace as Key
    if (others.length === 0 && start === first.value[0] && end === first.value[1]) return { window: merged, contents, sources: [], absorbed: [] }
    const sources = touched.map(({ value }) => timeWindow(...value))
    for (const other of others) {
      sessions.remove(other)
      this.table.remove(other)
    }
    // It keeps its place: nothing lies between its old span and the new one.
    this.table.write(first, [start, end])
    return { window: merged, contents, sources, absorbed: others.map(({ namespace }) => namespace as Key) }
  }

  /** Where the contents of a session are; undefined when there is none of just this start and end. */
  contentsOf(key: Key, window: TimeWindow): Key | undefined {
    return this.find(key, window)?.namespace
  }

  retire(key: Key, window: TimeWindow): void {
    const row = this.find(key, window)
    if (row === undefined) return
    const sessions = this.of(key)
    sessions.remove(row)
    this.table.remove(row)
    if (sessions.empty) this.ordered.delete(mapKey(key))
  }

  private find(key: Key, { start, end }: TimeWindow): Row<StoredSession> | undefined {
    const [row] = this.ordered.get(mapKey(key))?.touching(end, end) ?? []
    return row !== undefined && row.value[0] === start && row.value[1] === end ? row : undefined
  }

  private of(key: Key): OrderedSessions {
    const at = mapKey(key)
    let sessions = this.ordered.get(at)
    if (sessions === undefined) {
      sessions = new OrderedSessions()
      this.ordered.set(at, sessions)
    }
    return sessions
  }
}
