import type { Clock } from '../lib/clock.js'

/** Time that passes at once: what is to be called later is called next. Whoever waits for data that is there never waits long. */
export function eagerClock(): Clock {
  let nowMs = 0
  return {
    nowMs: () => nowMs,
    callAt(atMs, work) {
      let wanted = true
      void Promise.resolve().then(() => {
        nowMs = Math.max(nowMs, atMs)
        if (wanted) work()
      })
      return () => {
        wanted = false
      }
    },
    yield: () => Promise.resolve(),
  }
}
