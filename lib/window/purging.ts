import type { StateDescriptors } from '../state/descriptor.js'
import { type Decision, fires, type Trigger } from './trigger.js'

/**
 * Empties a window whenever another trigger lets it emit.
 *
 * @category windows
 * @since 0.2.0
 */
export function purging<T, D extends StateDescriptors>(nested: Trigger<T, D>): Trigger<T, D> {
  const purged = (decision: Decision): Decision => (fires(decision) ? 'fireAndPurge' : decision)
  return {
    ...nested,
    onElement: (value, timestamp, window, context) => purged(nested.onElement(value, timestamp, window, context)),
    onEventTime: (atMs, window, context) => purged(nested.onEventTime?.(atMs, window, context) ?? 'continue'),
    onProcessingTime: (atMs, window, context) => purged(nested.onProcessingTime?.(atMs, window, context) ?? 'continue'),
    ...(nested.onMerge === undefined ? {} : { onMerge: (window, context) => nested.onMerge?.(window, context) }),
    clear: (window, context) => nested.clear?.(window, context),
  }
}
