import { ConfigurationError } from '../errors.js'
import { atLeast } from '../limits.js'

/** The start of the window of a moment, where windows start every `everyMs`. Right for moments before 1970, too. */
export function windowStart(timestampMs: number, everyMs: number, offsetMs: number): number {
  const into = (timestampMs - offsetMs) % everyMs
  // Adding zero turns -0 into 0.
  return timestampMs - (into < 0 ? into + everyMs : into) + 0
}

/** Checks a length of time. */
export function duration(option: string, ms: number): void {
  atLeast(option, ms, 1)
  if (!Number.isSafeInteger(ms)) throw new ConfigurationError('OPTION_INVALID', { option, found: ms, expected: 'a whole number of milliseconds' })
}

/** Checks an offset: closer to 0 than what it shifts. */
export function offsetBelow(everyMs: number, what: string, offsetMs: number): void {
  if (!Number.isSafeInteger(offsetMs) || Math.abs(offsetMs) >= everyMs)
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'offsetMs',
      found: offsetMs,
      expected: `a whole number closer to 0 than the ${what}, ${everyMs}`,
    })
}

/** Checks the clock of an assigner. */
export function knownTime(time: unknown): void {
  if (time !== 'event' && time !== 'processing')
    throw new ConfigurationError('OPTION_INVALID', { option: 'time', found: time, expected: ['event', 'processing'] })
}
