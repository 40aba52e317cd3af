import { chance } from '../crashFsChoices.js'
import { compare } from './compare.js'
import { calm, type Plan } from './plan.js'
import { type Outcome, runSchedule } from './schedule.js'
import type { Inputs, SimulatedJob } from './simulatedJob.js'
import { cutOf, stateAfter, stateText } from './stateAt.js'
import type { SurfaceFactory } from './surface.js'
import type { Violation } from './violation.js'

export interface Survival {
  readonly job: SimulatedJob
  readonly inputs: Inputs
  readonly plan: Plan
  readonly surface: SurfaceFactory
}

/** One in so many schedules is run again: the same seed has to do the same. */
const repeated = 16
/** One in so many schedules has its restored states compared with those of a run without crashes. */
const stateCompared = 2

/** Runs a schedule, and the same job without anything that disturbs it: what is committed has to agree. */
export async function survives({ job, inputs, plan, surface }: Survival): Promise<Outcome> {
  const outcome = await runSchedule({ job, inputs, plan, surface })
  if (outcome.violations.length > 0) return outcome
  const undisturbed = await runSchedule({ job, inputs, plan: calm, surface })
  if (undisturbed.violations.length > 0) return { ...undisturbed, story: ['nothing disturbs the job', ...undisturbed.story] }
  const violations: Violation[] = []
  for (const uid of job.sinks) {
    const expected = undisturbed.committed.get(uid) ?? []
    outcome.statistics.records += expected.length
    const differing = compare(uid, outcome.committed.get(uid) ?? [], expected, job.order)
    violations.push(...(job.guarantee === 'atLeastOnce' ? differing.filter(({ kind }) => kind === 'LOST') : differing))
  }
  // With several inputs what is kept may depend on how they interleaved, and what is written need not.
  if (violations.length === 0 && job.sources.length === 1 && job.keeps !== 'any' && outcome.last !== undefined && undisturbed.last !== undefined) {
    outcome.statistics.states += 1
    const [found, expected] = [stateText(outcome.last.body, outcome.last.chunks), stateText(undisturbed.last.body, undisturbed.last.chunks)]
    if (found !== expected) violations.push({ kind: 'STATE_DIFF', what: `at the end the state is ${found}, and without crashes ${expected}` })
  }
  const random = chance(plan.seed ^ 0x5bd1e995)
  if (violations.length === 0 && random() * repeated < 1) {
    const again = await runSchedule({ job, inputs, plan, surface })
    if (again.trace !== outcome.trace) violations.push({ kind: 'SILENT', what: 'the same seed did something else the second time' })
  }
  if (violations.length === 0 && random() * stateCompared < 1) violations.push(...(await compareStates(job, inputs, outcome)))
  return { ...outcome, violations }
}

async function compareStates(job: SimulatedJob, inputs: Inputs, { found, statistics }: Outcome): Promise<Violation[]> {
  for (const each of found) {
    const cut = cutOf(each, job)
    if (cut === undefined || each.stored === undefined) continue
    statistics.states += 1
    const [restored, expected] = [stateText(each.stored.body, each.chunks), await stateAfter(job, inputs, cut)]
    if (restored !== expected)
      return [
        {
          kind: 'STATE_DIFF',
          what: `checkpoint ${each.stored.checkpointId} after ${cut.records} records has ${restored}, and a run without crashes ${expected}`,
        },
      ]
  }
  return []
}
