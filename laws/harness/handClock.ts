import type { Cancel, Clock } from '../../lib/clock.js'

/** Something that waits for its time. */
export interface HandCall {
  readonly atMs: number
  readonly work: () => void
}

/** Time that stands still until it is told to go on, with a look at what is waited for. */
export class HandClock implements Clock {
  readonly calls = new Set<HandCall>()

  constructor(public time = 0) {}

  nowMs = (): number => this.time

  callAt = (atMs: number, work: () => void): Cancel => {
    const call = { atMs, work }
    this.calls.add(call)
    return () => this.calls.delete(call)
  }

  yield = (): Promise<void> => Promise.resolve()

  /** Calls what is due, in the order of time, also what is asked for meanwhile. */
  fire(upToMs: number): void {
    for (;;) {
      const [first] = [...this.calls].filter(({ atMs }) => atMs <= upToMs).sort((a, b) => a.atMs - b.atMs)
      if (first === undefined) return
      this.calls.delete(first)
      first.work()
    }
  }
}
