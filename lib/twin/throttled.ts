import type { StateCodec } from '../codec.js'
import type { HeldValue } from './heldValue.js'
import { joinTexts, splitTexts } from './textParts.js'
import { storedNumber, timeText } from './timedValue.js'

/** A key that waits. */
export interface Throttled<T> {
  /** Until this time of the clock. */
  readonly untilMs: number
  /** What came last meanwhile, where that one goes on at the end. */
  readonly last: Omit<HeldValue<T>, 'dueMs'> | undefined
}

export const throttledCodec = <T>(values: StateCodec<T>): StateCodec<Throttled<T>> => ({
  version: values.version,
  toText: ({ untilMs, last }) =>
    joinTexts(last === undefined ? [`${untilMs}`] : [`${untilMs}`, timeText(last.heldMs), timeText(last.timestamp), values.toText(last.value)]),
  fromText(text, version) {
    const [untilMs, heldMs, timestamp, value] = splitTexts(text)
    const last =
      value === undefined ? undefined : { heldMs: storedNumber(heldMs), timestamp: storedNumber(timestamp), value: values.fromText(value, version) }
    return { untilMs: Number(untilMs), last }
  },
})
