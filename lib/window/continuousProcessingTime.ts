import { json } from '../codec.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { type ReducingState, reducingState } from '../state/reducingState.js'
import type { TimeWindow } from './timeWindow.js'
import { type Trigger, type TriggerContext, trigger } from './trigger.js'
import { duration } from './windowStart.js'

type Next = { readonly next: StateDescriptor<ReducingState<number>> }

/**
 * Emits every `intervalMs` of the clock while a window is open.
 *
 * The first time is the next multiple of the interval behind the first record.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function continuousProcessingTime(intervalMs: number): Trigger<unknown, Next> {
  duration('intervalMs', intervalMs)
  const fireBehind = (timeMs: number, { lastMs }: TimeWindow, { state, timers }: TriggerContext<Next>): void => {
    // A window of event time may stay open when the clock has passed its end: from then on its end is no limit.
    const next = lastMs > timeMs ? Math.min(timeMs + intervalMs, lastMs) : timeMs + intervalMs
    state.next.add(next)
    timers.processingTime(next)
  }
  return trigger({
    state: { next: reducingState(json<number>(), (a: number, b: number) => Math.min(a, b)) },
    onElement(_value: unknown, _timestamp, window, context) {
      const nowMs = Math.floor(context.timers.processingMs)
      if (context.state.next.get() === undefined) fireBehind(nowMs - (nowMs % intervalMs), window, context)
      return 'continue'
    },
    onProcessingTime(atMs, window, context) {
      const { next } = context.state
      if (next.get() !== atMs) return 'continue'
      next.clear()
      fireBehind(atMs, window, context)
      return 'fire'
    },
    onMerge(_window, context) {
      context.mergeState('next')
      const next = context.state.next.get()
      if (next !== undefined) context.timers.processingTime(next)
    },
    clear(_window, { state, timers }) {
      const next = state.next.get()
      if (next !== undefined) timers.deleteProcessingTime(next)
    },
  })
}
