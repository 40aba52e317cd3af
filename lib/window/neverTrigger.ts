import type { Trigger } from './trigger.js'

/**
 * Never emits. The default of {@link globalWindow}.
 *
 * @category windows
 * @since 0.2.0
 */
export const neverTrigger = (): Trigger => ({
  onElement: () => 'continue',
  onMerge() {},
})
