import fc from 'fast-check'
import { type Campaign, scheduleProperty, Tried } from '../../laws/simulation/campaign.js'
import { passageProperty, passing, returning } from '../../laws/simulation/passageProperty.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import { carriedSurface } from './carriedSurface.js'
import { jobs } from './jobs.js'
import { keyValueSurface } from './keyValueSurface.js'
import { type PassagesOfJob, passagesOfJobs } from './passages.js'
import { directorySurface, memorySurface, rollingParts } from './surfaces.js'

export interface NamedCampaign {
  readonly name: string
  /** Its part of all schedules. */
  readonly weight: number
  /** Its schedules are so many times as long as a short one. */
  readonly long: number
  /** What is to hold, and what of it has been tried. */
  begin(): { readonly property: fc.IAsyncProperty<unknown>; readonly tried: Tried }
}

interface Recoveries extends Campaign, Pick<NamedCampaign, 'name' | 'weight'> {}

/** Every job on every surface. */
const recoveries: readonly Recoveries[] = [
  ...jobs.flatMap(({ name, job, inputs, often = 1 }) => [
    { name: `${name} on plain objects`, job, inputs, surface: plainSurface, weight: 5 * often },
    { name: `${name} in memory`, job, inputs, surface: memorySurface, weight: often },
    { name: `${name} in a directory`, job, inputs, surface: directorySurface(), powerCuts: true, weight: 2 * often },
  ]),
  // To a store all jobs look alike: these two change, remove and keep most.
  ...jobs
    .filter(({ name }) => name.startsWith('state that comes and goes') || name === 'two sinks')
    .map(({ name, job, inputs }) => ({ name: `${name} in keys and values`, job, inputs, surface: keyValueSurface, weight: 5 })),
  // Behind these sinks nobody knows what a transaction is.
  ...jobs
    .filter(({ name }) => name === 'statefulMap' || name === 'two sinks')
    .map(({ name, job, inputs }) => ({ name: `${name} in checkpoints that carry its records`, job, inputs, surface: carriedSurface, weight: 8 })),
  // Whatever a job does, what it writes rolls the same way. There is always enough of it to go on in a later process.
  ...jobs
    .filter(({ name }) => name === 'two sinks')
    .map(({ name, job }) => ({
      name: `${name} in files that roll`,
      job,
      inputs: fc
        .array(fc.constantFrom('a', 'b', 'c'), { minLength: 12, maxLength: 24, size: 'max' })
        .map((keys) => ({ in: keys.map((key, n) => ({ key, n, at: 10 * n })) })),
      surface: directorySurface(undefined, rollingParts),
      powerCuts: true,
      weight: 5,
    })),
]

const recovering = (campaign: Recoveries): NamedCampaign => ({
  ...campaign,
  long: campaign.powerCuts === true ? 2 : 1,
  begin() {
    const tried = new Tried()
    return { tried, property: scheduleProperty(campaign, tried) as fc.IAsyncProperty<unknown> }
  },
})

/** A passage is made of two to four schedules of each instance. */
const passed = ({ name, job, ...ways }: PassagesOfJob): NamedCampaign => ({
  name,
  weight: ways.returns ? 3 : ways.instancesMax > 1 ? 1 : 2,
  long: ways.instancesMax > 1 ? 12 : 5,
  begin() {
    const tried = new Tried(undefined, ways.returns ? returning : passing)
    return { tried, property: passageProperty({ ...ways, programOf: () => ({ job }), powerCuts: true }, tried) as fc.IAsyncProperty<unknown> }
  },
})

/** Every job on every surface; and on its way from one to another. */
export const campaigns: readonly NamedCampaign[] = [...recoveries.map(recovering), ...passagesOfJobs.map(passed)]
