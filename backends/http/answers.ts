import type { Clock } from '../../lib/clock.js'
import type { Failure } from './backoff.js'

/** Statuses below 500 that say: later. */
const later = new Set([408, 425, 429])

/** Whether trying again may help. */
export const isPassing = (status: number): boolean => status >= 500 || later.has(status)

/** A status that may pass, as the reason for another attempt. */
export const passing = (response: Response, clock: Clock): Failure => ({
  reason: `the status ${response.status}`,
  status: response.status,
  afterMs: retryAfterMs(response.headers.get('retry-after'), clock),
})

/** Seconds, or a date. */
function retryAfterMs(header: string | null, clock: Clock): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - clock.nowMs())
}

/** Lets go of an answer whose body nobody wants. */
export const dropBody = async (response: Response): Promise<void> => {
  // Its connection is closed then; that it may have failed before changes nothing.
  await response.body?.cancel().catch(() => undefined)
}

/** An address as errors show it: what stands behind `?`, and before `@`, may be secret. */
export function shownUrl(url: string | URL): string {
  try {
    const { origin, pathname } = new URL(url)
    return `${origin}${pathname}`
  } catch {
    return 'an address that is none'
  }
}
