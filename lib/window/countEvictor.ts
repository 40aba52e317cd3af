import { atLeast } from '../limits.js'
import { type Evictor, type EvictorOptions, evictWhen } from './evictor.js'

/**
 * Keeps the last `max` values of a window.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function countEvictor(max: number, options: EvictorOptions = {}): Evictor<unknown> {
  atLeast('max', max, 1)
  return evictWhen(options, (held) => (held.length <= max ? held : held.slice(held.length - max)))
}
