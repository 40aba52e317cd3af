import { atLeast } from '../../../lib/limits.js'

/** When a part ends and the next one begins. Each option may be `Infinity` for never. */
export interface RollingOptions {
  /** A part of more bytes than this takes no further record. Default 128 MiB. */
  readonly sizeMax?: number
  /** A part ends so long after its first record. Default 60,000. */
  readonly ageMs?: number
  /** A part ends so long after its last record. Default 60,000. */
  readonly inactivityMs?: number
  /** Every part ends at the next checkpoint, so that what is written is visible with it. Default false. */
  readonly onCheckpoint?: boolean
}

export type RollingPolicy = Required<RollingOptions>

/** What a policy looks at. */
export interface PartAge {
  readonly createdMs: number
  readonly writtenMs: number
}

export function rollingPolicy({
  sizeMax = 128 * 1024 * 1024,
  ageMs = 60_000,
  inactivityMs = 60_000,
  onCheckpoint = false,
}: RollingOptions = {}): RollingPolicy {
  atLeast('rolling.sizeMax', sizeMax, 0)
  atLeast('rolling.ageMs', ageMs, 1)
  atLeast('rolling.inactivityMs', inactivityMs, 1)
  return { sizeMax, ageMs, inactivityMs, onCheckpoint }
}

/** When a part that gets no more records ends. */
export const dueMs = ({ ageMs, inactivityMs }: RollingPolicy, { createdMs, writtenMs }: PartAge): number =>
  Math.min(createdMs + ageMs, writtenMs + inactivityMs)
