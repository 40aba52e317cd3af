/** Many schedules of one job on one surface. */
import fc from 'fast-check'
import { plainSurface } from './plainSurface.js'
import { type Plan, plans } from './plan.js'
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

/** What a campaign has tried so far; shrinking is not counted. */
export class Tried {
  readonly statistics: Statistics = noStatistics()
  failed = false

  count(outcome: Outcome): void {
    if (this.failed) return
    this.failed = outcome.violations.length > 0
    addStatistics(this.statistics, outcome.statistics)
  }

  /** Why these schedules say nothing about crashes, if so. */
  vacuous(runs: number): string | undefined {
    const { crashesInCheckpoint, restored } = this.statistics
    if (runs < enoughRuns) return undefined
    if (crashesInCheckpoint === 0) return `no process died while a checkpoint was under way, in ${runs} schedules`
    return restored === 0 ? `no checkpoint was restored, in ${runs} schedules` : undefined
  }
}

/** So many schedules always crash inside a checkpoint, unless something is wrong with the campaign itself. */
const enoughRuns = 100

/** The property of a campaign: no schedule has a violation of one of these kinds. */
export const scheduleProperty = (
  { job, inputs, surface = plainSurface, powerCuts = false }: Campaign,
  tried: Tried,
  kinds?: readonly ViolationKind[],
): fc.IAsyncPropertyWithHooks<[Inputs, Plan]> =>
  fc.asyncProperty(inputs, plans({ powerCuts }), async (input, plan) => {
    const outcome = await survives({ job, inputs: input, plan, surface })
    const violations = kinds === undefined ? outcome.violations : outcome.violations.filter(({ kind }) => kinds.includes(kind))
    tried.count({ ...outcome, violations })
    if (violations.length > 0) throw new ScheduleError(violations, outcome.story)
  })
