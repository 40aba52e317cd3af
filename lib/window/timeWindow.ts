/** The last event time there is. A window without end carries it, and an overflow ends there. */
export const lastEventTime = Number.MAX_SAFE_INTEGER

/** A stretch of time: from `start` up to, and not including, `end`. */
export interface TimeWindow {
  readonly start: number
  readonly end: number
  /** The last event time in it: the window is complete when event time has reached it, and its results carry it. */
  readonly lastMs: number
}

/**
 * The window of two moments.
 *
 * @example Ten milliseconds
 * ```ts
 * timeWindow(0, 10).lastMs // => 9
 * ```
 * @category windows
 * @since 0.2.0
 */
export const timeWindow = (start: number, end: number): TimeWindow => ({ start, end, lastMs: Math.min(end - 1, lastEventTime) })

/** All time there is: the one window of `globalWindow`. */
export const allTime: TimeWindow = timeWindow(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)

/** When a window is freed. What would lie beyond the last event time is never. */
export function cleanupTime({ lastMs }: TimeWindow, allowedLatenessMs: number): number {
  const atMs = lastMs + allowedLatenessMs
  return lastMs === lastEventTime || atMs > lastEventTime ? Number.POSITIVE_INFINITY : atMs
}
