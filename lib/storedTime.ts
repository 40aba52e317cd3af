import { BackendError } from './errors.js'
import type { Json } from './json.js'

/** An event time as a checkpoint keeps it: JSON has no infinities. */
export const storedTime = (timestampMs: number): Json =>
  timestampMs === Number.NEGATIVE_INFINITY ? 'none' : timestampMs === Number.POSITIVE_INFINITY ? 'end' : timestampMs

export function timeStored(stored: Json | undefined): number {
  if (typeof stored === 'number') return stored
  if (stored === 'none') return Number.NEGATIVE_INFINITY
  if (stored === 'end') return Number.POSITIVE_INFINITY
  throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'an event time is neither a number nor "none" nor "end"' })
}
