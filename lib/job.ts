import { type Observable, ReplaySubject, retry, type Subscription, tap } from 'rxjs'
import { assembled } from './assembly.js'
import { ConsecutiveRuns } from './consecutiveRuns.js'
import type { DroppedRecords } from './droppedRecords.js'
import type { Stream } from './element.js'
import { CheckpointError, ConfigurationError } from './errors.js'
import type { JobEvent } from './events.js'
import type { WatermarkExplanation } from './eventTime.js'
import { operatorUid } from './identity.js'
import type { JobInstance } from './instanceShare.js'
import { type JobOptions, runOptionsOf } from './jobOptions.js'
import { JobRun, type StopOptions } from './jobRun.js'
import type { RunMetrics } from './metrics.js'
import { observable, streamOf } from './operate.js'
import type { CheckpointStorage } from './ports/checkpointStorage.js'
import type { ReplayableSource } from './ports/replayableSource.js'
import type { CheckpointQuery, StateQuery } from './query.js'
import type { RestartStrategy } from './restart/restartStrategy.js'
import type { RestoreCheck } from './restore/restoreCheck.js'
import type { Graph } from './runGraph.js'
import { type Sunk, sink } from './sink.js'
import { SourceStage } from './sourceStage.js'

/** What a graph function is given. */
export interface JobScope {
  /** Opens a replayable source under a uid. */
  source<T>(uid: string, from: ReplayableSource<T>): Stream<T>
  sink: typeof sink
  /** Which of several instances of the job this is, for sinks and inputs that go by it. */
  readonly instance: JobInstance
}

/** The handle of a running job. */
export interface JobRunHandle {
  /** The name of the job. */
  readonly job: string
  /** What happens, from the start of the run on. Ends as the run ends. */
  readonly events$: Observable<JobEvent>
  /** Resolves when the job has completed or was stopped; rejects with its error. */
  readonly done: Promise<void>
  /** Takes a checkpoint now, or as soon as the run has begun. Resolves with its id when it is complete. */
  checkpoint(): Promise<number>
  /**
   * Takes a checkpoint and, when everything in it has been committed, copies it into a storage that has none of this job, such as `directory(path)` with a path of its own. The
   * copy belongs to whoever asked for it: nothing removes it. Resolves with the id of the checkpoint when it is complete.
   */
  savepoint(target: CheckpointStorage): Promise<number>
  /** Where every operator stands in event time, and which input the others wait for. */
  explainWatermark(): WatermarkExplanation
  /**
   * A look into a state of an operator of the run, by the name that the operator gives it; `state` for {@link statefulMap}. Between two
   * turns of the event loop it does not change.
   */
  query(uid: string, state: string, options?: { readonly as?: 'live' }): StateQuery
  /**
   * The same as the newest complete checkpoint has it: what a restart now would begin with. It stays until the query is closed.
   *
   * @throws RestoreError `CHECKPOINT_MISSING` where none is complete yet
   */
  query(uid: string, state: string, options: { readonly as: 'checkpoint' }): Promise<CheckpointQuery>
  /** Where sources, operators, sinks and checkpoints of the run stand: a look at counters that are kept anyway. */
  metrics(): RunMetrics
  /** The records that operators have dropped in this run, by reason: mostly late ones that no side output takes. */
  droppedRecords(): readonly DroppedRecords[]
  /**
   * Ends the job with a last checkpoint. With `drain`, event time goes to its end first, so that open windows are emitted. With
   * `savepoint`, the last checkpoint is copied there when everything in it has been committed.
   */
  stop(options?: StopOptions): Promise<void>
  /**
   * Ends the job at once, as unsubscribing does. With `checkpoints: { onCancel: 'delete' }` its checkpoints are deleted, too. Resolves when nothing of
   * the run is under way any more; rejects with `CHECKPOINTS_KEPT` where they should have been deleted, and are there.
   */
  cancel(): Promise<void>
}

/** A job is a cold Observable: subscribing restores the newest complete checkpoint and runs. */
export interface Job extends Observable<JobEvent> {
  readonly name: string
  /**
   * What a start would find, without starting: which checkpoint, whether all of its operators are there, and for each state whether its
   * values are read as they are, are migrated, or cannot be read. Every value is tried. Nothing is changed, and a run may go on meanwhile.
   */
  check(): Promise<RestoreCheck>
  /** Subscribes, and hands out a handle. With `restart` the job starts again from its newest checkpoint after an error. */
  run(options?: { readonly restart?: RestartStrategy | { readonly count: number; readonly delayMs: number } }): JobRunHandle
}

/**
 * Defines a job: replayable sources in, transactional sinks out, and state in between that survives a crash.
 *
 * Nothing happens until somebody subscribes. Each subscription restores the newest complete checkpoint, opens the sources
 * where it left them, and runs; so `retry(...)` is the restart strategy and unsubscribing cancels. One run at a time.
 *
 * **When to use** when every record has to count exactly once, whatever happens to the process.
 * **Barrier** the coordinator lets one through the whole graph every `checkpoints.intervalMs`.
 *
 * @param name - names the job's state in the storage
 * @param build - called anew for each run; applies operators and ends every branch in `sink(...)`
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID` at once; `UID_DUPLICATE`, `OPERATOR_NOT_STARTED`, `STREAM_NOT_KEYED`,
 *   `JOB_WITHOUT_SINK` as the error of the run
 * @example Counting words, exactly once
 * ```ts
 * const totals = memorySink<string>()
 * const job = defineJob('words', { storage: memory() }, ({ source, sink }) =>
 *   source('words', memorySource(['to', 'be', 'or', 'not', 'to', 'be'])).pipe(
 *     keyBy((word) => word),
 *     statefulMap('count', { state: t.number, initial: 0 }, (count, word: string) => [count + 1, `${word} ${count + 1}`]),
 *     sink('totals', totals),
 *   ),
 * )
 * await job.run().done
 * totals.committed // => ['to 1', 'be 1', 'or 1', 'not 1', 'to 2', 'be 2']
 * ```
 * @category checkpoints
 * @since 0.1.0
 */
export function defineJob(name: string, options: JobOptions, build: (scope: JobScope) => Observable<Sunk> | readonly Observable<Sunk>[]): Job {
  const runOptions = runOptionsOf(name, options)
  const runs = new ConsecutiveRuns()
  let last: JobRun | undefined
  const events = observable<JobEvent>((subscriber) => {
    const before = last
    // A second subscription while one runs is refused, and must not pass for the run that goes on.
    const isCurrent = (): void => {
      last = run
      current.set(job, run)
    }
    const event = (event: JobEvent): void => {
      if (event.kind === 'restored') isCurrent()
      subscriber.next(event)
    }
    const run: JobRun = new JobRun(runOptions, () => graphOf(build, runOptions.instance ?? { index: 0, of: 1 }), {
      event,
      complete: () => subscriber.complete(),
      error: (error) => subscriber.error(error),
    })
    if (before?.ended !== false) isCurrent()
    runs.begin(run)
    return () => run.cancel()
  })
  const job: Job = Object.assign(events, {
    name,
    check: () =>
      new JobRun(runOptions, () => graphOf(build, runOptions.instance ?? { index: 0, of: 1 }), { event() {}, complete() {}, error() {} }).check(),
    run: (startOptions: Parameters<Job['run']>[0] = {}) => handleOf(job, startOptions),
  })
  return job
}

const noMetrics: Omit<RunMetrics, 'job'> = {
  runningMs: 0,
  sources: [],
  operators: [],
  sinks: [],
  checkpoints: { completed: 0, failed: 0, last: undefined },
}

/** The run of a job that goes on, or was the last to. */
const current = new WeakMap<Job, JobRun>()

function graphOf(build: Parameters<typeof defineJob>[2], instance: JobInstance): Graph {
  const sources: SourceStage<unknown>[] = []
  const built = build({
    source: <T>(uid: string, from: ReplayableSource<T>): Stream<T> => {
      if ((from as { offsets?: unknown } | undefined)?.offsets !== 'replayable') throw new ConfigurationError('SOURCE_NOT_REPLAYABLE', { uid })
      const stage = new SourceStage(operatorUid(uid), from)
      assembled(uid)
      sources.push(stage as SourceStage<unknown>)
      return streamOf(stage)
    },
    sink,
    instance,
  })
  const sinks = (Array.isArray(built) ? built : [built]) as readonly Observable<unknown>[]
  return { sources, sinks: sinks.filter((each) => each !== undefined) }
}

function handleOf(job: Job, { restart }: NonNullable<Parameters<Job['run']>[0]>): JobRunHandle {
  const events$ = new ReplaySubject<JobEvent>(1_000)
  let subscription: Subscription | undefined
  let stopping: StopOptions | undefined
  const done = new Promise<void>((resolve, reject) => {
    // A run that was started again after a stop was asked for stops too.
    const next = ({ kind }: JobEvent): void => {
      if (kind === 'restored' && stopping !== undefined) void current.get(job)?.stop(stopping)
    }
    events$.subscribe({ next, error: reject, complete: resolve })
  })
  done.catch(() => {})
  function query(uid: string, state: string, options?: { readonly as?: 'live' }): StateQuery
  function query(uid: string, state: string, options: { readonly as: 'checkpoint' }): Promise<CheckpointQuery>
  function query(uid: string, state: string, { as = 'live' }: { readonly as?: 'live' | 'checkpoint' } = {}): StateQuery | Promise<CheckpointQuery> {
    const run = current.get(job)
    if (run === undefined) throw new ConfigurationError('STATE_UNKNOWN', { uid, state, reason: 'the job has not run' })
    return as === 'checkpoint' ? run.queryCheckpoint(uid, state) : run.query(uid, state)
  }
  const failed = (error: unknown): void => events$.next({ kind: 'failed', error })
  subscription = (
    restart === undefined
      ? job
      : job.pipe(tap({ error: failed }), retry('delay' in restart ? restart : { count: restart.count, delay: restart.delayMs }))
  ).subscribe(events$)
  return {
    job: job.name,
    events$: events$.asObservable(),
    done,
    checkpoint: () => current.get(job)?.checkpoint() ?? Promise.reject(new CheckpointError('CHECKPOINT_CANCELLED', {})),
    explainWatermark: () => current.get(job)?.explainWatermark() ?? { heldBackBy: undefined, operators: [] },
    query,
    metrics: () => current.get(job)?.metrics() ?? { job: job.name, ...noMetrics },
    droppedRecords: () => current.get(job)?.droppedRecords() ?? [],
    savepoint: (target) => current.get(job)?.savepoint(target) ?? Promise.reject(new CheckpointError('CHECKPOINT_CANCELLED', {})),
    stop: async (options = {}) => {
      stopping = options
      void current.get(job)?.stop(options)
      await done
    },
    cancel: () => {
      const cancelled = subscription?.closed === true ? Promise.resolve() : (current.get(job)?.cancelByUser() ?? Promise.resolve())
      // Whoever does not wait for it does not ask how it went.
      cancelled.catch(() => undefined)
      subscription?.unsubscribe()
      events$.complete()
      return cancelled
    },
  }
}
