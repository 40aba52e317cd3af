import { StreamError } from './errors.js'
import type { Machine, Receiver } from './machine.js'
import type { Sliced, Slices } from './slices.js'

/**
 * The entry of an operator that may put work off: what comes meanwhile waits, in order.
 *
 * **Invariants** While work is put off the machine is called for nothing else. When too much waits, the work is done at once:
 * nothing is lost, and only then a slice is longer than it should be.
 */
export class SlicedEntry implements Receiver<never>, Sliced {
  /** Work was put off: whatever comes has to `wait`. */
  holds = false
  working = false
  private step: (() => boolean) | undefined
  private done: (() => void) | undefined
  private waiting: (() => void)[] = []
  private at = 0

  constructor(
    private readonly machine: Machine<never>,
    private readonly slices: Slices,
    private readonly operator: string,
    private readonly entryQueueMax: number,
  ) {}

  processRecord(value: never, timestamp: number | undefined, key: unknown, input?: number): void {
    if (this.holds) this.wait(() => this.machine.processRecord(value, timestamp, key, input))
    else this.machine.processRecord(value, timestamp, key, input)
  }

  /** Puts off what `step` has left to do, until it answers that it is done. */
  putOff(step: () => boolean, done: () => void): void {
    this.step = step
    this.done = done
    if (this.holds) return
    this.holds = true
    this.slices.add(this)
  }

  /** Keeps what has come for later. */
  wait(work: () => void): void {
    if (this.waiting.length - this.at < this.entryQueueMax) {
      this.waiting.push(work)
      return
    }
    if (this.working) throw new StreamError('ENTRY_QUEUE_FULL', { operator: this.operator, entryQueueMax: this.entryQueueMax })
    this.slices.finish(this)
    work()
  }

  /** Does everything that was put off, and what has waited for it. */
  finish(): void {
    if (this.holds) this.slices.finish(this)
  }

  goOn(): boolean {
    this.working = true
    try {
      return this.work()
    } finally {
      this.working = false
    }
  }

  /** The operator has ended: nothing that was put off is of interest any more. */
  drop(): void {
    this.step = this.done = undefined
    this.waiting = []
    this.at = 0
  }

  private work(): boolean {
    while (!this.isThrough()) {
      const { step, done } = this
      if (step !== undefined) {
        if (!step()) return false
        this.step = this.done = undefined
        done?.()
      } else {
        const next = this.waiting[this.at] as () => void
        this.at += 1
        next()
      }
      // What was emitted may have been too much for somebody further down.
      if (!this.isThrough() && (!this.slices.isFirst(this) || this.slices.isOver())) return false
    }
    return true
  }

  private isThrough(): boolean {
    if (this.step !== undefined || this.at < this.waiting.length) return false
    this.holds = false
    this.waiting = []
    this.at = 0
    return true
  }
}
