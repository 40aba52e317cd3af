/**
 * The world of one simulated schedule: what is ready to go on, what time it is, and the one stream of chance that decides.
 *
 * Whatever would be left to the event loop, a disk or a network waits here until it is chosen. Nothing else decides about an
 * order, so one seed is one schedule.
 */
import { type Chance, chance } from '../crashFsChoices.js'

/** The kinds of things that wait; a schedule may make some of them slow. */
export type Slow = 'storage' | 'sink' | 'source' | 'clock'

export interface Work {
  readonly kind: Slow
  readonly label: string
  /** Does not go on while this is true: its process is paused. */
  paused(): boolean
  run(): void
}

interface Call {
  readonly atMs: number
  readonly order: number
  paused(): boolean
  run(): void
}

export type Settled = 'done' | 'idle' | 'tooLong'

/** Beyond this, time seldom passes while something else could happen. */
const soonMs = 5_000
/** A chain of promises that nothing in the world holds up is over after so many turns. */
const turnsMax = 400

export class World {
  readonly random: Chance
  /** It starts somewhere in the past, so that nothing takes 0 for "never". */
  nowMs = 1_000_000
  steps = 0
  /** Changes with everything that happens: the same seed has to end in the same number. */
  trace = 0x811c9dc5
  private readonly ready: Work[] = []
  private readonly calls = new Set<Call>()
  private order = 0

  constructor(
    seed: number,
    private readonly slow: readonly Slow[],
    private readonly stepsMax: number,
  ) {
    this.random = chance(seed)
  }

  /** A whole number from 0 to below `below`. */
  below(below: number): number {
    return Math.floor(this.random() * below)
  }

  note(label: string): void {
    for (let index = 0; index < label.length; index += 1) this.trace = Math.imul(this.trace ^ label.charCodeAt(index), 0x01000193) >>> 0
  }

  wait(work: Work): void {
    this.ready.push(work)
  }

  /** Calls back when time has come. */
  call(atMs: number, paused: () => boolean, run: () => void): () => void {
    const call: Call = { atMs, order: (this.order += 1), paused, run }
    this.calls.add(call)
    return () => void this.calls.delete(call)
  }

  /** Lets things happen, one after the other, until `until`, or until nothing is left that could. */
  async settle(until: () => boolean, between: () => void): Promise<Settled> {
    for (;;) {
      const turns = [1, 2, 4, 12, 40][this.below(5)] as number
      for (let turn = 0; turn < turns && !until(); turn += 1) await undefined
      for (let turn = 0; turn < turnsMax && !until() && !this.ready.some(going); turn += 1) await undefined
      if (until()) return 'done'
      if ((this.steps += 1) > this.stepsMax) return 'tooLong'
      between()
      if (until()) return 'done'
      if (!this.step()) return 'idle'
    }
  }

  /** Forgets everything that a dead process left behind. */
  forget(paused: (work: { paused(): boolean }) => boolean): void {
    for (const call of [...this.calls]) if (paused(call)) this.calls.delete(call)
  }

  private step(): boolean {
    const next = this.nextCall()
    const able = this.ready.filter(going)
    const farAway = next !== undefined && next.atMs > this.nowMs + soonMs
    if (able.length > 0 && (next === undefined || this.random() >= (farAway ? 0.004 : 0.12))) {
      const work = this.choose(able)
      this.ready.splice(this.ready.indexOf(work), 1)
      this.note(work.label)
      work.run()
      return true
    }
    if (next === undefined) return false
    this.calls.delete(next)
    this.nowMs = Math.max(this.nowMs, next.atMs)
    this.note('time')
    next.run()
    return true
  }

  private choose(able: readonly Work[]): Work {
    let work = able[this.below(able.length)] as Work
    for (let again = 0; again < 3 && this.slow.includes(work.kind); again += 1) work = able[this.below(able.length)] as Work
    return work
  }

  private nextCall(): Call | undefined {
    let next: Call | undefined
    for (const call of this.calls)
      if (!call.paused() && (next === undefined || call.atMs < next.atMs || (call.atMs === next.atMs && call.order < next.order))) next = call
    return next
  }
}

const going = (work: Work): boolean => !work.paused()
