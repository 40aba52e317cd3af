import { ConfigurationError } from './errors.js'

/** Nothing grows without bound: each buffer has a limit with a name. */
export interface Limits {
  /** Elements held back, or stored in flight, at one operator until all inputs have delivered a barrier. More aborts the checkpoint. Default 100,000. */
  readonly heldElementsMax: number
  /** Elements that wait at an operator that is busy (a feedback loop). More ends the run. Default 10,000. */
  readonly entryQueueMax: number
  /** Keys (and windows) with state in one operator. More ends the run. Default 16,000,000; a JavaScript `Map` holds 2^24. */
  readonly rowsMax: number
  /** Decided transactions that a sink has not confirmed, with those of checkpoints that are under way. More lets checkpoints wait. Default 16. */
  readonly unconfirmedCommitsMax: number
  /** Records that are read from a source at once. Default 1,024. */
  readonly sourceBatchMax: number
}

export const defaultLimits: Limits = {
  heldElementsMax: 100_000,
  entryQueueMax: 10_000,
  rowsMax: 16_000_000,
  unconfirmedCommitsMax: 16,
  sourceBatchMax: 1_024,
}

export function limitsOf(options: Partial<Limits> = {}): Limits {
  const limits = { ...defaultLimits, ...options }
  for (const [name, value] of Object.entries(limits)) atLeast(`limits.${name}`, value, 1)
  return limits
}

/** Checks a number of an option: whole or `Infinity`, and not below `least`. */
export function atLeast(option: string, value: unknown, least: number): void {
  if (typeof value !== 'number' || !(Number.isInteger(value) || value === Number.POSITIVE_INFINITY) || value < least)
    throw new ConfigurationError('OPTION_INVALID', { option, found: value, expected: `a whole number from ${least}` })
}
