import { lastEventTime } from './timeWindow.js'
import type { Trigger } from './trigger.js'

/**
 * Emits once, at the end of the input.
 *
 * @category windows
 * @since 0.2.0
 */
export const endOfStreamTrigger = (): Trigger => ({
  onElement(_value, _timestamp, _window, { timers }) {
    timers.eventTime(lastEventTime)
    return 'continue'
  },
  onEventTime: (atMs) => (atMs === lastEventTime ? 'fire' : 'continue'),
  onMerge: (_window, { timers }) => timers.eventTime(lastEventTime),
  clear: (_window, { timers }) => timers.deleteEventTime(lastEventTime),
})
