import { type Evictor, type EvictorOptions, evictWhen } from './evictor.js'
import { duration } from './windowStart.js'

/**
 * Keeps the values of the last `sizeMs`, counted back from the newest event time in the window.
 *
 * One exactly `sizeMs` older goes. Where the first value has no event time, all stay.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function timeEvictor(sizeMs: number, options: EvictorOptions = {}): Evictor<unknown> {
  duration('sizeMs', sizeMs)
  return evictWhen(options, (held) => {
    if (held[0]?.timestamp === undefined) return held
    let newest = Number.NEGATIVE_INFINITY
    for (const { timestamp = Number.NEGATIVE_INFINITY } of held) newest = Math.max(newest, timestamp)
    return held.filter(({ timestamp = Number.NEGATIVE_INFINITY }) => timestamp > newest - sizeMs)
  })
}
