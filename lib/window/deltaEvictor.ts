import type { DeltaOptions } from './deltaTrigger.js'
import { type Evictor, type EvictorOptions, evictWhen } from './evictor.js'

/**
 * Keeps the values of a window that are nearer than `threshold` to its last one.
 *
 * @category windows
 * @since 0.2.0
 */
export const deltaEvictor = <T>({ threshold, delta, ...options }: DeltaOptions<T> & EvictorOptions): Evictor<T> =>
  evictWhen<T>(options, (held) => {
    const last = held.at(-1)
    return last === undefined ? held : held.filter(({ value }) => delta(value, last.value) < threshold)
  })
