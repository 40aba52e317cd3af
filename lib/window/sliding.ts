import type { TimeDomain } from '../state/timers.js'
import type { Assigner } from './assigner.js'
import { defaultTrigger } from './defaultTrigger.js'
import { type TimeWindow, timeWindow } from './timeWindow.js'
import { duration, knownTime, offsetBelow, windowStart } from './windowStart.js'

export interface SlidingOptions {
  readonly sizeMs: number
  /** A window starts every so often. Smaller than the size, windows overlap; larger, there are gaps. */
  readonly slideMs: number
  /** Moves the borders away from 1970, by less than the slide. */
  readonly offsetMs?: number
  readonly time?: TimeDomain
}

/** Windows of one size. */
export interface SlidingAssigner extends Assigner {
  readonly sizeMs: number
  readonly slideMs: number
  readonly offsetMs: number
  /** The start of the newest window of a moment. */
  startOf(timestampMs: number): number
}

/**
 * Windows of one size, one every `slideMs`.
 *
 * A record belongs to all that hold its time; behind a slide larger than the size, to none in the gaps.
 *
 * **When to use** for figures of the last hour, every minute.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @example The windows of a moment, the newest first
 * ```ts
 * sliding({ sizeMs: 10, slideMs: 5 }).assign('any', 7).map(({ start }) => start) // => [5, 0]
 * ```
 * @category windows
 * @since 0.2.0
 */
export function sliding({ sizeMs, slideMs, offsetMs = 0, time = 'event' }: SlidingOptions): SlidingAssigner {
  duration('sizeMs', sizeMs)
  duration('slideMs', slideMs)
  offsetBelow(slideMs, slideMs === sizeMs ? 'size' : 'slide', offsetMs)
  knownTime(time)
  return {
    name: `sliding ${sizeMs}/${slideMs} ${time}`,
    time,
    sizeMs,
    slideMs,
    offsetMs,
    trigger: defaultTrigger(time),
    startOf: (timestampMs) => windowStart(timestampMs, slideMs, offsetMs),
    assign(_value, timeMs) {
      const windows: TimeWindow[] = []
      for (let start = windowStart(timeMs, slideMs, offsetMs); start > timeMs - sizeMs; start -= slideMs)
        windows.push(timeWindow(start, start + sizeMs))
      return windows
    },
  }
}
