import type { Campaign } from '../../laws/simulation/campaign.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import { jobs } from './jobs.js'
import { directorySurface, memorySurface, rollingParts } from './surfaces.js'

export interface NamedCampaign extends Campaign {
  readonly name: string
  /** Its part of all schedules. */
  readonly weight: number
}

/** Whatever a job does, what it writes rolls the same way: these few try it. */
const rolled: ReadonlySet<string> = new Set(['union', 'two sinks'])

/** Every job on every surface. */
export const campaigns: readonly NamedCampaign[] = jobs.flatMap(({ name, job, inputs, often = 1 }) => [
  { name: `${name} on plain objects`, job, inputs, surface: plainSurface, weight: 5 * often },
  { name: `${name} in memory`, job, inputs, surface: memorySurface, weight: often },
  { name: `${name} in a directory`, job, inputs, surface: directorySurface(), powerCuts: true, weight: 2 * often },
  ...(rolled.has(name)
    ? [{ name: `${name} in files that roll`, job, inputs, surface: directorySurface(undefined, rollingParts), powerCuts: true, weight: 2 * often }]
    : []),
])
