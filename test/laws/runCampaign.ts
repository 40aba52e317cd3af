import fc from 'fast-check'
import { ScheduleError } from '../../laws/simulation/campaign.js'
import type { Statistics } from '../../laws/simulation/statistics.js'
import type { ViolationKind } from '../../laws/simulation/violation.js'
import type { NamedCampaign } from './campaigns.js'

export interface CampaignOptions {
  readonly runs: number
  readonly seed: number
  readonly path?: string | undefined
  /** Look for the smallest counterexample. */
  readonly shrink: boolean
}

export interface CampaignReport {
  readonly name: string
  readonly statistics: Statistics
  readonly violations: readonly ViolationKind[]
  /** How often a process ended at each point that plans aim at. */
  readonly faultPoints: { readonly [point: string]: number }
  /** What went wrong, and how to see it again. */
  readonly failure: string | undefined
}

/** Shrinking ends after so many further schedules: a small counterexample is a convenience. */
const shrinkingMs = 20_000

export async function runCampaign(campaign: NamedCampaign, { runs, seed, path, shrink }: CampaignOptions): Promise<CampaignReport> {
  const { property, tried } = campaign.begin()
  const details = await fc.check(property, {
    numRuns: runs,
    seed,
    endOnFailure: !shrink,
    ...(shrink ? { interruptAfterTimeLimit: shrinkingMs + 60 * campaign.long * runs, markInterruptAsFailure: false } : {}),
    ...(path === undefined ? {} : { path }),
  })
  const { name } = campaign
  const { statistics, faultPoints } = tried
  if (!details.failed) {
    const vacuous = path === undefined ? tried.vacuous(runs) : undefined
    return {
      name,
      statistics,
      faultPoints,
      violations: vacuous === undefined ? [] : ['SILENT'],
      failure: vacuous === undefined ? undefined : `${name} was not tried: ${vacuous}`,
    }
  }
  const error = details.errorInstance
  const replay = `npm run laws -- --campaign ${JSON.stringify(name)} --seed ${seed} --path ${details.counterexamplePath ?? ''}`
  const counterexample = fc.stringify(details.counterexample)
  return {
    name,
    statistics,
    faultPoints,
    violations: error instanceof ScheduleError ? [...new Set(error.violations.map(({ kind }) => kind))] : ['HUNG'],
    failure: `${name} does not hold:\n${error instanceof Error ? (error instanceof ScheduleError ? error.message : error.stack) : String(error)}\nCounterexample: ${counterexample}\nReplay it with ${replay}`,
  }
}
