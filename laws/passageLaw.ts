import fc from 'fast-check'
import { type JobUnderLaw, simulated } from './jobLaws.js'
import { type Law, law } from './law.js'
import { ScheduleError, Tried } from './simulation/campaign.js'
import { type Passage, type PassagesOptions, type Program, passages, survivesPassage } from './simulation/passage.js'
import { plainSurface } from './simulation/plainSurface.js'
import type { Inputs } from './simulation/simulatedJob.js'
import type { SurfaceFactory } from './simulation/surface.js'

export interface PassageLawOptions {
  /** Where storages, savepoints and sinks lie: each is drawn from these. Objects that outlive the simulated processes unless told. */
  readonly surfaces?: readonly SurfaceFactory[]
  /** The surfaces forget what was not made durable: processes end in power cuts too. */
  readonly powerCuts?: boolean
}

/** A law of jobs that go on elsewhere. */
export function passageLaw(
  job: JobUnderLaw,
  { name, statement, ...way }: { readonly name: string; readonly statement: string } & Pick<PassagesOptions, 'instancesMax'>,
  { surfaces = [plainSurface], powerCuts = false }: PassageLawOptions,
  programOf: (leg: number) => Program = () => ({ job: simulated(job) }),
): Law {
  let tried = new Tried()
  return law(
    name,
    statement,
    ({ faults }): fc.IAsyncProperty<[Inputs, Passage]> => {
      tried = new Tried(faults)
      const ways = passages({ ...way, surfaces: surfaces.length, powerCuts, faults })
      return fc.asyncProperty(fc.record(job.inputs) as fc.Arbitrary<Inputs>, ways, async (inputs, passage) => {
        const outcome = await survivesPassage({ programOf, inputs, passage, surfaces })
        tried.count(outcome)
        if (outcome.violations.length > 0) throw new ScheduleError(outcome.violations, outcome.story)
      })
    },
    {
      vacuous: (runs) => tried.vacuous(runs),
      counters: () => ({ ...tried.statistics }),
      faultPoints: () => ({ ...tried.faultPoints }),
    },
  )
}
