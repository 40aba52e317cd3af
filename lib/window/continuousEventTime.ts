import { json } from '../codec.js'
import { StreamError } from '../errors.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { type ReducingState, reducingState } from '../state/reducingState.js'
import type { TimeWindow } from './timeWindow.js'
import { type Trigger, type TriggerContext, trigger } from './trigger.js'
import { duration } from './windowStart.js'

type Next = { readonly next: StateDescriptor<ReducingState<number>> }

/**
 * Emits every `intervalMs` of event time, and at the end of a window.
 *
 * The first time is the next multiple of the interval behind the first record.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function continuousEventTime(intervalMs: number): Trigger<unknown, Next> {
  duration('intervalMs', intervalMs)
  const fireBehind = (timeMs: number, { lastMs }: TimeWindow, { state, timers }: TriggerContext<Next>): void => {
    const next = Math.min(timeMs + intervalMs, lastMs)
    state.next.add(next)
    timers.eventTime(next)
  }
  return trigger({
    state: { next: reducingState(json<number>(), (a: number, b: number) => Math.min(a, b)) },
    onElement(_value: unknown, timestamp, window, context) {
      const { state, timers } = context
      if (window.lastMs <= timers.watermark) return 'fire'
      timers.eventTime(window.lastMs)
      if (state.next.get() !== undefined) return 'continue'
      if (timestamp === undefined) throw new StreamError('TIMESTAMP_INVALID', { found: timestamp })
      fireBehind(timestamp - (timestamp % intervalMs), window, context)
      return 'continue'
    },
    onEventTime(atMs, window, context) {
      const { next } = context.state
      if (atMs === window.lastMs) return 'fire'
      if (next.get() !== atMs) return 'continue'
      next.clear()
      fireBehind(atMs, window, context)
      return 'fire'
    },
    onMerge(_window, context) {
      context.mergeState('next')
      const next = context.state.next.get()
      if (next !== undefined) context.timers.eventTime(next)
    },
    clear({ lastMs }, { state, timers }) {
      const next = state.next.get()
      if (next !== undefined) timers.deleteEventTime(next)
      timers.deleteEventTime(lastMs)
    },
  })
}
