/** A job from its first process to its last: the ones in between are crashed, and in the end everything is compared. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { noStatistics, type Statistics } from '../../laws/simulation/statistics.js'
import type { Violation } from '../../laws/simulation/violation.js'
import { begun, type Life, type Story, storyOf } from './life.js'
import { Observer, type Reader, type Watching } from './observer.js'
import { judged } from './oracle.js'
import type { Orders, Said } from './orders.js'

/** What outlives the processes of a history. */
export interface Home {
  readonly name: string
  readonly orders: Omit<Orders, 'seed' | 'last'>
  readonly read: Reader
  /** Ends a process in its way. When it resolves, the next one may begin. */
  crash(life: Life): Promise<void>
  /** The disk is taken away while the process lives: what it says from then on nobody would have heard. */
  readonly losesDisk?: boolean
  /** A program, and what it is told, under which calls of the next process fail. A run may end for that, with a code. */
  failing?(): readonly string[]
  /** A driver of that place is known to end the process where a call fails. Then the next one goes on. */
  readonly driverMayDie?: boolean
  /** What should have been removed by the time that a job has completed. */
  leftovers(): Promise<readonly string[]>
  remove(): Promise<void>
}

export interface HistoryReport {
  readonly statistics: Statistics
  /** Processes that a driver ended. */
  readonly driverDeaths: number
  readonly violations: readonly Violation[]
}

export interface HistoryOptions {
  readonly program: string
  readonly home: Home
  readonly seed: number
  readonly running: Set<ChildProcess>
}

/** When a process is crashed: so far into its recovery, or into its work. */
export interface Crash {
  readonly during: 'recovery' | 'work'
  readonly share: number
}

/** Whoever is not there by then never comes. */
const patienceMs = 60_000
const workMs = 70
const deepestMax = 3

/** Crashes while it works, some of them followed by up to three while it recovers. */
export function crashPlan(draw: () => number, count: number): readonly Crash[] {
  const plan: Crash[] = []
  while (plan.length < count) {
    plan.push({ during: 'work', share: draw() })
    const depth = draw() < 0.5 ? 0 : 1 + Math.floor(draw() * deepestMax)
    for (let deep = 0; deep < depth; deep += 1) plan.push({ during: 'recovery', share: draw() })
  }
  return plan.slice(0, count)
}

export async function history(crashes: readonly Crash[], options: HistoryOptions): Promise<HistoryReport> {
  const lives = new Lives(options)
  for (const crash of crashes) if (lives.sound) await lives.crashed(crash)
  if (lives.sound) await lives.completed()
  return lives.report()
}

/** How long a recovery has taken lately, over all histories: the machine may be busy. */
let recoveryMs = 15

class Lives {
  readonly #options: HistoryOptions
  readonly #observer: Observer
  readonly #statistics: Statistics = { ...noStatistics(), runs: 1 }
  readonly #violations: Violation[] = []
  /** The newest checkpoint that was complete. */
  #newest: number | undefined
  /** So many processes before this one ended before their first record could flow. */
  #depth = 0
  #driverDeaths = 0

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#observer = new Observer(options.home.read)
  }

  get sound(): boolean {
    return this.#violations.length === 0
  }

  report(): HistoryReport {
    for (const { kind, what } of this.#observer.violations) this.#wrong(kind, what)
    return { statistics: this.#statistics, driverDeaths: this.#driverDeaths, violations: this.#violations }
  }

  /** A process that is crashed. */
  async crashed({ during, share }: Crash): Promise<void> {
    const { home } = this.#options
    const life = this.#begin(false)
    await this.#said(life, 'up')
    const upMs = performance.now()
    let watching: Watching | undefined
    if (during === 'recovery') await after(share * recoveryMs)
    else if (await this.#said(life, 'started')) {
      recoveryMs += (performance.now() - upMs - recoveryMs) / 8
      watching = this.#observer.watch()
      await Promise.race([after(share * Math.max(workMs, 4 * recoveryMs)), life.ended])
    }
    await watching?.stop()
    const before = storyOf(life.said)
    if (hasEnded(life) && !this.#mayEnd(life) && this.sound) this.#wrong('HUNG', `a process ended by itself: ${endOf(life)}`)
    if (life.child.signalCode !== null) this.#driverDeaths += 1
    await home.crash(life)
    this.#note(home.losesDisk === true ? before : storyOf(life.said))
    this.#statistics.crashes += 1
    if (before.inCheckpoint) this.#statistics.crashesInCheckpoint += 1
    if (home.failing !== undefined && (before.failure !== undefined || before.aborted)) this.#statistics.faults += 1
    this.#depth = before.started ? 0 : this.#depth + 1
    if (this.#depth > 0) this.#statistics.crashesInRecovery += 1
    if (this.#depth === 2) this.#statistics.crashesTwoDeep += 1
    if (this.#depth >= 3) this.#statistics.crashesThreeDeep += 1
  }

  /** The last process: its sources end, and everything is compared. */
  async completed(): Promise<void> {
    const { home, seed } = this.#options
    const life = this.#begin(true)
    if (await this.#said(life, 'started')) {
      const watching = this.#observer.watch()
      if (!(await within(patienceMs, life.ended))) this.#wrong('HUNG', 'the last process does not come to its end')
      await watching.stop()
    }
    life.child.kill('SIGKILL')
    await life.ended
    const story = storyOf(life.said)
    this.#note(story)
    if (!story.done) return this.#wrong('HUNG', `the last run did not complete: ${endOf(life)}`)
    const found = await this.#observer.last()
    this.#statistics.records = found.chains.length + found.sums.length
    const ends = story.ends.map((end) => end ?? 0)
    for (const { kind, what } of judged(seed, ends, found)) this.#wrong(kind, what)
    for (const name of await home.leftovers()) this.#wrong('LEAKED', `${name} is left`)
  }

  #begin(last: boolean): Life {
    const { program, home, seed, running } = this.#options
    return begun(program, { ...home.orders, seed, last }, running, last ? [] : (home.failing?.() ?? []))
  }

  async #said(life: Life, what: Said[0]): Promise<boolean> {
    const inTime = await within(patienceMs, life.until(what))
    if (life.said.some(([word]) => word === what)) return true
    if (!inTime || !this.#mayEnd(life)) this.#wrong('HUNG', `no process got as far as "${what}": ${inTime ? endOf(life) : 'it waits'}`)
    return false
  }

  /** Where calls fail, a run may end with one of our codes; the next one goes on. */
  #mayEnd({ child, said }: Life): boolean {
    const { failing, driverMayDie = false } = this.#options.home
    const { failure } = storyOf(said)
    if (failing === undefined) return false
    return failure === undefined ? driverMayDie && child.signalCode === 'SIGSEGV' : !failure.startsWith('undefined')
  }

  /** Adds up what a process told, and sees that it went on from the newest complete checkpoint. */
  #note(story: Story): void {
    this.#statistics.checkpoints += story.checkpoints
    if (story.restored !== undefined) this.#statistics.restored += 1
    if (story.started && this.#newest !== undefined && (story.restored ?? -1) < this.#newest)
      this.#wrong('LOST', `checkpoint ${this.#newest} was complete, and ${story.restored ?? 'none'} was restored`)
    for (const id of [story.complete, story.restored]) if (id !== undefined && id > (this.#newest ?? -1)) this.#newest = id
  }

  #wrong(kind: Violation['kind'], what: string): void {
    this.#violations.push({ kind, what: `${this.#options.home.name}: ${what}` })
  }
}

const hasEnded = ({ child, said }: Life): boolean => child.exitCode !== null || child.signalCode !== null || storyOf(said).failure !== undefined

function endOf({ child, said, errors }: Life): string {
  const how = child.signalCode ?? (child.exitCode === null ? '' : `exit code ${child.exitCode}`)
  return [said.at(-1)?.join(' ') ?? 'it said nothing', how, errors()].filter((text) => text !== '').join('; ')
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const controller = new AbortController()
  const late = after(ms, false, { signal: controller.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    controller.abort()
  }
}
