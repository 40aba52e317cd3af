import type { StateCodec } from '../codec.js'
import { joinTexts, splitTexts } from './textParts.js'
import { storedNumber, type TimedValue, timeText } from './timedValue.js'

/** A value that waits for the clock. */
export interface HeldValue<T> extends TimedValue<T> {
  /** When it goes on, in the time of the clock. */
  readonly dueMs: number
  /** Its event time, where that one waits for it: it was not late when it came. */
  readonly heldMs: number | undefined
}

export const heldCodec = <T>(values: StateCodec<T>): StateCodec<HeldValue<T>> => ({
  version: values.version,
  toText: ({ dueMs, heldMs, timestamp, value }) => joinTexts([`${dueMs}`, timeText(heldMs), timeText(timestamp), values.toText(value)]),
  fromText(text, version) {
    const [dueMs, heldMs, timestamp, value = ''] = splitTexts(text)
    return { dueMs: Number(dueMs), heldMs: storedNumber(heldMs), timestamp: storedNumber(timestamp), value: values.fromText(value, version) }
  },
})
