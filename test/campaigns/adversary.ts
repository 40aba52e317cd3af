/** Histories one after the other, two at a time, until there have been so many crashes; and what they add up to. */
import type { ChildProcess } from 'node:child_process'
import { random } from '../../examples/flights/random.js'
import { addStatistics, noStatistics, type Statistics } from '../../laws/simulation/statistics.js'
import type { Violation, ViolationKind } from '../../laws/simulation/violation.js'
import { bundled } from './bundled.js'
import { crashPlan, type Home, history } from './history.js'

/** What a campaign has found. */
export interface Findings {
  readonly statistics: Statistics
  /** A kind once for each run in which it was seen. */
  readonly violations: readonly ViolationKind[]
  /** What went wrong, and how to see it again. */
  readonly failures: readonly string[]
  /** What else should be known. */
  readonly notes: readonly string[]
}

/** A campaign that could not be tried here, and why. */
export interface Skipped {
  readonly skipped: string
}

export interface Adversary {
  readonly crashes: number
  readonly seed: number
  /** Histories that go on at the same time. */
  readonly atOnce: number
  /** Calls fail: a campaign in which none of them did has tried nothing. */
  readonly faulty?: boolean
  /** The home of the history of that number. */
  homeOf(number: number, draw: () => number): Promise<Home>
  report(line: string): void
}

const crashesMin = 4
const crashesMax = 8
/** So many crashes always hit a checkpoint, a recovery and a restore, unless something is wrong with the campaign itself. */
const enoughCrashes = 40

export async function histories({ crashes, seed, atOnce, faulty = false, homeOf, report }: Adversary): Promise<Findings> {
  const statistics = noStatistics()
  const violations: ViolationKind[] = []
  const failures: string[] = []
  const running = new Set<ChildProcess>()
  const kill = (): void => {
    for (const child of running) child.kill('SIGKILL')
  }
  process.once('exit', kill)
  let planned = 0
  let number = 0
  let driverDeaths = 0
  const program = await bundled('test/campaigns/program.ts')
  const startedMs = performance.now()
  const next = async (): Promise<void> => {
    while (planned < crashes) {
      const mine = number
      number += 1
      const draw = random(seed + 7_919 * mine)
      const plan = crashPlan(draw, Math.min(crashes - planned, crashesMin + Math.floor(draw() * (crashesMax - crashesMin + 1))))
      planned += plan.length
      const home = await homeOf(mine, draw)
      try {
        const found = await history(plan, { program: program.path, home, seed: seed + mine, running })
        addStatistics(statistics, found.statistics)
        driverDeaths += found.driverDeaths
        violations.push(...kindsOf(found.violations))
        if (found.violations.length > 0) failures.push(storyOf(mine, found.violations))
        report(
          `${found.violations.length === 0 ? 'holds' : 'FAILS'}  ${mine} ${home.name}: ${plan.length} crashes, ${found.statistics.checkpoints} checkpoints`,
        )
      } finally {
        await home.remove()
      }
    }
  }
  try {
    const ends = await Promise.allSettled(Array.from({ length: atOnce }, next))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  } finally {
    program.remove()
    kill()
    process.off('exit', kill)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const vacuous = vacuousFor(statistics, faulty)
  if (vacuous !== undefined) {
    violations.push('SILENT')
    failures.push(`nothing was tried: ${vacuous}`)
  }
  const notes = [
    `${statistics.crashesInCheckpoint} crashes inside a checkpoint, ${statistics.crashesInRecovery} inside a recovery, of these ${statistics.crashesTwoDeep} two and ${statistics.crashesThreeDeep} three deep; ${statistics.restored} checkpoints restored`,
    ...(faulty ? [`${statistics.faults} processes in which a checkpoint or the run failed, and ${driverDeaths} that their driver ended`] : []),
    `${seconds.toFixed(0)} s, ${((60 * statistics.crashes) / seconds).toFixed(0)} crashes a minute`,
  ]
  return { statistics, violations, failures, notes }
}

const kindsOf = (violations: readonly Violation[]): readonly ViolationKind[] => [...new Set(violations.map(({ kind }) => kind))]

const storyOf = (number: number, violations: readonly Violation[]): string =>
  [
    `history ${number}:`,
    ...violations.slice(0, 5).map(({ kind, what }) => `${kind}: ${what}`),
    ...(violations.length > 5 ? [`… and ${violations.length - 5} more`] : []),
  ].join('\n')

/** Why these histories say nothing about crashes, if so. */
function vacuousFor({ crashes, crashesInCheckpoint, crashesInRecovery, restored, faults }: Statistics, faulty: boolean): string | undefined {
  if (crashes < enoughCrashes) return undefined
  if (crashesInCheckpoint === 0) return `no process died while a checkpoint was under way, in ${crashes} crashes`
  if (faulty && faults === 0) return `no call failed, in ${crashes} crashes`
  if (crashesInRecovery === 0) return `no process died while it recovered, in ${crashes} crashes`
  return restored === 0 ? `no checkpoint was restored, in ${crashes} crashes` : undefined
}
