/**
 * Long work of a run, done in slices: a million timers that are due, windows that end together.
 *
 * **Invariants** Work that does not fit is put off in the middle, and while there is any nothing new is let in: no record, no posted
 * work, so no barrier and no snapshot. Of several, the one that began last goes on first: what is emitted leads downstream, so
 * whoever emits waits until whoever takes is through. Work is put off only where the run can go on with it later: within a call of
 * the run itself, and not where elements come by way of other code.
 */
import type { Clock } from './clock.js'
import { invariant } from './errors.js'
import type { Pacing } from './pacing.js'

/** Work that was put off. */
export interface Sliced {
  /** It is at it just now. */
  readonly working: boolean
  /** Does more of it; true when it is done. */
  goOn(): boolean
}

/** The clock is asked with every sixteenth step: where these bits are 0. */
const lookMask = 15

export class Slices {
  /** Something was put off. A field, because it is read for every record. */
  held = false
  private readonly putOff: Sliced[] = []
  private allowed = false
  private stepsLeft = 0
  private startedMs = 0

  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly pacing: Pick<Pacing, 'stepsPerSlice' | 'sliceMs'>,
  ) {
    this.begin()
  }

  /** Others had their turn: a new slice begins. */
  begin(): void {
    this.startedMs = this.clock.nowMs()
    this.stepsLeft = Math.max(1, this.pacing.stepsPerSlice())
  }

  /** Asked behind each step of long work: whether the rest should be put off. */
  readonly isOver = (): boolean => {
    if (!this.allowed) return false
    this.stepsLeft -= 1
    if (this.stepsLeft > 0 && ((this.stepsLeft & lookMask) !== 0 || this.clock.nowMs() - this.startedMs < this.pacing.sliceMs)) return false
    this.stepsLeft = 0
    return true
  }

  /** Runs work of the run, in which long work may be put off. */
  within<A>(work: () => A): A {
    const before = this.allowed
    this.allowed = true
    try {
      return work()
    } finally {
      this.allowed = before
    }
  }

  add(work: Sliced): void {
    this.putOff.push(work)
    this.held = true
  }

  /** Whether nothing further down has to go on first. */
  isFirst(work: Sliced): boolean {
    return this.putOff.at(-1) === work
  }

  /** Goes on until the slice is over, or everything is done. */
  goOn(): void {
    this.within(() => {
      for (let work = this.putOff.at(-1); work !== undefined; work = this.putOff.at(-1)) {
        if (work.goOn()) this.remove(work)
        if (this.stepsLeft === 0) return
      }
    })
  }

  /** Does all of some work at once, and before it what has to go first. */
  finish(work: Sliced): void {
    const before = this.allowed
    this.allowed = false
    try {
      while (this.putOff.includes(work)) {
        const first = this.putOff.at(-1) as Sliced
        invariant(!first.working, 'work that is put off is not at it')
        if (first.goOn()) this.remove(first)
      }
    } finally {
      this.allowed = before
    }
  }

  private remove(work: Sliced): void {
    this.putOff.splice(this.putOff.indexOf(work), 1)
    this.held = this.putOff.length > 0
  }
}
