/**
 * One run of a job: from an open storage to the last confirmed commit.
 *
 * **Invariants** The order at the start is: assemble, subscribe the sinks, start the stream, wait until every operator has
 * registered, read the newest checkpoint, take the storage over (the fence), recover the sinks, restore operators, open the
 * sources where the checkpoint left them; then the first record. Nothing is written before the checkpoint was chosen. A run ends
 * once: completed, with an error, or cancelled; from that moment nothing is published. It completes only after a final
 * checkpoint is complete and all commits are confirmed.
 *
 * **Fault model** The process may die at any point, in recovery too; every step can be done again by the next run.
 */
import { type BarrierRules, barrierRules } from './barrierRules.js'
import { CheckpointQueries } from './checkpointQueries.js'
import type { Clock } from './clock.js'
import { type CheckpointOptions, Coordinator } from './coordinator.js'
import { DriftGroup } from './driftGroup.js'
import type { DroppedRecords } from './droppedRecords.js'
import { CheckpointError, invariant } from './errors.js'
import type { JobEvent } from './events.js'
import type { WatermarkExplanation } from './eventTime.js'
import { HeldCheckpoints } from './heldCheckpoints.js'
import type { CheckpointId, JobName } from './identity.js'
import { type InstanceShare, type JobInstance, shareOf } from './instanceShare.js'
import type { Limits } from './limits.js'
import type { RunMetrics } from './metrics.js'
import type { OnCancel } from './onCancel.js'
import type { Pacing } from './pacing.js'
import { Participants } from './participants.js'
import { Pauses } from './pauses.js'
import type { CheckpointSession, CheckpointStorage } from './ports/checkpointStorage.js'
import type { StateBackend, StateTables } from './ports/stateBackend.js'
import type { CheckpointQuery, StateQuery } from './query.js'
import { Beginning } from './restore/beginning.js'
import { checkRestore, type RestoreCheck } from './restore/restoreCheck.js'
import { restoreOperators } from './restore/restoreOperators.js'
import type { RestoreChoice } from './restore/restoreOptions.js'
import type { Participant, RunContext } from './run.js'
import { RunCheckpoints } from './runCheckpoints.js'
import { type Graph, RunGraph } from './runGraph.js'
import { RunSinks } from './runSinks.js'
import { SilenceWatch } from './silenceWatch.js'
import { Slices } from './slices.js'
import { SourcePump, type StopPlace } from './sourcePump.js'
import { SourceReaders } from './sourceReaders.js'
import { heapTables } from './state/heap.js'
import { unwrap } from './task.js'

export interface RunOptions {
  readonly name: JobName
  readonly storage: CheckpointStorage
  readonly state: StateBackend
  readonly checkpoints: CheckpointOptions
  readonly onCancel: OnCancel
  readonly clock: Clock
  readonly limits: Limits
  readonly pacing: Pacing
  readonly development: boolean
  readonly restore: RestoreChoice
  readonly instance: JobInstance | undefined
  readonly maxParallelism: number | undefined
}

/** How a run is stopped. */
export interface StopOptions {
  /** Event time goes to its end first, so that open windows are emitted. Default no. */
  readonly drain?: boolean
  /** Where to copy the last checkpoint, when everything in it has been committed. */
  readonly savepoint?: CheckpointStorage
  /**
   * Goes on until each source has come to a place: asked behind each record, for each source that has not. Several instances of a job that
   * stop at one place have one cut. Default: here and now.
   */
  readonly at?: StopPlace
}

export interface RunObserver {
  event(event: JobEvent): void
  complete(): void
  error(error: unknown): void
}

/** Releasing everything may hang where a system hangs; whoever waits for the end of the run learns of it after this time. */
const closeMs = 10_000
/** So long behind an aborted checkpoint the state is told of it. */
const tellAfterMs = 1_000

export class JobRun implements RunContext {
  readonly kind = 'job'
  readonly clock: Clock
  readonly limits: Limits
  readonly development: boolean
  readonly barriers: BarrierRules
  readonly slices: Slices
  readonly share: InstanceShare
  state: StateTables = heapTables
  /** Resolves when nothing of this run is under way any more. */
  readonly quiet: Promise<void>
  private becomeQuiet: () => void = () => {}
  /** Resolves when there is a coordinator, or never will be. */
  private readonly begun: Promise<void>
  private becomeBegun: () => void = () => {}
  private readonly participants = new Participants()
  private readonly sinks: RunSinks
  private readonly releases: (() => void)[] = []
  private readonly closings: (() => Promise<void>)[] = []
  /** Operators that can take no more for now. */
  private readonly pauses = new Pauses(
    () => this.runningMs(),
    () => this.post(() => {}),
  )
  private readonly driftGroups = new Map<string, DriftGroup>()
  private allEnded: { readonly drained: boolean } | undefined
  private readers: SourceReaders | undefined
  private readonly silence = new SilenceWatch()
  private graph: RunGraph | undefined
  private session: CheckpointSession | undefined
  private coordinator: Coordinator | undefined
  private checkpoints: RunCheckpoints | undefined
  private queries: CheckpointQueries | undefined
  private pump: SourcePump | undefined
  private over = false
  private startedMs: number | undefined
  private endedMs: number | undefined
  private recovery: Promise<void> | undefined
  /** Posted before the first record could flow. */
  private early: (() => void | Promise<void>)[] = []
  private ending: Promise<void> | undefined
  /** Ends the wait until the state is told of an aborted checkpoint. */
  private aborting: (() => void) | undefined

  constructor(
    private readonly options: RunOptions,
    private readonly build: () => Graph,
    private readonly observer: RunObserver,
  ) {
    this.clock = options.clock
    this.limits = options.limits
    this.development = options.development
    this.slices = new Slices(options.clock, options.pacing)
    this.barriers = barrierRules(options.checkpoints)
    this.share = shareOf(options.instance, options.maxParallelism)
    this.sinks = new RunSinks({
      clock: options.clock,
      participants: this.participants,
      commitConfirmed: () => this.commitConfirmed(),
      report: (event) => this.report(event),
      fail: (error) => this.fail(error),
    })
    this.quiet = new Promise((resolve) => {
      this.becomeQuiet = resolve
    })
    this.begun = new Promise((resolve) => {
      this.becomeBegun = resolve
    })
  }

  /** Runs the job to its end. Never rejects: how it ended goes to the observer. */
  async start(): Promise<void> {
    if (this.over) return
    try {
      // Whoever closes the run waits for its recovery, also when it failed in the very first step.
      this.recovery = Promise.resolve().then(() => this.recover())
      await this.recovery
      if (this.over) return
      this.coordinator?.start()
      this.becomeBegun()
      await this.pump?.run()
    } catch (error) {
      this.fail(error)
    }
  }

  /** The run is over, though something of it may still be under way. */
  get ended(): boolean {
    return this.over
  }

  /** Stops without a trace: what is not in a complete checkpoint is read again by the next run. */
  cancel(): void {
    if (this.over) return
    this.over = true
    void this.close()
  }

  /**
   * Cancels because somebody said so: the checkpoints stay or go, as the options say. Resolves when nothing is under way any more.
   *
   * @throws CheckpointError `CHECKPOINTS_KEPT` where they were to go, and are there
   */
  async cancelByUser(): Promise<void> {
    if (this.options.onCancel === 'retain') this.cancel()
    else {
      const { checkpoints, over } = this
      if (over || checkpoints === undefined) {
        this.cancel()
        throw new CheckpointError('CHECKPOINTS_KEPT', { reason: over ? 'the run had ended' : 'the run had not begun' })
      }
      this.over = true
      this.pump?.stop()
      try {
        await checkpoints.discard()
      } finally {
        void this.close()
      }
    }
    await this.quiet
  }

  /** A checkpoint now, or as soon as the run has begun. */
  async checkpoint(options?: Parameters<Coordinator['checkpoint']>[0]): Promise<CheckpointId> {
    if (this.coordinator === undefined) await this.begun
    this.goOn()
    invariant(this.coordinator !== undefined, 'a run that has begun has a coordinator')
    return this.coordinator.checkpoint(options)
  }

  /** A checkpoint now and, once everything in it is committed, a copy of it that belongs to whoever asked for it. */
  async savepoint(target: CheckpointStorage): Promise<CheckpointId> {
    if (this.checkpoints === undefined) await this.begun
    this.goOn()
    invariant(this.checkpoints !== undefined, 'a run that has begun has checkpoints')
    return this.checkpoints.savepoint(target)
  }

  /**
   * Ends the run with a last checkpoint; with `drain`, operators flush first, as at the end of all input. With a target, the last
   * checkpoint is copied there once everything in it is committed.
   */
  stop({ drain = false, savepoint, at }: StopOptions): Promise<void> {
    this.lastCopy ??= savepoint
    const stop = (): void => {
      this.pump?.halt()
      if (!drain) return this.finish(false)
      for (const source of this.graph?.sources ?? []) source.end(true)
      this.finishBehindEnd(true)
    }
    this.post(() => (at === undefined ? stop() : this.pump?.haltAt(at, stop)))
    return this.quiet
  }

  // ---- what operators see of it

  register(participant: Participant): string {
    return this.participants.register(participant)
  }

  acknowledge(...[id, uid, snapshot]: Parameters<RunContext['acknowledge']>): void {
    this.coordinator?.acknowledge(id, uid, snapshot)
  }

  decline(id: CheckpointId, uid: string, cause: unknown): void {
    this.coordinator?.decline(id, uid, cause)
  }

  abort(id: CheckpointId, error: Error): void {
    this.coordinator?.abort(
      id,
      error instanceof CheckpointError ? error : new CheckpointError('CHECKPOINT_DECLINED', { checkpointId: id }, { cause: error }),
    )
  }

  get isEnding(): boolean {
    return this.ending !== undefined
  }

  post(work: () => void | Promise<void>): void {
    if (this.pump === undefined) this.early.push(work)
    else this.pump.post(work)
  }

  report(event: JobEvent): void {
    this.observer.event(event)
    if (event.kind === 'checkpointAborted') this.tellState()
    if (event.kind !== 'checkpointCompleted') return
    const silence = this.silence.look(this.explainWatermark(), this.clock.nowMs())
    if (silence !== undefined) this.observer.event(silence)
  }

  /** Whoever asks for another checkpoint does so a while later: what was in the way of the one that was aborted may be still there. */
  private tellState(): void {
    if (this.over || this.state.checkpointAborted === undefined) return
    this.aborting ??= this.clock.callAt(this.clock.nowMs() + tellAfterMs, () => {
      this.aborting = undefined
      if (!this.over) this.post(() => this.state.checkpointAborted?.())
    })
  }

  /** Ends the run with an error. The first one counts. */
  fail(error: unknown): void {
    if (this.over) return
    this.over = true
    void this.settled(this.close()).then(() => this.observer.error(error))
  }

  pause(sources?: readonly string[]): () => void {
    return this.pauses.begin(sources)
  }

  heldMs(sources: readonly string[] = this.graph?.sources.map(({ uid }) => uid) ?? []): number {
    return sources.reduce((least, uid) => Math.min(least, this.pauses.heldMs(uid)), sources.length === 0 ? 0 : Number.POSITIVE_INFINITY)
  }

  driftGroup(name: string): DriftGroup {
    const group = this.driftGroups.get(name) ?? new DriftGroup()
    this.driftGroups.set(name, group)
    return group
  }

  /** What operators have dropped in this run, by reason. */
  droppedRecords(): readonly DroppedRecords[] {
    return [...this.participants.values()].flatMap((participant) => participant.droppedRecords())
  }

  /** A look into a state of an operator. */
  query(uid: string, state: string): StateQuery {
    return this.participants.query(uid, state)
  }

  /** A look into a state of an operator, as the newest complete checkpoint has it. */
  async queryCheckpoint(uid: string, state: string): Promise<CheckpointQuery> {
    if (this.queries === undefined) await this.begun
    this.goOn()
    invariant(this.queries !== undefined, 'a run that has begun can be asked')
    return this.queries.newest(uid, this.participants.storedState(uid, state))
  }

  /** Where everything stands. */
  metrics(): RunMetrics {
    return {
      job: this.options.name,
      runningMs: this.runningMs(),
      sources: (this.graph?.sources ?? []).map(({ uid, records, finished }) => ({
        uid,
        records,
        finished,
        paused: this.pauses.isHeld(uid),
        pausedMs: this.pauses.heldMs(uid),
      })),
      operators: this.participants.metrics(this.clock.nowMs()),
      sinks: this.sinks.metrics(),
      checkpoints: this.coordinator?.figures() ?? { completed: 0, failed: 0, last: undefined },
    }
  }

  private runningMs(): number {
    return this.startedMs === undefined ? 0 : Math.max(0, (this.endedMs ?? this.clock.nowMs()) - this.startedMs)
  }

  /** Where every operator stands in event time, and which input the others wait for. */
  explainWatermark(): WatermarkExplanation {
    return this.participants.explainWatermark()
  }

  /** What a start would find. Takes nothing over, opens neither sources nor sinks, and leaves everything as it is. */
  async check(): Promise<RestoreCheck> {
    try {
      const graph = this.assemble()
      await graph.start(this)
      const session = await unwrap(this.options.storage.open(this.options.name, { readOnly: true }))
      this.session = session
      const beginning = this.beginning(graph, session)
      return await checkRestore(() => beginning.choose(), { sources: graph.sourceUids, participants: this.participants })
    } finally {
      this.over = true
      await this.close()
    }
  }

  // ---- the start

  private async recover(): Promise<void> {
    const graph = this.assemble()
    this.state = await unwrap(this.options.state.open(this.options.name, { askCheckpoint: () => this.askCheckpoint(), pause: () => this.pause() }))
    if (this.over) return
    await graph.start(this)
    this.session = await unwrap(this.options.storage.open(this.options.name))
    const beginning = this.beginning(graph, this.session)
    const { epoch, cut } = await beginning.takeOver()
    const sinks = await this.sinks.open({
      job: this.options.name,
      epoch,
      cut,
      allowSinkAhead: this.options.restore.allowSinkAhead,
      askCheckpoint: () => this.askCheckpoint(),
      goOn: () => this.goOn(),
    })
    const restorable = await beginning.restorable()
    const { stored, body } = restorable ?? {}
    const committedAgain = await sinks.settle(body)
    // Before state is restored, which may take long: what a source receives meanwhile, it can take down.
    const sources = new SourceReaders(this.clock, this.session, () => this.goOn())
    this.readers = sources
    const restored = stored === undefined || body === undefined ? undefined : { id: stored.checkpointId, body }
    const readers = await sources.open(graph.sources, restored)
    const rows = await restoreOperators({ session: this.session, stored, body, participants: this.participants, state: this.state })
    await beginning.close()
    if (this.over) return
    this.pump = new SourcePump(readers, {
      clock: this.clock,
      pacing: this.options.pacing,
      sourceBatchMax: this.limits.sourceBatchMax,
      slices: this.slices,
      pressure: () => this.pressure(),
      isPaused: (uid) => this.pauses.isPaused(uid),
      isOnlyAhead: (uid) => this.pauses.isOnlyAhead(uid),
      sourceEnded: (uid) => this.report({ kind: 'sourceEnded', uid }),
      allEnded: () => this.finishBehindEnd(false),
      fail: (error) => this.fail(error),
    })
    this.coordinator = new Coordinator(
      {
        clock: this.clock,
        session: this.session,
        epoch,
        share: this.share,
        restored: body?.restored,
        unconfirmedCommitsMax: this.limits.unconfirmedCommitsMax,
        sources: graph.sources,
        participants: this.participants,
        commits: this.sinks.commits,
        post: (work) => this.post(work),
        completed: (id, offsets) => sources.checkpointCompleted(id, offsets),
        report: (event) => this.report(event),
        fail: (error) => this.fail(error),
      },
      this.options.checkpoints,
      stored?.checkpointId ?? 0,
    )
    const held = new HeldCheckpoints(this.session)
    this.queries = new CheckpointQueries(held)
    this.checkpoints = new RunCheckpoints({
      held,
      job: this.options.name,
      clock: this.clock,
      session: this.session,
      coordinator: this.coordinator,
      commits: this.sinks.commits,
      forgetful: sinks.forget,
      isOver: () => this.over,
      goOn: () => this.goOn(),
      report: (event) => this.report(event),
      fail: (error) => this.fail(error),
    })
    this.report({ kind: 'restored', checkpointId: stored?.checkpointId, epoch, rows, committedAgain })
    if (this.over) return
    for (const participant of this.participants.values()) participant.open()
    for (const source of graph.sources) source.open()
    this.startedMs = this.clock.nowMs()
    this.report({ kind: 'started', epoch })
    if (this.over) return
    for (const source of graph.sources) if (source.finished) this.post(() => source.end(false))
    for (const work of this.early.splice(0)) this.post(work)
  }

  private assemble(): RunGraph {
    const isOver = (): boolean => this.over
    this.graph = new RunGraph(this.build, {
      job: this.options.name,
      participants: this.participants,
      get ended() {
        return isOver()
      },
      fail: (error) => this.fail(error),
      onRelease: (release) => this.releases.push(release),
      branchesEnded: () => this.branchesEnded(),
    })
    this.graph.subscribe()
    return this.graph
  }

  private beginning(graph: RunGraph, session: CheckpointSession): Beginning {
    const beginning = new Beginning({
      job: this.options.name,
      session,
      choice: this.options.restore,
      share: this.share,
      program: { sources: graph.sourceUids, participants: this.participants },
      goOn: () => this.goOn(),
    })
    this.closings.push(() => beginning.close())
    return beginning
  }

  private goOn(): void {
    if (this.over) throw new CheckpointError('CHECKPOINT_CANCELLED', {})
  }

  /** Now, or as soon as the run has begun. How it ends is reported as any other; who still needs one asks again. */
  private askCheckpoint(): void {
    this.checkpoint().catch(() => undefined)
  }

  // ---- the end

  private pressure(): Promise<void> | undefined {
    const full = this.sinks.full()
    this.pauses.press(full !== undefined)
    return full?.drained()
  }

  /** All sources have ended; operators that hold their input back may still be at it. */
  private finishBehindEnd(drained: boolean): void {
    this.allEnded = { drained }
    if (this.graph?.hasEnded === true) this.finish(drained)
  }

  /** Where every branch has ended, nothing that a source may still say leads anywhere. */
  private branchesEnded(): void {
    if (this.allEnded !== undefined) return this.finish(this.allEnded.drained)
    this.post(() => {
      this.pump?.halt()
      this.finish(false)
    })
  }

  private lastCopy: CheckpointStorage | undefined

  /** All input has been processed: a last checkpoint makes it durable, and its commits make it visible. */
  private finish(drained: boolean): void {
    this.ending ??= this.finalCheckpoint(drained)
  }

  private async finalCheckpoint(drained: boolean): Promise<void> {
    invariant(this.checkpoints !== undefined, 'a run has begun before it ends')
    await this.checkpoints.last(() => this.lastCopy)
    if (this.over) return
    // From here on nothing can fail the run: a stream that was stopped completes without the end of its input.
    this.over = true
    for (const source of this.graph?.sources ?? []) this.letGo(() => source.complete())
    this.report({ kind: 'stopped', drained })
    await this.settled(this.close())
    if (this.unreleased === undefined) this.observer.complete()
    else this.observer.error(this.unreleased.error)
  }

  private commitConfirmed(): void {
    this.coordinator?.commitConfirmed()
    this.sinks.commits.changed()
  }

  /** Closes the publishing gate at once, then releases everything. */
  private async close(): Promise<void> {
    this.endedMs ??= this.clock.nowMs()
    this.queries?.closeAll()
    void this.session?.close()()
    this.aborting?.()
    const coordination = this.coordinator?.close()
    this.becomeBegun()
    this.pump?.stop()
    for (const source of this.graph?.sources ?? []) source.close()
    for (const release of this.releases.splice(0)) this.letGo(release)
    this.sinks.commits.changed()
    await Promise.allSettled([this.recovery, coordination])
    await allSettled([...this.closings, () => this.session?.close()(), ...(this.readers?.close() ?? []), ...this.sinks.closeCommits()])
    await allSettled(this.sinks.closeWriters())
    await allSettled([() => this.state.close()()])
    this.becomeQuiet()
  }

  /** What an operator throws while it is closed keeps nobody else from being closed. */
  private letGo(release: () => void): void {
    try {
      release()
    } catch (error) {
      this.unreleased ??= { error }
    }
  }

  /** The error of a run that had no other. */
  private unreleased: { readonly error: unknown } | undefined

  private settled(closing: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.callAt(this.clock.nowMs() + closeMs, resolve)
      void closing.finally(() => {
        cancel()
        resolve()
      })
    })
  }
}

/** Waits for all, whatever becomes of them, also where one throws at once. */
const allSettled = (works: readonly (() => Promise<unknown> | undefined)[]): Promise<unknown> => Promise.allSettled(works.map(async (work) => work()))
