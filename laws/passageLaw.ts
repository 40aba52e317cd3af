import fc from 'fast-check'
import { type JobUnderLaw, simulated } from './jobLaws.js'
import { type Law, law } from './law.js'
import { Tried } from './simulation/campaign.js'
import type { Passage, PassagesOptions, Program } from './simulation/passage.js'
import { passageProperty, passing } from './simulation/passageProperty.js'
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
  let tried = new Tried(undefined, passing)
  return law(
    name,
    statement,
    ({ faults }): fc.IAsyncProperty<[Inputs, Passage]> => {
      tried = new Tried(faults, passing)
      const inputs = fc.record(job.inputs) as fc.Arbitrary<Inputs>
      return passageProperty({ ...way, programOf, inputs, surfaces, powerCuts, faults }, tried)
    },
    {
      vacuous: (runs) => tried.vacuous(runs),
      counters: () => ({ ...tried.statistics }),
      faultPoints: () => ({ ...tried.faultPoints }),
    },
  )
}
