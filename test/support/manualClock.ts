import type { Clock } from '../../lib/clock.js'

export interface ManualClock extends Clock {
  /** Lets time pass: calls everything that is due, in order. */
  advance(ms: number): Promise<void>
  /** Calls that were asked for and have not come. */
  readonly pendingCount: number
}

/** Lets everything that is ready, and the file system, have its turn. */
export const settled = async (turns = 20): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Time that stands still until it is told to go on. */
export function manualClock(startMs = 0): ManualClock {
  let nowMs = startMs
  const calls = new Set<{ readonly atMs: number; readonly work: () => void }>()
  return {
    nowMs: () => nowMs,
    callAt(atMs, work) {
      const call = { atMs, work }
      calls.add(call)
      return () => calls.delete(call)
    },
    yield: () => Promise.resolve(),
    async advance(ms) {
      nowMs += ms
      for (const call of [...calls].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)) if (calls.delete(call)) call.work()
      await settled()
    },
    get pendingCount() {
      return calls.size
    },
  }
}
