import type { Clock } from './clock.js'

/** Resolves when so much time has passed, and at once when the signal aborts: whoever waits asks the signal which it was. */
export function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.callAt(clock.nowMs() + ms, end)
    signal.addEventListener('abort', end)
  })
}
