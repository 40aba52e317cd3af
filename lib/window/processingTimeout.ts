import { json } from '../codec.js'
import type { StateDescriptors } from '../state/descriptor.js'
import { type ValueState, valueState } from '../state/valueState.js'
import type { TimeWindow } from './timeWindow.js'
import { clearTrigger, type Decision, fires, purges, type Trigger, type TriggerContext } from './trigger.js'
import { duration } from './windowStart.js'

export interface ProcessingTimeoutOptions {
  readonly afterMs: number
  /** Each record begins the wait anew. Default no: it begins with the first. */
  readonly resetOnElement?: boolean
  /** The nested trigger forgets what it counted when the time is up. Default yes. */
  readonly clearOnTimeout?: boolean
}

/**
 * Lets another trigger decide, but not longer than `afterMs` of the clock.
 *
 * It cannot be used with windows that merge.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function processingTimeout<T, D extends StateDescriptors>(
  nested: Trigger<T, D>,
  { afterMs, resetOnElement = false, clearOnTimeout = true }: ProcessingTimeoutOptions,
): Trigger<T, D> {
  duration('afterMs', afterMs)
  let name = 'timeout'
  while (nested.state !== undefined && name in nested.state) name += 'Outer'
  const dueOf = (context: TriggerContext<D>): ValueState<number> => context.state[name] as ValueState<number>
  const clear = (window: TimeWindow, context: TriggerContext<D>): void => {
    const due = dueOf(context)
    const atMs = due.value()
    if (atMs !== undefined) {
      context.timers.deleteProcessingTime(atMs)
      due.clear()
    }
    clearTrigger(nested, window, context)
  }
  const timedOut = (decision: Decision, window: TimeWindow, context: TriggerContext<D>): Decision => {
    if (clearOnTimeout) clear(window, context)
    return purges(decision) ? 'fireAndPurge' : 'fire'
  }
  return {
    state: { ...nested.state, [name]: valueState(json<number>()) } as unknown as D,
    onElement(value, timestamp, window, context) {
      const decision = nested.onElement(value, timestamp, window, context)
      if (fires(decision)) {
        clear(window, context)
        return decision
      }
      const due = dueOf(context)
      const atMs = due.value()
      if (atMs !== undefined && !resetOnElement) return decision
      if (atMs !== undefined) context.timers.deleteProcessingTime(atMs)
      const next = Math.floor(context.timers.processingMs) + afterMs
      due.update(next)
      context.timers.processingTime(next)
      return decision
    },
    onEventTime: (atMs, window, context) => timedOut(nested.onEventTime?.(atMs, window, context) ?? 'continue', window, context),
    onProcessingTime: (atMs, window, context) => timedOut(nested.onProcessingTime?.(atMs, window, context) ?? 'continue', window, context),
    clear,
  }
}
