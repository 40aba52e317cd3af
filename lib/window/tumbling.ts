import type { TimeDomain } from '../state/timers.js'
import { type SlidingAssigner, sliding } from './sliding.js'

/**
 * Windows of one size, one after the other.
 *
 * A window holds the times from its start up to, and not including, its end.
 *
 * @param options - `sizeMs`; `offsetMs` moves the borders away from 1970, by less than the size; `time`: whose clock, that of the
 *   records (default) or the machine's
 * @throws ConfigurationError `OPTION_INVALID`
 * @example The hour of a moment
 * ```ts
 * tumbling({ sizeMs: 3_600_000 }).startOf(7_300_000) // => 7200000
 * ```
 * @category windows
 * @since 0.1.0
 */
export const tumbling = (options: { readonly sizeMs: number; readonly offsetMs?: number; readonly time?: TimeDomain }): SlidingAssigner =>
  sliding({ ...options, slideMs: options.sizeMs })
