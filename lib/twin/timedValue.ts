import type { StateCodec } from '../codec.js'
import { joinTexts, splitTexts } from './textParts.js'

/** A value that is kept with its event time, if it has one. */
export interface TimedValue<T> {
  readonly value: T
  readonly timestamp: number | undefined
}

export const timedCodec = <T>(values: StateCodec<T>): StateCodec<TimedValue<T>> => ({
  version: values.version,
  toText: ({ timestamp, value }) => joinTexts([timeText(timestamp), values.toText(value)]),
  fromText(text, version) {
    const [timestamp, value = ''] = splitTexts(text)
    return { timestamp: storedNumber(timestamp), value: values.fromText(value, version) }
  },
})

export const timeText = (timestamp: number | undefined): string => (timestamp === undefined ? 'null' : `${timestamp}`)

export const storedNumber = (text: string | undefined): number | undefined => (text === undefined || text === 'null' ? undefined : Number(text))

/** The later of two event times, or the only one. */
export function later(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
