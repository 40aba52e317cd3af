import { ConfigurationError } from '../errors.js'

/** Checks how long a twin waits: 0 lets only what comes in the same millisecond through. */
export function waitMs(option: string, ms: unknown, least = 0): asserts ms is number {
  if (!Number.isSafeInteger(ms) || (ms as number) < least)
    throw new ConfigurationError('OPTION_INVALID', { option, found: ms, expected: `a whole number of milliseconds from ${least}` })
}
