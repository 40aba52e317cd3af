import { json } from '../codec.js'
import { atLeast } from '../limits.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { type ReducingState, reducingState } from '../state/reducingState.js'
import { type Trigger, trigger } from './trigger.js'

/**
 * Emits with every `max` records of a window, which keeps them.
 *
 * It does not look at time: what comes behind the last full count of a window is not emitted.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category windows
 * @since 0.2.0
 */
export function countTrigger(max: number): Trigger<unknown, { readonly count: StateDescriptor<ReducingState<number>> }> {
  atLeast('max', max, 1)
  return trigger({
    state: { count: reducingState(json<number>(), (a: number, b: number) => a + b) },
    onElement(_value: unknown, _timestamp, _window, { state: { count } }) {
      count.add(1)
      if ((count.get() ?? 0) < max) return 'continue'
      count.clear()
      return 'fire'
    },
    onMerge: (_window, context) => context.mergeState('count'),
  })
}
