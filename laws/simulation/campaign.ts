/** Many schedules of one job on one surface. */
import fc from 'fast-check'
import { plainSurface } from './plainSurface.js'
import { type FaultKind, type Plan, plans, turningPoints } from './plan.js'
import type { Outcome } from './schedule.js'
import type { Inputs, SimulatedJob } from './simulatedJob.js'
import { addStatistics, noStatistics, type Statistics } from './statistics.js'
import type { SurfaceFactory } from './surface.js'
import { survives } from './survives.js'
import type { Violation, ViolationKind } from './violation.js'

export interface Campaign {
  readonly job: SimulatedJob
  readonly inputs: fc.Arbitrary<Inputs>
  readonly surface?: SurfaceFactory
  readonly powerCuts?: boolean
  /** What may happen; all of it unless told. */
  readonly faults?: readonly FaultKind[] | undefined
}

/** A schedule in which something went wrong. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError'
  constructor(
    readonly violations: readonly Violation[],
    story: readonly string[],
  ) {
    const found = violations.slice(0, 5).map(({ kind, what }) => `${kind}: ${what}`)
    super(`${found.join('\n')}${violations.length > 5 ? `\n… and ${violations.length - 5} more` : ''}\nWhat happened: ${story.join(' · ')}`)
  }
}

/** What schedules do beside crashing, and where they crash. */
export interface Trying {
  /** Where plans aim at. */
  readonly points: readonly string[]
  /** What each of enough schedules together has done at least once, and what is to be said where it has not. */
  readonly needs: { readonly [statistic in keyof Statistics]?: string }
}

const recovering: Trying = {
  points: turningPoints,
  needs: {
    crashesInCheckpoint: 'no process died while a checkpoint was under way',
    restored: 'no checkpoint was restored',
    crashesThreeDeep: 'no process died in the recovery from a crash in a recovery from a crash in a recovery',
  },
}

/** What a campaign has tried so far; shrinking is not counted. */
export class Tried {
  readonly statistics: Statistics = noStatistics()
  /** How often a process ended at each point that plans aim at. */
  readonly faultPoints: { [point: string]: number }
  failed = false

  constructor(
    private readonly faults?: readonly FaultKind[],
    private readonly trying = recovering,
  ) {
    this.faultPoints = Object.fromEntries([...trying.points, 'elsewhere'].map((point) => [point, 0]))
  }

  count(outcome: Outcome): void {
    if (this.failed) return
    this.failed = outcome.violations.length > 0
    addStatistics(this.statistics, outcome.statistics)
    for (const point of outcome.endedAt) this.faultPoints[point] = (this.faultPoints[point] ?? 0) + 1
  }

  /** Why these schedules say nothing about crashes, if so. */
  vacuous(runs: number): string | undefined {
    const crashes = this.faults === undefined || this.faults.some((kind) => kind === 'kill' || kind === 'powerCut')
    if (runs < enoughRuns || !crashes) return undefined
    for (const [statistic, otherwise] of Object.entries({ ...recovering.needs, ...this.trying.needs }))
      if (this.statistics[statistic as keyof Statistics] === 0) return `${otherwise}, in ${runs} schedules`
    return undefined
  }
}

/** So many schedules always crash inside a checkpoint, unless something is wrong with the campaign itself. */
const enoughRuns = 100

/** The property of a campaign: no schedule has a violation of one of these kinds. */
export const scheduleProperty = (
  { job, inputs, surface = plainSurface, powerCuts = false, faults }: Campaign,
  tried: Tried,
  kinds?: readonly ViolationKind[],
): fc.IAsyncPropertyWithHooks<[Inputs, Plan]> =>
  fc.asyncProperty(inputs, plans({ powerCuts, faults }), async (input, plan) => {
    const outcome = await survives({ job, inputs: input, plan, surface })
    const violations = kinds === undefined ? outcome.violations : outcome.violations.filter(({ kind }) => kinds.includes(kind))
    tried.count({ ...outcome, violations })
    if (violations.length > 0) throw new ScheduleError(violations, outcome.story)
  })
