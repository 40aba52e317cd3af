import type { SchedulerLike } from 'rxjs'

/** Takes back what was asked of a clock. Calling it twice does nothing. */
export type Cancel = () => void

/**
 * Time is a parameter: what time is it, call me at, let others run.
 *
 * Everything below `lib/`, `operators/`, `backends/` and `laws/` asks the clock of its run, so that one seed replays one run.
 */
export interface Clock {
  /** Milliseconds since 1970. It may jump, also backwards: nothing derives an order from it. */
  nowMs(): number
  /** Calls `work` once, not before `atMs`, and never within this call. */
  callAt(atMs: number, work: () => void): Cancel
  /** Resolves after the rest of the application had its turn. */
  yield(): Promise<void>
}

/** The longest wait that a platform timer takes in one piece (2^31 - 1 ms); longer ones would fire at once. */
const timerMsMax = 2 ** 31 - 1

/** The one place that reads the machine's time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  callAt(atMs, work) {
    let timer: ReturnType<typeof setTimeout>
    const arm = (): void => {
      const leftMs = atMs - Date.now()
      timer = leftMs > timerMsMax ? setTimeout(arm, timerMsMax) : setTimeout(work, Math.max(0, leftMs))
    }
    arm()
    return () => clearTimeout(timer)
  },
  yield: macrotask(),
}

/** A turn of the event loop without the 1 ms (in browsers 4 ms) that `setTimeout` waits at least. */
function macrotask(): () => Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (work: () => void) => void }
  if (immediate !== undefined) return () => new Promise((resolve) => immediate(resolve))
  return () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(undefined)
    })
}

/** Makes a clock of an rxjs scheduler, such as a `TestScheduler`. */
export const schedulerClock = (scheduler: SchedulerLike): Clock => ({
  nowMs: () => scheduler.now(),
  callAt(atMs, work) {
    const scheduled = scheduler.schedule(work, Math.max(0, atMs - scheduler.now()))
    return () => scheduled.unsubscribe()
  },
  yield: () => Promise.resolve(),
})
