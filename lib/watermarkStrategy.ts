import type { Json } from './json.js'
import { atLeast } from './limits.js'
import { storedTime, timeStored } from './storedTime.js'

/** How a stream's event time follows from the event times of its records. */
export interface WatermarkStrategy {
  /** Without a record for longer than this the stream counts as idle and holds nobody back. */
  readonly idleAfterMs: number | undefined
  /** Streams of one group stay together: one that is ahead of the slowest by more than the drift lets its sources pause. */
  readonly align?: { readonly group: string; readonly maxDriftMs: number } | undefined
  create(): WatermarkGenerator
}

/** Follows records, never the wall clock: the same records yield the same watermarks after a crash. */
export interface WatermarkGenerator {
  /** A record has passed; answers the watermark behind it, or `-Infinity`. */
  onRecord(timestampMs: number): number
  snapshot(): Json
  restore(stored: Json): void
}

export interface WatermarkOptions {
  readonly idleAfterMs?: number
  readonly align?: { readonly group: string; readonly maxDriftMs: number }
}

/**
 * Event time stays behind the largest one seen by a fixed delay.
 *
 * A record that is `delayMs` older than the newest one is still on time.
 *
 * @category progress
 * @since 0.1.0
 */
export function boundedOutOfOrderness({ delayMs, idleAfterMs, align }: WatermarkOptions & { readonly delayMs: number }): WatermarkStrategy {
  atLeast('delayMs', delayMs, 0)
  if (idleAfterMs !== undefined) atLeast('idleAfterMs', idleAfterMs, 1)
  if (align !== undefined) atLeast('align.maxDriftMs', align.maxDriftMs, 0)
  return { idleAfterMs, align, create: () => new BoundedOutOfOrderness(delayMs) }
}

/**
 * Records come in the order of their event time; one that does not is late.
 *
 * @category progress
 * @since 0.1.0
 */
export const monotonousTimestamps = (options: WatermarkOptions = {}): WatermarkStrategy => boundedOutOfOrderness({ ...options, delayMs: 0 })

class BoundedOutOfOrderness implements WatermarkGenerator {
  private newestMs = Number.NEGATIVE_INFINITY

  constructor(private readonly delayMs: number) {}

  onRecord(timestampMs: number): number {
    if (timestampMs > this.newestMs) this.newestMs = timestampMs
    return this.newestMs - this.delayMs - 1
  }

  snapshot(): Json {
    return storedTime(this.newestMs)
  }

  restore(stored: Json): void {
    this.newestMs = timeStored(stored)
  }
}
