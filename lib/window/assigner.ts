import type { TimeDomain } from '../state/timers.js'
import type { TimeWindow } from './timeWindow.js'
import type { Trigger } from './trigger.js'

/** Which windows a record belongs to. */
export interface Assigner<in T = unknown> {
  /** Says what it assigns. A restored operator must say the same: it is how stored windows are understood. */
  readonly name: string
  /** By which clock its windows begin and end. `none`: they do not. */
  readonly time: TimeDomain | 'none'
  /** Windows that touch become one. */
  readonly merging?: boolean
  /** All windows are of this size: they are stored under their start alone. */
  readonly sizeMs?: number
  /** The windows of a record. `timeMs` is its event time, or that of the clock. */
  assign(value: T, timeMs: number): readonly TimeWindow[]
  /** When windows emit, unless the operator is told otherwise. */
  readonly trigger: Trigger
}
