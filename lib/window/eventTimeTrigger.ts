import type { Trigger } from './trigger.js'

/**
 * Emits when event time has reached the last moment of a window, and again for each late record that is allowed.
 *
 * The default for windows of event time.
 *
 * @category windows
 * @since 0.2.0
 */
export const eventTimeTrigger = (): Trigger => ({
  onElement(_value, _timestamp, { lastMs }, { timers }) {
    if (lastMs <= timers.watermark) return 'fire'
    timers.eventTime(lastMs)
    return 'continue'
  },
  onEventTime: (atMs, { lastMs }) => (atMs === lastMs ? 'fire' : 'continue'),
  /** A merge never emits by itself. */
  onMerge({ lastMs }, { timers }) {
    if (lastMs > timers.watermark) timers.eventTime(lastMs)
  },
  clear: ({ lastMs }, { timers }) => timers.deleteEventTime(lastMs),
})
