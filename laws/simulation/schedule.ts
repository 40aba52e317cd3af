/**
 * One schedule: a job, its inputs and a plan, from the first process to the end of all input, however many processes that takes.
 *
 * **Invariants** Everything is decided by the seed of the plan. What a process does after its death has no effect here either.
 */

import type { CheckpointOptions } from '../../lib/coordinator.js'
import { BackendError, hasCode, RxweirError } from '../../lib/errors.js'
import type { JobEvent } from '../../lib/events.js'
import { defineJob, type Job, type JobRunHandle } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import type { StopPlace } from '../../lib/sourcePump.js'
import { arraySource } from './arraySource.js'
import { keepsWhatWasSeen } from './compare.js'
import { Life } from './life.js'
import { type Ending, isMoving, type Plan, turningPointOf } from './plan.js'
import type { Inputs, SimulatedJob } from './simulatedJob.js'
import { sinkIn } from './sinkIn.js'
import { sourceIn } from './sourceIn.js'
import { noStatistics, type Statistics } from './statistics.js'
import { type Found, storageIn } from './storageIn.js'
import type { Kept, Seen, Surface, SurfaceFactory } from './surface.js'
import type { Violation, ViolationKind } from './violation.js'
import { type Slow, World } from './world.js'

export interface Outcome {
  readonly violations: readonly Violation[]
  readonly statistics: Statistics
  /** What happened, in order, as one may tell it. */
  readonly story: readonly string[]
  readonly trace: number
  readonly committed: ReadonlyMap<string, readonly Seen[]>
  /** The points at which processes ended, or were interrupted. */
  readonly endedAt: readonly string[]
  /** What recoveries found, for whoever compares it. */
  readonly found: readonly Found[]
  /** The newest checkpoint at the end, where the surface shows it. */
  readonly last: Kept | undefined
  /** The code of the error with which the job was refused, where that may be. */
  readonly refused: string | undefined
  /** There is a savepoint. None where a job that goes on had nothing left to do. */
  readonly left: boolean
  /** What time it was at the end. */
  readonly nowMs: number
  /** Wakes who sleeps on a job that was left, and answers what it does that it must not. */
  readonly wakes?: () => Promise<{ readonly violations: readonly Violation[]; readonly zombies: number }>
}

/** How a job is left for another storage, by whoever has a savepoint of it. */
export interface Leaving {
  /**
   * `stop`: it is stopped at a place, with a savepoint. `copy`: it goes on while the savepoint is made, and is cancelled then. `cancel`: it is
   * cancelled at any moment, without a savepoint.
   */
  readonly how: 'stop' | 'copy' | 'cancel'
  /** Where it is stopped. */
  readonly at: StopPlace
  /** Where the savepoint goes. */
  target(life: Life): CheckpointStorage
  /** There is a savepoint already, which somebody made who cannot tell: the next one goes elsewhere. */
  taken(): void
}

export interface ScheduleOptions {
  readonly job: SimulatedJob
  readonly inputs: Inputs
  readonly plan: Plan
  readonly surface: SurfaceFactory
  /** Called when a source has handed out all its records; the source then waits instead of ending. */
  waits?(handle: JobRunHandle): void
  /** What each process adds to the options of the job. */
  more?(life: Life): Partial<JobOptions>
  /** Ended before its input is. */
  readonly leaving?: Leaving
  /** With this code it may be refused; that is no violation, and ends the schedule. */
  readonly mayRefuse?: 'SINK_AHEAD'
  /** Another job has had the sinks since: it is told, and may go on when it starts again. */
  readonly disturbed?: boolean
  /** What time it is at first. */
  readonly startMs?: number
  /** A process has begun, for the first time: sinks have what was decided, and no record of it. */
  started?(): void
}

const stepsMax = 30_000
/** So much does a process do that slept until its job was elsewhere. */
const wokenStepsMax = 500
const foundMax = 2
const storyMax = 80

export const runSchedule = (options: ScheduleOptions): Promise<Outcome> => new Schedule(options).run()

class Schedule {
  private readonly world: World
  private readonly surface: Surface
  private readonly statistics = noStatistics()
  private readonly violations: Violation[] = []
  private readonly story: string[] = []
  private readonly endings: Ending[]
  private readonly seen = new Map<string, readonly Seen[]>()
  private readonly lives: Life[] = []
  private readonly found: Found[] = []
  private readonly endedAt: string[] = []
  private lastRead: Found | undefined
  private faultsLeft: number
  /** The newest checkpoint that somebody was told is complete. */
  private acknowledged = 0
  private published = 0
  /** Who took over last, and from which checkpoint. */
  private owner: { readonly life: Life; readonly from: number; readonly epoch: number } | undefined
  private handle: JobRunHandle | undefined
  private over = false
  /** How many checkpoints are under way. */
  private inFlight = 0
  /** What was to be restored is. */
  private recovered = false
  private hasStarted = false
  /** What is under way between the storage of the job and another place. */
  private underWay: 'savepoint' | 'move' | undefined
  /** How many processes in a row have died in recovery, each after the crash of the one before. */
  private deep = 0
  private refused: string | undefined
  /** A savepoint of the run that goes on is under way. */
  private copying = false
  private allRead = false
  private left = false

  constructor(private readonly options: ScheduleOptions) {
    const { plan, surface } = options
    this.world = new World(plan.seed, plan.slow, stepsMax)
    this.world.nowMs = options.startMs ?? this.world.nowMs
    this.surface = surface(plan.seed, plan.retained)
    this.endings = [...plan.endings]
    this.faultsLeft = plan.faultsMax
  }

  async run(): Promise<Outcome> {
    this.statistics.runs = 1
    await quietly()
    while (!this.over && this.violations.length === 0) {
      const life = this.begin()
      const settled = await this.world.settle(
        () => this.over || this.violations.length > 0 || this.life !== life || life.dead || life.paused,
        () => this.between(life),
      )
      if (settled === 'idle') this.violate('HUNG', 'nothing is left that could go on, and the job has not ended')
      if (settled === 'tooLong') this.violate('HUNG', `the job has not ended after ${stepsMax} steps`)
    }
    if (this.violations.length === 0) await this.end()
    const { statistics, violations, story, found, endedAt, refused } = this
    return {
      refused,
      left: this.left,
      nowMs: this.world.nowMs,
      violations,
      statistics,
      story,
      last: this.surface.newest?.(),
      trace: this.world.trace,
      committed: new Map(this.options.job.sinks.map((uid) => [uid, [...this.surface.committed(uid)]])),
      endedAt,
      found,
      ...(this.lives.some((life) => life.paused && !life.dead) ? { wakes: () => this.wakeSleepers() } : {}),
    }
  }

  private get life(): Life | undefined {
    return this.lives.at(-1)
  }

  // ---- processes

  private begin(): Life {
    const { job, plan, inputs, more, leaving } = this.options
    const waits = this.options.waits ?? (leaving === undefined || leaving.how === 'stop' ? undefined : () => this.readAll())
    const life: Life = new Life(this.world, {
      ended: (ending, label) => {
        this.endedAt.push(turningPointOf(label) ?? 'elsewhere')
        this.ended(life, ending)
      },
      // A step of the user asks for a checkpoint while a record is on its way.
      happened: (label) => {
        if (life === this.life && isMoving(label)) this.underWay = this.recovered ? 'savepoint' : 'move'
        if (label === 'record written') this.ask(life)
      },
      fault: (kind) => this.fault(kind),
    })
    this.lives.push(life)
    this.inFlight = 0
    if (this.lives.length > 1) this.tell('a new process starts')
    life.expect(this.endings.shift())
    const storage = storageIn(life, this.surface.storage(life), {
      name: 'storage',
      published: (_life, id, moved) => {
        this.published = Math.max(this.published, id)
        if (moved) this.statistics.moves += 1
      },
      read: (_life, found) => {
        this.lastRead = found
      },
      takesOver: (who, from) => this.takesOver(who, from),
    })
    const added = more?.(life)
    const { below } = this.world
    const draw = (max: number): number => 1 + below.call(this.world, max)
    const defined = defineJob(
      'job',
      {
        storage,
        clock: life,
        checkpoints: {
          intervalMs: plan.intervalMs,
          timeoutMs: plan.timeoutMs,
          tolerableFailures: 100,
          ...this.barriers(added?.storage ?? storage, added?.state),
        },
        pacing: { recordsPerTurn: () => draw(plan.recordsPerTurnMax), turnsPerSlice: () => draw(4), sliceMs: 8, stepsPerSlice: () => draw(3) },
        limits: { unconfirmedCommitsMax: plan.unconfirmedMax },
        development: false,
        ...added,
      },
      (scope) =>
        job.build({
          source: (uid) =>
            scope.source(
              uid,
              sourceIn(
                life,
                arraySource(inputs[uid] ?? [], {
                  batchMax: () => draw(plan.batchMax),
                  ...(waits === undefined ? {} : { waits: () => this.handle !== undefined && waits(this.handle) }),
                }),
              ),
            ) as never,
          sink: (uid) => scope.sink(uid, sinkIn(life, this.surface.sink(uid, life), { committed: (_life, id) => this.committed(uid, id) })),
        }),
    )
    this.subscribe(life, defined)
    return life
  }

  private barriers({ manifest }: CheckpointStorage, state: StateBackend | undefined): CheckpointOptions {
    const { job, plan } = this.options
    const can = manifest.concurrentWriters === true && (state === undefined || state.manifest.concurrentCaptures === true)
    const concurrentMax = can ? plan.concurrentMax : 1
    if (job.guarantee === 'atLeastOnce') return { mode: 'at-least-once', concurrentMax }
    if (concurrentMax > 1 || plan.overtakesAfterMs === Number.POSITIVE_INFINITY) return { concurrentMax }
    return { unaligned: true, alignmentTimeoutMs: plan.overtakesAfterMs }
  }

  private subscribe(life: Life, job: Job): void {
    const handle = job.run()
    this.handle = handle
    this.inFlight = 0
    const { leaving, mayRefuse } = this.options
    this.copying = this.allRead = this.recovered = false
    this.underWay = undefined
    if (leaving?.how === 'stop') handle.stop({ at: leaving.at, savepoint: leaving.target(life) }).catch(() => {})
    const isCurrent = (): boolean => this.handle === handle && !life.dead && !this.over
    let stopping = false
    this.stop = () => {
      stopping = true
      handle.stop().catch(() => {})
    }
    this.again = () => {
      if (isCurrent()) {
        // Whoever unsubscribes in the middle of a call subscribes again in the same call.
        this.handle = undefined
        handle.cancel()
        this.subscribe(life, job)
      }
    }
    handle.events$.subscribe({
      next: (event) => this.event(life, event),
      error: (error: unknown) => {
        if (!isCurrent()) return
        this.tell(`the run ends with ${codeOf(error)}`)
        if (mayRefuse !== undefined && hasCode(error, mayRefuse)) {
          this.refused = mayRefuse
          this.statistics.refusals += 1
          this.over = true
          return
        }
        if (leaving !== undefined && hasCode(error, 'SAVEPOINT_EXISTS')) leaving.taken()
        else if (!this.isExpected(error)) return this.violate('HUNG', `the run ended with an error that nobody caused: ${messageOf(error)}`)
        this.subscribe(life, job)
      },
      complete: () => {
        if (!isCurrent()) return
        if (stopping) {
          leaving?.taken()
          this.subscribe(life, job)
        } else if (!life.paused) {
          this.left = leaving?.how === 'stop'
          this.over = true
        }
      },
    })
  }

  private stop = (): void => {}
  private again = (): void => {}

  private ended(life: Life, ending: Ending): void {
    if (life !== this.life) return
    this.tell(`${ending.how}${ending.at === undefined ? '' : ` at ${ending.at}`}`)
    switch (ending.how) {
      case 'kill':
      case 'powerCut':
        this.crashed()
        // A cut of the power takes every process with it.
        for (const each of ending.how === 'powerCut' ? this.lives : [life]) each.die()
        this.surface.died(ending.how, this.world.random)
        for (const uid of this.options.job.sinks) this.checkSeen(uid, this.surface.committed(uid))
        return
      case 'pause':
        life.paused = true
        return
      case 'unsubscribe':
        life.expect(this.endings.shift())
        return this.again()
      case 'stop':
        life.expect(this.endings.shift())
        return this.stop()
    }
  }

  private crashed(): void {
    const { statistics } = this
    const before = this.lives.at(-2)
    this.deep = !this.recovered && before?.dead === true ? this.deep + 1 : 0
    statistics.crashes += 1
    if (this.inFlight > 0) statistics.crashesInCheckpoint += 1
    if (this.underWay === 'savepoint') statistics.crashesInSavepoint += 1
    if (this.underWay === 'move') statistics.crashesInMove += 1
    if (this.deep >= 1) statistics.crashesInRecovery += 1
    if (this.deep >= 2) statistics.crashesTwoDeep += 1
    if (this.deep >= 3) statistics.crashesThreeDeep += 1
  }

  private fault(kind: Slow): boolean {
    const rate = kind === 'clock' ? 0 : this.options.plan.faults[kind]
    if (rate === 0 || this.faultsLeft === 0 || this.world.random() >= rate) return false
    this.faultsLeft -= 1
    this.statistics.faults += 1
    this.tell(`a call of the ${kind} fails`)
    return true
  }

  private between(life: Life): void {
    this.ask(life)
    const { leaving } = this.options
    if (leaving !== undefined && leaving.how !== 'stop' && this.world.random() < 0.004) this.leave()
    const sleeper = this.lives.find((each) => each.paused && !each.dead && each !== life)
    if (sleeper !== undefined && this.world.random() < 0.02) this.wake(sleeper)
  }

  private ask(life: Life): void {
    const { asked } = this.options.plan
    if (asked > 0 && life === this.life && this.world.random() < asked)
      this.handle?.checkpoint().then(
        (id) => this.acknowledge(life, id),
        () => {},
      )
  }

  private readAll(): void {
    this.allRead = true
    this.leave()
  }

  /** At some moment, at the latest when everything has been read, the job is left: with a savepoint that is made while it goes on, or as it is. */
  private leave(): void {
    const { handle, life } = this
    const { leaving } = this.options
    if (leaving === undefined || this.copying || this.over || handle === undefined || life === undefined || life.dead) return
    const cancel = (how: string): void => {
      this.tell(how)
      this.left = true
      this.over = true
      life.expect(undefined)
      handle.cancel()
    }
    if (leaving.how === 'cancel') {
      if (this.recovered && !life.paused) cancel('the job is left as it is')
      return
    }
    this.copying = true
    const isCurrent = (): boolean => this.handle === handle && !life.dead && !this.over
    handle.savepoint(leaving.target(life)).then(
      () => {
        if (isCurrent() && !life.paused) cancel('the job is left with a savepoint')
      },
      (error: unknown) => {
        if (!isCurrent()) return
        if (hasCode(error, 'SAVEPOINT_EXISTS')) leaving.taken()
        this.copying = false
        if (this.allRead) this.leave()
      },
    )
  }

  private wake(life: Life): void {
    this.tell('the paused process wakes up')
    life.paused = false
  }

  // ---- what is looked at

  private event(life: Life, event: JobEvent): void {
    if (life.dead) return
    if (event.kind === 'restored' && event.checkpointId !== undefined) this.restored(life)
    if (event.kind === 'checkpointCompleted') {
      this.statistics.checkpoints += 1
      this.acknowledge(life, event.checkpointId)
    }
    if (life === this.life) {
      if (event.kind === 'started') this.begun()
      if (event.kind === 'savepointCompleted') this.underWay = undefined
      if (event.kind === 'checkpointStarted' && (this.inFlight += 1) > 1) this.statistics.concurrent += 1
      if (event.kind === 'checkpointCompleted' || event.kind === 'checkpointAborted') this.inFlight -= 1
    }
    this.tell(
      `${this.lives.length > 1 ? `process ${this.lives.indexOf(life) + 1}: ` : ''}${event.kind}${'checkpointId' in event && event.checkpointId !== undefined ? ` ${event.checkpointId}` : ''}`,
    )
    life.mark(event.kind)
  }

  private begun(): void {
    this.recovered = true
    this.underWay = undefined
    if (!this.hasStarted) this.options.started?.()
    this.hasStarted = true
  }

  /** What counts is when it began: the answer may come long after another process has taken over in turn. */
  private takesOver(life: Life, from: number): (epoch: number) => void {
    const { acknowledged } = this
    return (epoch) => {
      if (from < acknowledged)
        this.violate('LOST', `checkpoint ${acknowledged} was complete, and a recovery found ${from === 0 ? 'nothing' : `checkpoint ${from}`}`)
      if (this.owner === undefined || epoch > this.owner.epoch) this.owner = { life, from, epoch }
    }
  }

  private restored(life: Life): void {
    this.statistics.restored += 1
    const alone = this.lives.every((each) => each === life || each.dead)
    if (alone && this.lastRead !== undefined && this.found.length < foundMax) this.found.push(this.lastRead)
  }

  private acknowledge(life: Life, id: number): void {
    if (life.dead) return
    if (this.owner !== undefined && this.owner.life !== life && this.owner.from < id)
      this.violate('PHANTOM', `checkpoint ${id} of a process was completed after another had taken over at ${this.owner.from}`)
    this.acknowledged = Math.max(this.acknowledged, id)
  }

  private committed(uid: string, id: number | undefined): void {
    if (id !== undefined && id > this.published)
      this.violate('PHANTOM', `a transaction of checkpoint ${id} was committed before the checkpoint was complete`)
    // What another process has made visible and not durable may vanish once more in a power cut, before its commit is repeated.
    if (this.lives.filter((each) => !each.dead).length > 1) return
    const now = this.surface.committed(uid)
    this.checkSeen(uid, now)
    this.seen.set(uid, [...now])
  }

  /** A reader of committed records looks again: what it has seen after a confirmed commit stays. */
  private checkSeen(uid: string, now: readonly Seen[]): void {
    this.violations.push(...keepsWhatWasSeen(uid, this.seen.get(uid) ?? [], now))
  }

  private isExpected(error: unknown): boolean {
    if (error instanceof RxweirError && error.details.injected === true) return true
    if (this.options.disturbed === true && hasCode(error, 'SINK_FENCED')) return true
    // While two processes hold on to the same things, one of them loses: it is fenced, or finds something done already.
    return this.lives.filter((each) => !each.dead).length > 1 && error instanceof RxweirError && rivalry.has(error.code)
  }

  // ---- the end

  /** The job is done. Whoever is paused wakes up, everything in the background ends, and nothing is left. */
  private async end(): Promise<void> {
    for (const life of this.lives) {
      life.expect(undefined)
      // Whoever sleeps on a job that was left sleeps on, until it is somewhere else.
      if (this.left && life !== this.life && !life.paused) life.die()
      if (life.paused && !life.dead && !this.left) this.wake(life)
    }
    this.tell('the job has ended')
    const settled = await this.world.settle(
      () => this.violations.length > 0,
      () => {},
    )
    if (settled === 'tooLong') this.violate('HUNG', 'something goes on and on after the job has ended')
    if (this.violations.length > 0) return
    const { life } = this
    if (life === undefined || life.dead) return
    if (life.timersLeft > 0) this.violate('LEAKED', `${life.timersLeft} timers are left`)
    if (life.open > 0) this.violate('LEAKED', `${life.open} of storage, sources and sinks are still open`)
    // What a process wrote after it was fenced is removed by the next recovery.
    const { plan, leaving } = this.options
    if (!plan.endings.some(({ how }) => how === 'pause') && (leaving === undefined || leaving.how === 'stop') && this.refused === undefined)
      for (const each of this.surface.leftovers()) this.violate('LEAKED', `${each} is left behind`)
  }

  /** What it does may go on for ever: it is stopped after some time. */
  private async wakeSleepers(): Promise<{ readonly violations: readonly Violation[]; readonly zombies: number }> {
    const sleepers = this.lives.filter((life) => life.paused && !life.dead)
    for (const life of sleepers) this.wake(life)
    const until = this.world.steps + wokenStepsMax
    await this.world.settle(
      () => this.violations.length > 0 || this.world.steps >= until,
      () => {},
    )
    for (const life of sleepers) life.die()
    return { violations: this.violations, zombies: sleepers.length }
  }

  private violate(kind: ViolationKind, what: string): void {
    this.violations.push({ kind, what })
  }

  private tell(what: string): void {
    if (this.story.length < storyMax) this.story.push(what)
  }
}

const rivalry: ReadonlySet<string> = new Set(['BACKEND_FENCED', 'SINK_FENCED', 'BACKEND_IO', 'SINK_IO'])

/** Lets promises of an earlier schedule end, which may share a scheduler of rxjs with this one. */
async function quietly(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await undefined
}

const codeOf = (error: unknown): string => (error instanceof RxweirError ? error.code : String(error))
const messageOf = (error: unknown): string =>
  error instanceof BackendError ? error.message : error instanceof Error ? `${error.name}: ${error.message}` : String(error)
