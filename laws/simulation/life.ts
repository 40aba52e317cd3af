/**
 * The life of one process in a simulated schedule: its clock, and its way to everything outside.
 *
 * **Invariants** From the instant of its death nothing that the process does has an effect, and nothing that it waits for
 * answers. A paused process does nothing until it is woken; what it sent before may still arrive.
 */
import type { Cancel, Clock } from '../../lib/clock.js'
import type { Ending } from './plan.js'
import type { Slow, World } from './world.js'

export interface LifeHost {
  /** The ending that the plan has for this life was reached, at something that happened. */
  ended(ending: Ending, label: string): void
  /** Something happened in the middle of a call. */
  happened(label: string): void
  /** Whether a call of this kind fails now. */
  fault(kind: Slow): boolean
}

const never = new Promise<never>(() => {})

export class Life implements Clock {
  dead = false
  paused = false
  /** What was opened and not closed. */
  open = 0
  private readonly timers = new Set<Cancel>()
  private ending: Ending | undefined
  private seen = 0

  constructor(
    readonly world: World,
    private readonly host: LifeHost,
  ) {}

  /** How the life goes on from here: the ending is reached some events from now. */
  expect(ending: Ending | undefined): void {
    this.ending = ending
    this.seen = 0
  }

  /** Something has happened in this process. False when it does not live any more. */
  mark(label: string): boolean {
    if (this.dead) return false
    this.world.note(label)
    this.host.happened(label)
    const { ending } = this
    if (ending === undefined) return true
    if (ending.at === undefined || label.startsWith(ending.at)) this.seen += 1
    if (this.seen > ending.after) {
      this.ending = undefined
      this.host.ended(ending, label)
    }
    return !this.dead
  }

  /** Waits until the schedule lets this go on: for ever, when the process dies meanwhile. */
  async step(kind: Slow, label: string): Promise<void> {
    if (this.dead) return never
    await new Promise<void>((resolve) => this.world.wait({ kind, label, paused: () => this.paused || this.dead, run: resolve }))
    if (!this.mark(label)) return never
  }

  fault(kind: Slow): boolean {
    return !this.dead && this.host.fault(kind)
  }

  /** Asks something of the world outside: it hears of it at some instant, and its answer arrives at another. */
  async ask<A>(kind: Slow, label: string, call: () => Promise<A>): Promise<A> {
    await this.step(kind, `${label} begins`)
    const answer = await call()
    await this.step(kind, `${label} ends`)
    return answer
  }

  die(): void {
    this.dead = true
    for (const cancel of [...this.timers]) cancel()
    this.timers.clear()
  }

  /** Callbacks that were asked for and neither came nor were cancelled. */
  get timersLeft(): number {
    return this.timers.size
  }

  // ---- the clock of the run

  nowMs(): number {
    return this.world.nowMs
  }

  callAt(atMs: number, work: () => void): Cancel {
    if (this.dead) return () => {}
    const cancel = this.world.call(
      atMs,
      () => this.paused,
      () => {
        this.timers.delete(cancel)
        if (this.mark('timer')) work()
      },
    )
    const both: Cancel = () => {
      this.timers.delete(cancel)
      cancel()
    }
    this.timers.add(cancel)
    return both
  }

  yield(): Promise<void> {
    return this.step('clock', 'yield')
  }
}
