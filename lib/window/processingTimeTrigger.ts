import type { Trigger } from './trigger.js'

/**
 * Emits when the clock has reached the last moment of a window.
 *
 * The default for windows of processing time.
 *
 * @category windows
 * @since 0.2.0
 */
export const processingTimeTrigger = (): Trigger => ({
  onElement(_value, _timestamp, { lastMs }, { timers }) {
    timers.processingTime(lastMs)
    return 'continue'
  },
  onProcessingTime: () => 'fire',
  onMerge({ lastMs }, { timers }) {
    if (lastMs > timers.processingMs) timers.processingTime(lastMs)
  },
  clear: ({ lastMs }, { timers }) => timers.deleteProcessingTime(lastMs),
})
