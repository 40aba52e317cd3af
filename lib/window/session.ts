import { ConfigurationError, StreamError } from '../errors.js'
import type { TimeDomain } from '../state/timers.js'
import type { Assigner } from './assigner.js'
import { defaultTrigger } from './defaultTrigger.js'
import { timeWindow } from './timeWindow.js'
import { duration, knownTime } from './windowStart.js'

export type SessionOptions<T> = { readonly time?: TimeDomain } & (
  | { readonly gapMs: number; readonly gapOf?: never }
  /** The gap behind a value, in ms. */
  | { readonly gapOf: (value: T) => number; readonly gapMs?: never }
)

/**
 * One window for records that follow each other without a gap.
 *
 * A session ends `gapMs` behind its last record; a record exactly at the end still continues it.
 *
 * **When to use** for visits, rides, conversations: what ends when nothing comes any more.
 *
 * @throws ConfigurationError `OPTION_INVALID` for a gap below 1; StreamError `SESSION_GAP_INVALID` when `gapOf` returns one
 * @example The session that a record would begin
 * ```ts
 * session({ gapMs: 30 }).assign('any', 100)[0] // => { start: 100, end: 130, lastMs: 129 }
 * ```
 * @category windows
 * @since 0.2.0
 */
export function session<T = unknown>(options: SessionOptions<T>): Assigner<T> {
  const { gapMs, gapOf, time = 'event' } = options
  knownTime(time)
  if (gapOf === undefined) duration('gapMs', gapMs)
  else if (typeof gapOf !== 'function' || gapMs !== undefined)
    throw new ConfigurationError('OPTION_INVALID', { option: 'gapOf', found: typeof gapOf, expected: 'a function, and no gapMs beside it' })
  const gapBehind = (value: T): number => {
    if (gapOf === undefined) return gapMs
    const gap = gapOf(value)
    if (!Number.isSafeInteger(gap) || gap < 1) throw new StreamError('SESSION_GAP_INVALID', { found: gap })
    return gap
  }
  return {
    name: `session ${time}`,
    time,
    merging: true,
    trigger: defaultTrigger(time),
    assign: (value, timeMs) => [timeWindow(timeMs, timeMs + gapBehind(value))],
  }
}
