/** A job from its first process to its last: the ones in between are crashed, and in the end everything is compared. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { noStatistics, type Statistics } from '../../laws/simulation/statistics.js'
import type { Violation } from '../../laws/simulation/violation.js'
import { begun, type Life, type Story, storyOf } from './life.js'
import { Observer, type Reader } from './observer.js'
import { judged } from './oracle.js'
import type { Orders, Said } from './orders.js'

/** What outlives the processes of a history. */
export interface Home {
  readonly name: string
  readonly orders: Omit<Orders, 'seed' | 'last'>
  readonly read: Reader
  /** Ends a process in its way. When it resolves, the next one may begin. */
  crash(life: Life): Promise<void>
  /** What should have been removed by the time that a job has completed. */
  leftovers(): Promise<readonly string[]>
  remove(): Promise<void>
}

export interface HistoryReport {
  readonly statistics: Statistics
  /** Processes that ended before their first record could flow. */
  readonly crashesInRecovery: number
  /** So many of them in a row, at most. */
  readonly deepest: number
  readonly violations: readonly Violation[]
}

export interface HistoryOptions {
  readonly program: string
  readonly home: Home
  readonly seed: number
  readonly crashes: readonly Crash[]
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
const lookEveryMs = 8
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

/** How long a recovery has taken lately, over all histories: the machine may be busy. */
let recoveryMs = 15

export async function history({ program, home, seed, crashes, running }: HistoryOptions): Promise<HistoryReport> {
  const statistics: Statistics = { ...noStatistics(), runs: 1 }
  const violations: Violation[] = []
  const observer = new Observer(home.read)
  const wrong = (kind: Violation['kind'], what: string): void => void violations.push({ kind, what: `${home.name}: ${what}` })
  let newest: number | undefined
  let crashesInRecovery = 0
  let depth = 0
  let deepest = 0

  /** Adds up what a process told before its crash, and sees that it went on from the newest complete checkpoint. */
  const note = (story: Story): void => {
    statistics.checkpoints += story.checkpoints
    if (story.restored !== undefined) statistics.restored += 1
    if (story.started && newest !== undefined && (story.restored ?? -1) < newest)
      wrong('LOST', `checkpoint ${newest} was complete, and ${story.restored ?? 'none'} was restored`)
    newest = Math.max(newest ?? -1, story.complete ?? -1, story.restored ?? -1)
    if (newest < 0) newest = undefined
  }
  const live = (last: boolean): Life => begun(program, { ...home.orders, seed, last }, running)
  const said = async (life: Life, what: Said[0]): Promise<boolean> => {
    const inTime = await within(patienceMs, life.until(what))
    const there = life.said.some(([word]) => word === what)
    if (!there) wrong('HUNG', `a process did not get as far as "${what}": ${inTime ? endOf(life) : 'it waits'}`)
    return there
  }

  for (const { during, share } of crashes) {
    const life = live(false)
    let fine = await said(life, 'up')
    const upMs = performance.now()
    if (fine && during === 'recovery') await after(share * recoveryMs)
    let watching: Watching | undefined
    if (fine && during === 'work') {
      fine = await said(life, 'started')
      recoveryMs += (performance.now() - upMs - recoveryMs) / 8
      watching = watch(observer)
      await Promise.race([after(share * Math.max(workMs, 4 * recoveryMs)), life.ended])
    }
    await watching?.stop()
    const before = storyOf(life.said)
    if (before.failure !== undefined) wrong('HUNG', `a run failed: ${before.failure}`)
    else if (fine && life.child.exitCode !== null) wrong('HUNG', `a process ended by itself: ${endOf(life)}`)
    await home.crash(life)
    // What it says while its disk is taken away, nobody would have heard.
    note(before)
    statistics.crashes += 1
    if (before.inCheckpoint) statistics.crashesInCheckpoint += 1
    depth = before.started ? 0 : depth + 1
    if (!before.started) crashesInRecovery += 1
    deepest = Math.max(deepest, depth)
    if (violations.length > 0) break
  }
  if (violations.length === 0) {
    const life = live(true)
    if (await said(life, 'started')) {
      const watching = watch(observer)
      if (!(await within(patienceMs, life.ended))) wrong('HUNG', 'the last process does not come to its end')
      await watching.stop()
    }
    if (life.child.exitCode === null) life.child.kill('SIGKILL')
    await life.ended
    const story = storyOf(life.said)
    note(story)
    if (!story.done) wrong('HUNG', `the last run did not complete: ${endOf(life)}`)
    else {
      const found = await observer.last()
      statistics.records = found.chains.length + found.sums.length
      violations.push(
        ...judged(
          seed,
          story.ends.map((end) => end ?? 0),
          found,
        ).map(({ kind, what }) => ({ kind, what: `${home.name}: ${what}` })),
      )
      for (const name of await home.leftovers()) wrong('LEAKED', `${name} is left`)
    }
  }
  for (const { kind, what } of observer.violations) wrong(kind, what)
  return { statistics, violations, crashesInRecovery, deepest }
}

const endOf = (life: Life): string => `${life.said.at(-1)?.join(' ') ?? 'it said nothing'} ${life.errors()}`

const within = async (ms: number, work: Promise<unknown>): Promise<boolean> => {
  const controller = new AbortController()
  const late = after(ms, false, { signal: controller.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    controller.abort()
  }
}

interface Watching {
  /** Ends with a last look. */
  stop(): Promise<void>
}

/** Looks again and again. */
function watch(observer: Observer): Watching {
  let over = false
  const looking = (async () => {
    while (!over) {
      await observer.look()
      await after(lookEveryMs)
    }
  })()
  return {
    async stop() {
      over = true
      await looking
    },
  }
}
