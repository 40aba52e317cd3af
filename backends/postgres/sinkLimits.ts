import { atLeast } from '../../lib/limits.js'

/** What is in nobody's hands but ours has limits. */
export interface SinkLimitOptions {
  /** The run pauses its sources, and asks for a checkpoint, while so many records are not committed. Default 10,000. */
  readonly recordsMax?: number
  /** The same for the characters of their JSON. Default 4 Mi. */
  readonly charactersMax?: number
}

export type SinkLimits = Required<SinkLimitOptions>

export function sinkLimits({ recordsMax = 10_000, charactersMax = 4 * 1024 * 1024 }: SinkLimitOptions): SinkLimits {
  atLeast('recordsMax', recordsMax, 1)
  atLeast('charactersMax', charactersMax, 1)
  return { recordsMax, charactersMax }
}
