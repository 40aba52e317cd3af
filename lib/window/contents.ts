import type { Key } from '../key.js'
import type { TimeWindow } from './timeWindow.js'

/** What windows hold of the records of a key. `name` is that under which a window is stored. */
export interface Contents<T> {
  add(key: Key, name: Key, value: T, timestamp: number | undefined): void
  /** Shows what a window holds, unless that is nothing. */
  show(key: Key, name: Key, window: TimeWindow): void
  clear(key: Key, name: Key): void
  merge(key: Key, target: Key, sources: readonly Key[]): void
  restored?(): void
}
