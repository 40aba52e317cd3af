/**
 * A job on its way through several storages: run, left with a savepoint, begun again from it elsewhere, to the end of its input; or begun
 * again where it was, with an older checkpoint.
 *
 * **Invariants** Everything is decided by the seeds of the legs' plans. What sinks have committed stays.
 */
import fc from 'fast-check'
import type { JobOptions } from '../../lib/jobOptions.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import type { RestoreOptions } from '../../lib/restore/restoreOptions.js'
import { chance } from '../crashFsChoices.js'
import { compare } from './compare.js'
import type { Life } from './life.js'
import { type Older, olderIn } from './older.js'
import { plainStorage } from './plainStorage.js'
import { calm, type Plan, type PlansOptions, plans } from './plan.js'
import { type Leaving, type Outcome, runSchedule, type ScheduleOptions } from './schedule.js'
import type { Inputs, SimulatedJob } from './simulatedJob.js'
import { stateText } from './stateAt.js'
import { addStatistics, noStatistics, type Statistics } from './statistics.js'
import { storageIn } from './storageIn.js'
import type { Seen, Surface, SurfaceFactory } from './surface.js'
import type { Violation } from './violation.js'

/** One storage on the way, and how it is left. */
export interface Leg {
  readonly plan: Plan
  readonly instances: number
  /** The numbers of the surfaces of the storage and of the savepoint that it is left with. */
  readonly storage: number
  readonly savepoint: number
  readonly how: Leaving['how']
  /** Of what each source still has, so much is read first; 1 for all of it, to its end. */
  readonly shares: readonly [number, number]
  /**
   * The savepoint that the leg before was left with becomes its storage, is begun with, or is one of all that are begun with; or the job goes
   * back to an older checkpoint, where there is one.
   */
  readonly takes: 'claim' | 'own' | 'all' | 'back'
  /** A job that goes back may write once more what sinks have by then. */
  readonly again: boolean
}

export interface Passage {
  readonly legs: readonly Leg[]
  /** The surface of the sinks. */
  readonly sinks: number
  readonly maxParallelism: number
}

export interface PassagesOptions extends Omit<PlansOptions, 'moves'> {
  readonly surfaces: number
  readonly instancesMax: number
  /** The job goes back to older checkpoints, too: it has one instance then. Default no. */
  readonly returns?: boolean
}

/** Ways of two to four legs; the last one leads to the end of the input. */
export function passages({ surfaces, instancesMax, returns = false, ...options }: PassagesOptions): fc.Arbitrary<Passage> {
  const plan = plans({ ...options, moves: true })
  // Copies of instances that go on are at different places.
  const hows: readonly Leg['how'][] = instancesMax > 1 ? ['stop'] : returns ? ['stop', 'copy', 'cancel'] : ['stop', 'stop', 'copy']
  const takes: readonly Leg['takes'][] = returns ? ['claim', 'own', 'back', 'back', 'back'] : ['claim', 'own', 'all', 'all']
  const surface = fc.nat({ max: surfaces - 1 })
  const share = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 0.2, 0.4, 0.7, 0.99) }, { weight: 1, arbitrary: fc.constant(1) })
  return fc.record({
    legs: fc.array(
      fc.record({
        // There is something to go back to.
        plan: returns ? fc.tuple(plan, fc.integer({ min: 2, max: 5 })).map(([drawn, retained]) => ({ ...drawn, retained })) : plan,
        instances: fc.integer({ min: 1, max: instancesMax }),
        storage: surface,
        savepoint: surface,
        how: fc.constantFrom(...hows),
        shares: fc.tuple(share, share),
        takes: fc.constantFrom(...takes),
        again: fc.boolean(),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    sinks: surface,
    maxParallelism: fc.constantFrom(5, 128, 32_768),
  })
}

/** The job as it is in one leg, and what its options say more there. */
export interface Program {
  readonly job: SimulatedJob
  readonly options?: Partial<JobOptions>
}

export interface PassageOptions {
  readonly programOf: (leg: number) => Program
  readonly inputs: Inputs
  readonly passage: Passage
  readonly surfaces: readonly SurfaceFactory[]
}

/** Runs a job through a passage, and once undisturbed on one storage: what is committed in total has to agree. */
export async function survivesPassage(options: PassageOptions): Promise<Outcome> {
  const run = new Run(options)
  const outcome = await run.run()
  if (outcome.violations.length > 0) return outcome
  const { programOf, inputs, passage, surfaces } = options
  const { job } = programOf(passage.legs.length - 1)
  const undisturbed = await runSchedule({
    job,
    inputs,
    plan: calm,
    surface: surfaceOf(surfaces, passage.sinks),
    more: () => ({ maxParallelism: passage.maxParallelism }),
  })
  if (undisturbed.violations.length > 0) return { ...undisturbed, story: ['nothing disturbs the job', ...undisturbed.story] }
  const violations: Violation[] = []
  const split = passage.legs.some(({ instances }) => instances > 1)
  const order = split && job.order === 'exact' ? 'perKey' : job.order
  const expected = new Map(undisturbed.committed)
  let twice = false
  for (const { committed, older, again } of run.returns) {
    const rest = await goneOn(options, older)
    if (rest.violations.length > 0) return { ...rest, story: [`nothing disturbs the job behind checkpoint ${older.id}`, ...rest.story] }
    for (const uid of job.sinks) {
      const [before, own, behind] = [expected, committed, rest.committed].map((each) => each.get(uid) ?? []) as [Seen[], Seen[], Seen[]]
      const all = [...own, ...behind]
      // What sinks have by then is the beginning of what they were to have; where nothing is written again it goes on as before.
      violations.push(...(again || twice ? compare(uid, own, before, order).filter(({ kind }) => kind !== 'LOST') : compare(uid, all, before, order)))
      expected.set(uid, all)
    }
    twice ||= again
  }
  for (const uid of job.sinks) {
    const found = outcome.committed.get(uid) ?? []
    const records = expected.get(uid) ?? []
    outcome.statistics.records += records.length
    violations.push(...compare(uid, found, records, order))
    if (run.returns.length > 0) violations.push(...sameRecords(uid, found, undisturbed.committed.get(uid) ?? []))
  }
  if (
    violations.length === 0 &&
    !split &&
    job.sources.length === 1 &&
    job.keeps !== 'any' &&
    outcome.last !== undefined &&
    undisturbed.last !== undefined
  ) {
    outcome.statistics.states += 1
    const [found, expected] = [stateText(outcome.last.body, outcome.last.chunks), stateText(undisturbed.last.body, undisturbed.last.chunks)]
    if (found !== expected) violations.push({ kind: 'STATE_DIFF', what: `at the end the state is ${found}, and without savepoints ${expected}` })
  }
  return { ...outcome, violations }
}

/** What a job commits that nothing disturbs, from an older checkpoint on. */
const goneOn = ({ programOf, inputs, passage, surfaces }: PassageOptions, { copy }: Older): Promise<Outcome> => {
  const { job, options = {} } = programOf(passage.legs.length - 1)
  return runSchedule({
    job,
    inputs,
    plan: calm,
    surface: surfaceOf(surfaces, passage.sinks),
    more: () => ({ ...options, maxParallelism: passage.maxParallelism, restore: { ...options.restore, from: plainStorage(copy) } }),
  })
}

/** However often a job went back, it has written what it writes without: some of it several times. */
function sameRecords(uid: string, found: readonly Seen[], expected: readonly Seen[]): Violation[] {
  const once = (records: readonly Seen[]): Seen[] => [...new Map(records.map((record) => [`${record.key}: ${record.text}`, record])).values()]
  return compare(uid, once(found), once(expected), 'multiset')
}

const surfaceOf = (surfaces: readonly SurfaceFactory[], number: number): SurfaceFactory => surfaces[number % surfaces.length] as SurfaceFactory

/** What the instances of a leg had. */
interface Left {
  readonly storages: readonly Surface[]
  readonly savepoints: readonly Surface[]
  readonly how: Leaving['how']
  /** There is no savepoint, since there was nothing left to do before, or nobody made one: the storage is that of the next leg. */
  readonly stays: boolean
}

/** A job that went back, at the moment when it began. */
interface Return {
  readonly older: Older
  readonly again: boolean
  readonly committed: ReadonlyMap<string, readonly Seen[]>
}

class Run {
  readonly returns: Return[] = []
  private readonly statistics: Statistics = noStatistics()
  private readonly story: string[] = []
  private readonly endedAt: string[] = []
  /** Everything that outlives processes: a cut of the power is one for all. */
  private readonly all: Surface[] = []
  private readonly sinks: Surface[] = []
  private readonly committed = new Map<string, Seen[]>()
  private readonly places: { [uid: string]: number } = {}
  /** Who sleeps on a leg that is over, by instance. */
  private readonly sleepers = new Map<number, NonNullable<Outcome['wakes']>[]>()
  private nowMs: number | undefined
  private made = 0
  /** A sink may be ahead since the job went back: until there is a newer checkpoint, whoever starts it has to go on saying so. */
  private ahead = false

  constructor(private readonly options: PassageOptions) {}

  async run(): Promise<Outcome> {
    const { legs } = this.options.passage
    let left: Left | undefined
    let outcome: Outcome | undefined
    for (const [number, leg] of legs.entries()) {
      const before = left
      const isLast = number === legs.length - 1
      if (!isLast) this.goOn(leg, number)
      const storages: Surface[] = []
      const savepoints: Surface[] = []
      for (let index = 0; index < leg.instances; index += 1) {
        this.story.push(`leg ${number + 1}, instance ${index} of ${leg.instances}`)
        const leaving = isLast ? undefined : this.leavingOf(leg)
        outcome = await this.leg({ number, leg, index, before, storages, leaving })
        if (outcome.violations.length > 0) return { ...outcome, ...this.soFar() }
        if (leaving !== undefined) savepoints.push(leaving.savepoint)
      }
      left = { storages, savepoints, how: leg.how, stays: outcome?.left !== true || leg.how === 'cancel' }
    }
    return { ...(outcome as Outcome), ...this.soFar() }
  }

  private soFar(): Pick<Outcome, 'statistics' | 'story' | 'endedAt' | 'committed'> {
    const { story, endedAt, committed } = this
    // The whole way counts as one: what goes wrong on one leg may come of another.
    const statistics = { ...this.statistics, runs: 1 }
    return { statistics, story, endedAt, committed }
  }

  /** The places at which the next leg stops. */
  private goOn({ shares }: Leg, number: number): void {
    const { job } = this.options.programOf(number)
    for (const [at, uid] of job.sources.entries()) {
      const before = this.places[uid] ?? 0
      const share = shares[at % 2] as number
      const rest = (this.options.inputs[uid]?.length ?? 0) - before
      this.places[uid] = share === 1 ? Number.POSITIVE_INFINITY : before + Math.floor(Math.max(0, rest + 1) * share)
    }
  }

  private leavingOf({ how, savepoint, plan }: Leg): Leaving & { readonly savepoint: Surface } {
    const made = (): Surface => this.make(savepoint, plan)
    let current = made()
    return {
      how,
      at: (uid: string, offset: SourceOffset) => (offset as number) >= (this.places[uid] as number),
      target: (life: Life) => storageIn(life, current.storage(life)),
      taken: () => {
        current = made()
      },
      get savepoint() {
        return current
      },
    }
  }

  private make(number: number, { seed, retained }: Pick<Plan, 'seed' | 'retained'>): Surface {
    const surface = surfaceOf(this.options.surfaces, number)(seed + (this.made += 1), retained)
    this.all.push(surface)
    return surface
  }

  private sinksOf(index: number): Surface {
    const { passage } = this.options
    const known = this.sinks[index] ?? this.make(passage.sinks, { seed: index, retained: 1 })
    this.sinks[index] = known
    return known
  }

  private async leg(at: {
    readonly number: number
    readonly leg: Leg
    readonly index: number
    readonly before: Left | undefined
    readonly storages: Surface[]
    readonly leaving: Leaving | undefined
  }): Promise<Outcome> {
    const { leg, index, before, storages } = at
    const stayed = before?.storages[index]
    const older = leg.takes === 'back' && stayed !== undefined ? await this.olderIn(stayed, leg) : undefined
    if (older !== undefined) return this.goBack({ ...at, storage: stayed as Surface, older })
    const alike = before !== undefined && before.savepoints.length === leg.instances
    const claimed = before?.stays === true ? stayed : alike && leg.takes === 'claim' ? before.savepoints[index] : undefined
    const storage = claimed ?? this.make(leg.storage, leg.plan)
    const from = claimed !== undefined ? [] : alike && leg.takes === 'own' ? [before.savepoints[index] as Surface] : (before?.savepoints ?? [])
    const restore = storage === stayed ? this.goingOn() : {}
    const outcome = await this.schedule({ ...at, storage, from, restore, mayRefuse: before?.how === 'copy' && !before.stays })
    if (outcome.refused === undefined || outcome.violations.length > 0 || stayed === undefined) {
      storages[index] = storage
      return outcome
    }
    // More was committed since the savepoint was made: the job goes on where it was.
    storages[index] = stayed
    return this.schedule({ ...at, storage: stayed, restore: this.goingOn(), disturbed: true })
  }

  private goingOn(): RestoreOptions {
    return this.ahead ? { allowSinkAhead: true } : {}
  }

  private olderIn(storage: Surface, { plan }: Leg): Promise<Older | undefined> {
    const random = chance(plan.seed ^ 0x2545f491)
    return olderIn(storage, (below) => Math.floor(random() * below))
  }

  /** In the storage that the job had, with a checkpoint that is not its newest. */
  private async goBack({
    older,
    ...at
  }: { readonly older: Older; readonly storages: Surface[]; readonly storage: Surface } & Pick<
    Parameters<Run['schedule']>[0],
    'number' | 'leg' | 'index' | 'leaving'
  >): Promise<Outcome> {
    const { again } = at.leg
    const { sinks } = this.options.programOf(at.number).job
    at.storages[at.index] = at.storage
    this.story.push(`the job goes back to checkpoint ${older.id}${again ? '' : ', unless a sink is ahead of it'}`)
    const known = this.returns.length
    const outcome = await this.schedule({
      ...at,
      restore: { checkpoint: older.id, allowSinkAhead: again },
      mayRefuse: !again,
      started: () => {
        const committed = new Map(sinks.map((uid) => [uid, [...this.sinksOf(at.index).committed(uid)]]))
        this.returns.push({ older, again, committed })
        this.ahead ||= again
      },
    })
    this.statistics.returns += this.returns.length - known
    // A sink is ahead: the job goes on where it was.
    return outcome.refused === undefined || outcome.violations.length > 0 ? outcome : this.schedule({ ...at, restore: this.goingOn() })
  }

  /** Processes of legs that are over wake up, when another has gone on for long. */
  private async wake(index: number): Promise<readonly Violation[]> {
    const violations: Violation[] = []
    for (const wakes of this.sleepers.get(index) ?? []) {
      const woken = await wakes()
      this.statistics.zombies += woken.zombies
      violations.push(...woken.violations)
    }
    this.sleepers.delete(index)
    return violations
  }

  private async schedule({
    number,
    leg,
    index,
    leaving,
    storage,
    from = [],
    restore = {},
    mayRefuse = false,
    disturbed = false,
    started,
  }: {
    readonly number: number
    readonly leg: Leg
    readonly index: number
    readonly leaving: Leaving | undefined
    readonly storage: Surface
    readonly from?: readonly Surface[]
    readonly restore?: RestoreOptions
    readonly mayRefuse?: boolean
    readonly disturbed?: boolean
    readonly started?: () => void
  }): Promise<Outcome> {
    const { programOf, inputs, passage } = this.options
    const { job, options = {} } = programOf(number)
    const sinks = this.sinksOf(index)
    const before = new Map(job.sinks.map((uid) => [uid, sinks.committed(uid).length]))
    const { all } = this
    const surface: Surface = {
      storage: (life) => storage.storage(life),
      sink: (uid, life) => sinks.sink(uid, life),
      committed: (uid) => sinks.committed(uid),
      died: (how, random) => {
        // A cut of the power takes sleepers with it.
        if (how === 'powerCut') this.sleepers.clear()
        for (const each of all) each.died(how, random)
      },
      leftovers: () => sinks.leftovers(),
      ...(storage.newest === undefined ? {} : { newest: () => storage.newest?.() }),
    }
    const schedule: ScheduleOptions = {
      job,
      inputs,
      // Each instance has a life of its own.
      plan: { ...leg.plan, seed: (leg.plan.seed + index) % 2 ** 31 },
      surface: () => surface,
      ...(leaving === undefined ? {} : { leaving }),
      ...(mayRefuse ? { mayRefuse: 'SINK_AHEAD' as const } : {}),
      disturbed,
      ...(started === undefined ? {} : { started }),
      ...(this.nowMs === undefined ? {} : { startMs: this.nowMs }),
      more: (life) => ({
        ...options,
        maxParallelism: passage.maxParallelism,
        ...(leg.instances > 1 ? { instance: { index, of: leg.instances } } : {}),
        restore: { ...options.restore, ...restore, ...(from.length === 0 ? {} : { from: from.map((each) => storageIn(life, each.storage(life))) }) },
      }),
    }
    const ran = await runSchedule(schedule)
    const outcome = { ...ran, violations: [...ran.violations, ...(await this.wake(index))] }
    if (ran.wakes !== undefined) this.sleepers.set(index, [...(this.sleepers.get(index) ?? []), ran.wakes])
    this.nowMs = outcome.nowMs
    this.story.push(...outcome.story, ...(outcome.refused === undefined ? [] : ['it is refused: a sink is ahead']))
    this.endedAt.push(...outcome.endedAt)
    addStatistics(this.statistics, outcome.statistics)
    for (const uid of job.sinks) {
      const seen = this.committed.get(uid) ?? []
      seen.push(...sinks.committed(uid).slice(before.get(uid)))
      this.committed.set(uid, seen)
    }
    return outcome
  }
}
