import fc from 'fast-check'
import type { Observable } from 'rxjs'
import type { AnyStream, Stream } from '../lib/element.js'
import type { Sunk } from '../lib/sink.js'
import { type Law, type LawOptions, law } from './law.js'
import { scheduleProperty, Tried } from './simulation/campaign.js'
import type { Order } from './simulation/compare.js'
import type { Inputs, SimulatedJob } from './simulation/simulatedJob.js'
import type { SurfaceFactory } from './simulation/surface.js'
import type { ViolationKind } from './simulation/violation.js'

/** A job in the hands of laws: its sources and sinks are stood in for. */
export interface JobUnderLaw {
  /** Arbitrary records of each source, by its uid. */
  readonly inputs: { readonly [source: string]: fc.Arbitrary<readonly unknown[]> }
  /** The uids of its sinks. */
  readonly sinks: readonly string[]
  /**
   * What of the order has to agree: that of all records (`exact`), that of each key (`perKey`, unless told), or nothing
   * (`multiset`), where the result depends on how inputs interleave.
   */
  readonly order?: Order
  /** `any` where what is kept depends on the machine's time or on calls outside; what is committed has to agree all the same. */
  readonly keeps?: 'same' | 'any'
  /** Applies operators, as in `defineJob`: every branch ends in a sink. */
  build(scope: {
    source<T>(uid: string): Stream<T>
    sink(uid: string): (stream: AnyStream) => Observable<Sunk>
  }): Observable<Sunk> | readonly Observable<Sunk>[]
  /** Where checkpoints and committed records are kept; objects that outlive the simulated processes unless told. */
  readonly surface?: SurfaceFactory
  /** The surface forgets what was not made durable: processes end in power cuts too. */
  readonly powerCuts?: boolean
}

/** What each law of a job says, and the violations that speak against it. */
const statements: readonly (readonly [name: string, statement: string, kinds: readonly ViolationKind[] | undefined])[] = [
  [
    'recovery-equivalence',
    'for every history and every crash plan, what is committed equals what is committed without a crash',
    ['LOST', 'DOUBLED', 'REORDERED', 'STATE_DIFF'],
  ],
  [
    'atomic-visibility',
    'a reader of committed records never sees any that later vanishes, nor any of a checkpoint that is not complete',
    ['PHANTOM'],
  ],
  ['progress', 'after the last failure the job ends, in so many steps at most', ['HUNG']],
  ['clean-end', 'at its end a job leaves no timer, no open handle and no pending transaction', ['LEAKED']],
  ['same-seed', 'the same seed does the same', ['SILENT']],
]

/**
 * What every job promises, tried on yours.
 *
 * A simulation owns time, every order, every crash and every failing call; one seed replays one schedule.
 *
 * **When to use** for a job with several sources or sinks; for one stream, {@link recoveryEquivalence} says it all in a line.
 *
 * @category laws
 * @since 0.1.0
 */
export const jobLaws = (job: JobUnderLaw): readonly Law[] => statements.map(([name, statement, kinds]) => jobLaw(job, name, statement, kinds))

/** One law of a job; without kinds, every violation speaks against it. */
export function jobLaw(job: JobUnderLaw, name: string, statement: string, kinds?: readonly ViolationKind[]): Law {
  let tried = new Tried()
  const property = ({ faults }: LawOptions): fc.IAsyncProperty<unknown> => {
    tried = new Tried(faults)
    const { surface, powerCuts } = job
    const campaign = {
      job: simulated(job),
      inputs: fc.record(job.inputs) as fc.Arbitrary<Inputs>,
      faults,
      ...(surface === undefined ? {} : { surface }),
      ...(powerCuts === undefined ? {} : { powerCuts }),
    }
    return scheduleProperty(campaign, tried, kinds) as fc.IAsyncProperty<unknown>
  }
  return law(name, statement, property, {
    vacuous: (runs) => tried.vacuous(runs),
    counters: () => ({ ...tried.statistics }),
    faultPoints: () => ({ ...tried.faultPoints }),
  })
}

export const simulated = ({ inputs, sinks, order = 'perKey', keeps = 'same', build }: JobUnderLaw): SimulatedJob => ({
  sources: Object.keys(inputs),
  sinks,
  order,
  keeps,
  build: ({ source, sink }) => build({ source: <T>(uid: string) => source(uid) as Stream<T>, sink }),
})
