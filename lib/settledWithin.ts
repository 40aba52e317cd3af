import type { Clock } from './clock.js'

/** Whether a promise that does not reject resolves within a time; `Infinity` waits for it. */
export function settledWithin(clock: Clock, settled: Promise<unknown>, ms: number): Promise<boolean> {
  if (ms === Number.POSITIVE_INFINITY) return settled.then(() => true)
  return new Promise((resolve) => {
    const cancel = clock.callAt(clock.nowMs() + ms, () => resolve(false))
    void settled.then(() => {
      cancel()
      resolve(true)
    })
  })
}
