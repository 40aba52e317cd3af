import { type CodecOf, json } from '../codec.js'
import type { StateDescriptor } from '../state/descriptor.js'
import { type ValueState, valueState } from '../state/valueState.js'
import { type Trigger, trigger } from './trigger.js'

export interface DeltaOptions<T> {
  readonly threshold: number
  /** How far a value is from an earlier one. */
  readonly delta: (earlier: T, value: T) => number
}

/**
 * Emits when a value is further than `threshold` from the one that emitted last.
 *
 * The first value of a window is where it begins; it does not emit. It cannot be used with windows that merge.
 *
 * @param options - `value`: what a value looks like, default plain data
 * @category windows
 * @since 0.2.0
 */
export function deltaTrigger<T>({
  threshold,
  delta,
  value = json<T>(),
}: DeltaOptions<T> & { readonly value?: CodecOf<T> }): Trigger<T, { readonly last: StateDescriptor<ValueState<T>> }> {
  return trigger({
    state: { last: valueState<T, CodecOf<T>>(value as never) as unknown as StateDescriptor<ValueState<T>> },
    onElement(current: T, _timestamp, _window, { state: { last } }) {
      const earlier = last.value()
      if (earlier !== undefined && !(delta(earlier, current) > threshold)) return 'continue'
      last.update(current)
      return earlier === undefined ? 'continue' : 'fire'
    },
  })
}
