import type { Assigner } from './assigner.js'
import { neverTrigger } from './neverTrigger.js'
import { allTime } from './timeWindow.js'

/**
 * One window for all records of a key.
 *
 * It emits when its trigger says so, by default never, and stays until it is purged. Results carry the last event time there
 * is, `Number.MAX_SAFE_INTEGER`.
 *
 * **When to use** with a trigger of your own, or {@link countWindow}.
 *
 * @category windows
 * @since 0.2.0
 */
export const globalWindow = (): Assigner => ({
  name: 'global',
  time: 'none',
  sizeMs: Number.POSITIVE_INFINITY,
  trigger: neverTrigger(),
  assign: () => [allTime],
})
