import type { StateCodec } from '../codec.js'
import { BackendError } from '../errors.js'
import type { Key } from '../key.js'
import type { EntryTable } from '../state/entryTable.js'
import type { Row } from '../state/row.js'
import type { Contents } from './contents.js'
import type { Evictor, Timed } from './evictor.js'
import type { TimeWindow } from './timeWindow.js'

/** Windows that hold all their records, in the order of arrival. */
export class ListedContents<T> implements Contents<T> {
  constructor(
    private readonly table: EntryTable<Timed<T>>,
    private readonly evictor: Evictor<T> | undefined,
    private readonly showValues: (values: readonly T[], key: Key, window: TimeWindow) => void,
  ) {}

  add(key: Key, name: Key, value: T, timestamp: number | undefined): void {
    this.append(key, name, { value, timestamp })
  }

  show(key: Key, name: Key, window: TimeWindow): void {
    let rows = [...this.table.entries(key, name)]
    if (rows.length === 0) return
    rows = this.evict(this.evictor?.before, rows, window)
    this.showValues(
      rows.map(({ value }) => value.value),
      key,
      window,
    )
    this.evict(this.evictor?.after, rows, window)
  }

  clear(key: Key, name: Key): void {
    for (const row of this.table.entries(key, name)) this.table.remove(row)
  }

  merge(key: Key, target: Key, sources: readonly Key[]): void {
    for (const source of sources) {
      for (const row of this.table.entries(key, source)) {
        this.table.remove(row)
        this.append(key, target, row.value)
      }
    }
  }

  restored(): void {
    this.table.order()
  }

  /** What does not stay is no longer in the window. */
  private evict(stay: Evictor<T>['before'], rows: Row<Timed<T>>[], window: TimeWindow): Row<Timed<T>>[] {
    if (stay === undefined) return rows
    const kept = new Set<Timed<unknown>>(
      stay.call(
        this.evictor,
        rows.map(({ value }) => value),
        window,
      ),
    )
    if (kept.size === rows.length) return rows
    for (const row of rows) if (!kept.has(row.value)) this.table.remove(row)
    return rows.filter(({ live }) => live)
  }

  private append(key: Key, name: Key, value: Timed<T>): void {
    this.table.create(key, name, this.table.nextNumber(key, name), value)
  }
}

/** A value with its event time: `1700000000000 "text of the value"`; without one, `- "text of the value"`. */
export const timedCodec = <T>(codec: StateCodec<T>): StateCodec<Timed<T>> => ({
  version: codec.version,
  toText: ({ value, timestamp }) => `${timestamp ?? '-'} ${codec.toText(value)}`,
  fromText(text, version) {
    const space = text.indexOf(' ')
    const stored = text.slice(0, space)
    const timestamp = stored === '-' ? undefined : Number(stored)
    if (space < 1 || Number.isNaN(timestamp)) throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a value of a window has no event time' })
    return { timestamp, value: codec.fromText(text.slice(space + 1), version) }
  },
})
