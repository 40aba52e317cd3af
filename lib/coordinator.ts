/**
 * Mints barriers, collects acknowledgements, completes or aborts checkpoints.
 *
 * **Invariants** One checkpoint is under way, or as many as were allowed. Ids increase. A checkpoint is complete in the instant in
 * which its manifest is published, and not before every participant has acknowledged and every byte is durable; only then are sinks
 * told to commit. Each is the difference to the one begun before it: it is published behind that one, and given up together with it.
 * An aborted one leaves nothing behind that a restore could find: its captured changes join the next capture, and what its
 * sinks have pre-committed goes into the next manifest. Membership is fixed when the run begins.
 *
 * **Fault model** Any participant may decline, be late or never answer; any write may fail; the process may die anywhere; another
 * process may take the storage over (then this run ends).
 */
import type { BarrierOptions } from './barrierRules.js'
import { bodyOf, byName, type CheckpointBody } from './checkpointBody.js'
import type { Cancel, Clock } from './clock.js'
import type { CommitQueue } from './commitQueue.js'
import { concurrentMaxOf } from './concurrentCheckpoints.js'
import { CheckpointBarrier } from './element.js'
import { BackendError, CheckpointError, hasCode, InvariantViolation, invariant, StreamError } from './errors.js'
import type { JobEvent } from './events.js'
import { type CheckpointId, checkpointId, type Epoch, type OperatorUid } from './identity.js'
import type { InstanceShare } from './instanceShare.js'
import type { CheckpointFigures, RunMetrics } from './metrics.js'
import type { CheckpointSession, CheckpointWriter, ExpiredRows } from './ports/checkpointStorage.js'
import type { Participant, Snapshot } from './run.js'
import type { RunSource } from './runSource.js'
import { RowFrames } from './state/rowFrames.js'
import { unwrap } from './task.js'

export interface CheckpointOptions extends BarrierOptions {
  /** Time from the start of one checkpoint to the start of the next. Default 1,000; `Infinity` for none but those asked for. */
  readonly intervalMs?: number
  /** Time from the end of one checkpoint to the start of the next, at least. Default 0. */
  readonly minPauseMs?: number
  /** A checkpoint that takes longer is aborted. Default 10 minutes. */
  readonly timeoutMs?: number
  /** So many checkpoints in a row may fail; one more ends the run. Default 10. */
  readonly tolerableFailures?: number
  /**
   * So many checkpoints are under way at a time, at most: a barrier may pass while older checkpoints are still being written. They
   * complete in their order, and where one fails those behind it do, too (`CHECKPOINT_BEFORE_FAILED`). That of `savepoint` and `stop` waits
   * until it is alone, and with `minPauseMs` there is never more than one. 1 to 100, and 1 with `unaligned`. Default 1.
   *
   * It pays where the time goes into writing rows and transactions: results are visible after one such time instead of up to two. Where
   * it goes into publishing, which happens one at a time, they wait longer.
   */
  readonly concurrentMax?: number
}

export interface CoordinatorHost {
  readonly clock: Clock
  readonly session: CheckpointSession
  readonly epoch: Epoch
  readonly share: InstanceShare
  /** What was asked for once, at a start that led here. */
  readonly restored: CheckpointBody['restored']
  readonly unconfirmedCommitsMax: number
  readonly sources: readonly RunSource<unknown>[]
  readonly participants: ReadonlyMap<string, Participant>
  readonly commits: ReadonlyMap<string, CommitQueue>
  /** Runs work between two records; the pump waits for a promise that it returns. */
  post(work: () => void | Promise<void>): void
  /** A checkpoint is complete, with the sources at these offsets. */
  completed(id: CheckpointId, offsets: CheckpointBody['sources']): void
  report(event: JobEvent): void
  fail(error: unknown): void
}

interface Pending {
  readonly id: CheckpointId
  readonly startedMs: number
  readonly snapshots: Map<string, Snapshot>
  readonly offsets: CheckpointBody['sources']
  readonly waiters: readonly Waiter[]
  /** Its failure is one of those that are tolerated a few times. */
  readonly counts: boolean
  /** No other is under way beside it. */
  readonly alone: boolean
  /** Resolves when the one before it has ended. */
  readonly before: Promise<void> | undefined
  readonly ended: Promise<void>
  readonly end: () => void
  timeout: Cancel | undefined
  writer: CheckpointWriter | undefined
  /** The manifest is being published: from here on only the storage decides whether the checkpoint exists. */
  publishing: boolean
  aborted: CheckpointError | undefined
  rows: number
  bytes: number
  /** When the barrier had passed, when all was encoded, and when all transactions were durable. */
  passedMs: number
  encodedMs: number
  preparedMs: number
}

interface Waiter {
  resolve(id: CheckpointId): void
  reject(error: unknown): void
}

/** Rows are encoded in slices of about this long, and others have their turn in between. */
const sliceMs = 4
const sliceRows = 256
/** In a simulation time stands still: others have their turn after so many slices at the latest. */
const slicesMax = 64
const chunkBytes = 256 * 1024
/** A barrier passes synchronously, or over hops that take a microtask each. */
export const hopsMax = 64

/** What merges of the storage may leave out, from a checkpoint on. */
function expiredIn({ snapshots }: Pending): ExpiredRows | undefined {
  const tables = new Map([...snapshots].map(([uid, { tables }]) => [uid, tables.filter(({ expired }) => expired !== undefined)] as const))
  if ([...tables.values()].every(({ length }) => length === 0)) return undefined
  return (uid, table) => tables.get(uid)?.find((capture) => capture.table === table)?.expired
}

export class Coordinator {
  /** What is under way, in the order of ids. */
  private readonly pending: Pending[] = []
  /** What has ended and is still being cleaned up. */
  private settling: Promise<void> = Promise.resolve()
  /** Resolves when all that have begun are complete, or are given up. */
  persisted: Promise<void> = Promise.resolve()
  private waiters: Waiter[] = []
  private nextId: number
  private failures = 0
  private completed = 0
  private failed = 0
  private last: CheckpointFigures | undefined
  private asked = false
  /** The next checkpoint is to have no records in flight, and no other checkpoint beside it. */
  private aligned = false
  /** Of the next checkpoint somebody wants more than a savepoint: its failure counts. */
  private counts = false
  /** Complete checkpoints whose transactions are not all visible yet, oldest first. */
  private readonly committing: CheckpointId[] = []
  private closed = false
  private timer: Cancel | undefined
  private lastStartMs: number
  private lastEndMs: number
  private intervalMs: number
  private readonly concurrentMax: number

  constructor(
    private readonly host: CoordinatorHost,
    private readonly options: CheckpointOptions,
    lastId: number,
  ) {
    this.nextId = lastId + 1
    this.intervalMs = options.intervalMs ?? 1_000
    this.concurrentMax = concurrentMaxOf(options)
    this.lastStartMs = this.lastEndMs = host.clock.nowMs()
  }

  start(): void {
    this.schedule()
  }

  /** From now on checkpoints come only when they are asked for. */
  askedOnly(): void {
    this.intervalMs = Number.POSITIVE_INFINITY
    this.timer?.()
  }

  /**
   * A checkpoint as soon as possible, `aligned` where nothing is to be in flight in it. Resolves when it is complete. One that nobody wants but for a
   * savepoint is not `counts`: its failure is told to whoever asked, and to nobody else.
   */
  checkpoint({ aligned = false, counts = true }: { readonly aligned?: boolean; readonly counts?: boolean } = {}): Promise<CheckpointId> {
    if (this.closed) return Promise.reject(new CheckpointError('CHECKPOINT_CANCELLED', {}))
    this.aligned ||= aligned
    this.counts ||= counts
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject })
      this.ask()
    })
  }

  acknowledge(id: CheckpointId, uid: string, snapshot: Snapshot): void {
    if (snapshot.transaction !== undefined) this.host.commits.get(uid)?.preCommitted(id, this.host.epoch, snapshot.transaction)
    const pending = this.find(id)
    if (pending === undefined) for (const table of snapshot.tables) table.giveBack()
    else pending.snapshots.set(uid, snapshot)
  }

  decline(id: CheckpointId, uid: string, cause: unknown): void {
    if (hasCode(cause, 'STATE_MUTATED')) this.host.fail(cause)
    this.abort(id, new CheckpointError('CHECKPOINT_DECLINED', { uid, checkpointId: id }, { cause }))
  }

  /** Gives checkpoint `id` up, and those that build on it. The job goes on. */
  abort(id: CheckpointId, error: CheckpointError): void {
    const first = this.find(id)
    if (first === undefined || first.publishing) return
    const lost = this.pending.splice(this.pending.indexOf(first))
    for (const each of lost)
      each.aborted = each === first ? error : new CheckpointError('CHECKPOINT_BEFORE_FAILED', { checkpointId: each.id, before: id }, { cause: error })
    // What was captured last is given back first: it is the difference to what was captured before.
    for (const { snapshots } of [...lost].reverse()) for (const { tables } of snapshots.values()) for (const table of tables) table.giveBack()
    for (const { id } of lost) this.tell((participant) => participant.checkpointAborted(id))
    this.settling = Promise.all([this.settling, ...lost.map(({ writer }) => writer?.abort()())]).then(() => {})
    this.ended(lost)
    for (const each of lost) this.host.report({ kind: 'checkpointAborted', checkpointId: each.id, error: each.aborted as CheckpointError })
    // Those behind it did not fail by themselves.
    if (first.counts) this.failures += 1
    this.failed += lost.length
    for (const { waiters, aborted } of lost) for (const waiter of waiters) waiter.reject(aborted)
    if (first.counts && this.failures > (this.options.tolerableFailures ?? 10))
      this.host.fail(new CheckpointError('CHECKPOINTS_FAILING', { failures: this.failures, checkpointId: id }, { cause: error }))
  }

  /** How its checkpoints went, so far. */
  figures(): RunMetrics['checkpoints'] {
    return { completed: this.completed, failed: this.failed, last: this.last }
  }

  /** A sink has confirmed a commit: what waited for that may go on. */
  commitConfirmed(): void {
    this.reportCommitted()
    if (this.asked) this.ask()
  }

  /** From now on no checkpoint is completed. Resolves when what was under way has settled. */
  async close(): Promise<void> {
    this.closed = true
    this.timer?.()
    const cancelled = this.pending.filter(({ aborted }) => aborted === undefined)
    for (const each of this.pending) each.timeout?.()
    for (const each of cancelled) each.aborted = new CheckpointError('CHECKPOINT_CANCELLED', { checkpointId: each.id })
    this.settling = Promise.all([this.settling, ...cancelled.map(({ writer }) => writer?.abort()())]).then(() => {})
    const waiters = [...this.pending.flatMap(({ waiters }) => waiters), ...this.takeWaiters()]
    for (const waiter of waiters) waiter.reject(new CheckpointError('CHECKPOINT_CANCELLED', {}))
    for (const { end } of this.pending) end()
    await this.settling
  }

  // ---- when

  private schedule(): void {
    this.timer?.()
    if (this.closed || this.intervalMs === Number.POSITIVE_INFINITY) return
    const { minPauseMs = 0 } = this.options
    const dueMs = Math.max(this.lastStartMs + this.intervalMs, this.lastEndMs + minPauseMs)
    // Where the clock was set back, what was noted before lies far ahead.
    const latestMs = this.host.clock.nowMs() + Math.max(this.intervalMs, minPauseMs)
    this.timer = this.host.clock.callAt(Math.min(dueMs, latestMs), () => this.due())
  }

  /** Behind one that was asked for and is under way, both pauses begin anew. */
  private due(): void {
    if (!this.mayBegin) return
    this.counts = true
    this.ask()
  }

  private ask(): void {
    this.asked = true
    if (this.mayBegin) this.host.post(() => this.begin())
  }

  private get mayBegin(): boolean {
    const { pending } = this
    if (this.closed) return false
    return this.aligned ? pending.length === 0 : pending.length < this.concurrentMax && pending[0]?.alone !== true
  }

  // ---- how

  private async begin(): Promise<void> {
    if (!this.mayBegin || !this.asked) return
    const { unconfirmedCommitsMax } = this.host
    const queues = [...this.host.commits.values()]
    const behind = queues.find(({ unconfirmed }) => unconfirmed >= unconfirmedCommitsMax)
    if (behind !== undefined) return this.waitForCommits(behind.uid)
    // Those under way are going to be decided, too: the next begins when one of them has ended, or a sink has caught up.
    if (queues.some(({ unconfirmed }) => unconfirmed + this.pending.length >= unconfirmedCommitsMax)) return
    this.asked = false
    const { clock, sources, participants } = this.host
    const id = checkpointId(this.nextId++)
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const pending: Pending = {
      id,
      startedMs: clock.nowMs(),
      snapshots: new Map(),
      offsets: byName(sources.map(({ uid, offset, finished }) => [uid, { offset, finished }])),
      waiters: this.takeWaiters(),
      counts: this.counts,
      alone: this.aligned,
      before: this.pending.at(-1)?.ended,
      ended,
      end,
      timeout: undefined,
      writer: undefined,
      publishing: false,
      aborted: undefined,
      rows: 0,
      bytes: 0,
      passedMs: 0,
      encodedMs: 0,
      preparedMs: 0,
    }
    this.pending.push(pending)
    this.lastStartMs = pending.startedMs
    // Where there is room for another one beside it, that does not wait for its end.
    if (this.concurrentMax > 1) this.schedule()
    this.host.report({ kind: 'checkpointStarted', checkpointId: id })
    if (this.closed) return
    const timeoutMs = this.options.timeoutMs ?? 600_000
    if (timeoutMs !== Number.POSITIVE_INFINITY) pending.timeout = clock.callAt(pending.startedMs + timeoutMs, () => this.timedOut(pending, timeoutMs))
    const barrier = new CheckpointBarrier(id, pending.startedMs, this.aligned)
    this.aligned = this.counts = false
    for (const source of sources) source.barrier(barrier)
    const missing = (): string[] => [...participants.keys()].filter((uid) => !pending.snapshots.has(uid))
    for (let hop = 0; hop < hopsMax && missing().length > 0 && pending.aborted === undefined; hop++) await undefined
    if (pending.aborted !== undefined || this.closed) return
    if (missing().length > 0) return this.host.fail(new StreamError('BARRIER_LOST', { checkpointId: id, uids: missing() }))
    pending.passedMs = clock.nowMs()
    const before = this.persisted
    this.persisted = this.persist(pending).then(() => before)
  }

  /** The next checkpoint begins when the sink has caught up; whoever asked for one is told. */
  private waitForCommits(uid: string): void {
    const error = new CheckpointError('UNCONFIRMED_COMMITS_FULL', { uid, unconfirmedCommitsMax: this.host.unconfirmedCommitsMax })
    for (const waiter of this.takeWaiters()) waiter.reject(error)
  }

  private timedOut(pending: Pending, timeoutMs: number): void {
    const waitsFor = [...this.host.commits.values()].filter((queue) => !queue.isPrepared(pending.id)).map(({ uid }) => uid)
    this.abort(
      pending.id,
      new CheckpointError('CHECKPOINT_TIMED_OUT', { checkpointId: pending.id, timeoutMs, waitsFor: waitsFor.length > 0 ? waitsFor : 'the storage' }),
    )
  }

  private async persist(pending: Pending): Promise<void> {
    try {
      await this.settling
      if (pending.aborted !== undefined) return
      pending.writer = this.host.session.begin(pending.id)
      await this.writeRows(pending, pending.writer)
      pending.encodedMs = this.host.clock.nowMs()
      for (const queue of this.host.commits.values()) await queue.prepared(pending.id)
      pending.preparedMs = this.host.clock.nowMs()
      if (pending.before !== undefined) await pending.before
      if (pending.aborted !== undefined) return
      invariant(this.pending[0] === pending, 'checkpoints are published in their order')
      pending.publishing = true
      await unwrap(pending.writer.publish(this.body(pending), expiredIn(pending)))
    } catch (cause) {
      this.persistFailed(pending, cause)
      return
    }
    this.complete(pending)
  }

  private persistFailed(pending: Pending, cause: unknown): void {
    pending.publishing = false
    if (pending.aborted !== undefined || this.closed) return
    if (
      hasCode(cause, 'STATE_MUTATED') ||
      hasCode(cause, 'BACKEND_FENCED') ||
      cause instanceof InvariantViolation ||
      (cause instanceof BackendError && cause.details.fatal === true)
    )
      this.host.fail(cause)
    this.abort(pending.id, new CheckpointError('CHECKPOINT_DECLINED', { checkpointId: pending.id }, { cause }))
  }

  /** Encodes what was captured, in slices, and hands it to the storage. */
  private async writeRows(pending: Pending, writer: CheckpointWriter): Promise<void> {
    const { clock } = this.host
    const frames = new RowFrames()
    let sliceStartMs = clock.nowMs()
    let slices = 0
    for (const [uid, { tables }] of pending.snapshots) {
      for (const capture of tables) {
        const write = async (): Promise<void> => {
          const { rows, byteLength } = frames
          if (rows === 0) return
          pending.rows += rows
          pending.bytes += byteLength
          await unwrap(writer.write({ uid: uid as OperatorUid, table: capture.table, rows, bytes: frames.take() }))
        }
        for (let more = capture.rows > 0; more && pending.aborted === undefined; ) {
          more = capture.encode(frames, sliceRows)
          if (frames.byteLength >= chunkBytes) await write()
          slices += 1
          if (slices < slicesMax && clock.nowMs() - sliceStartMs < sliceMs) continue
          await clock.yield()
          sliceStartMs = clock.nowMs()
          slices = 0
        }
        if (pending.aborted !== undefined) return
        await write()
      }
    }
  }

  private body(pending: Pending): ReturnType<typeof bodyOf> {
    const { participants, commits } = this.host
    const operators = byName(
      [...pending.snapshots].map(([uid, { meta, inFlight = false }]) => {
        const participant = participants.get(uid)
        invariant(participant !== undefined, 'who acknowledges is a participant')
        return [uid, { derived: participant.derived && !inFlight, meta }] as const
      }),
    )
    const sinks = byName([...commits].map(([uid, queue]) => [uid, queue.pending(pending.id)] as const))
    const inFlight = [...pending.snapshots.values()].some((snapshot) => snapshot.inFlight === true)
    const { share, restored } = this.host
    const { index, of, maxParallelism } = share
    return bodyOf(
      {
        maxParallelism,
        sources: pending.offsets,
        operators,
        sinks,
        ...(share.isSplit ? { instance: { index, of } } : {}),
        ...(restored === undefined ? {} : { restored }),
      },
      { inFlight },
    )
  }

  /** The manifest is published: from now on a crash recovers this checkpoint. */
  private complete(pending: Pending): void {
    const { id } = pending
    if (pending.aborted === undefined) for (const { tables } of pending.snapshots.values()) for (const table of tables) table.release()
    this.pending.shift()
    this.ended([pending])
    this.failures = 0
    const { rows, bytes } = pending
    const durationMs = this.lastEndMs - pending.startedMs
    const phases = {
      barrierMs: pending.passedMs - pending.startedMs,
      encodeMs: pending.encodedMs - pending.passedMs,
      preCommitMs: pending.preparedMs - pending.encodedMs,
      publishMs: this.lastEndMs - pending.preparedMs,
    }
    this.completed += 1
    this.last = { checkpointId: id, durationMs, rows, bytes, phases }
    for (const queue of this.host.commits.values()) queue.decide(id)
    if (this.closed) return
    this.committing.push(id)
    this.tell((participant) => participant.checkpointCompleted(id))
    this.host.completed(id, pending.offsets)
    this.host.report({ kind: 'checkpointCompleted', checkpointId: id, durationMs, rows, bytes, phases })
    this.reportCommitted()
    for (const waiter of pending.waiters) waiter.resolve(id)
  }

  /** They are not under way any more. */
  private ended(those: readonly Pending[]): void {
    for (const { timeout, end } of those) {
      timeout?.()
      end()
    }
    this.lastEndMs = this.host.clock.nowMs()
    this.schedule()
    if (this.asked) this.ask()
  }

  private find(id: CheckpointId): Pending | undefined {
    return this.pending.find((pending) => pending.id === id && pending.aborted === undefined)
  }

  /** What a participant does with the news may fail; that ends the run, and nobody waits for ever. */
  private tell(news: (participant: Participant) => void): void {
    try {
      for (const participant of this.host.participants.values()) news(participant)
    } catch (error) {
      this.host.fail(error)
    }
  }

  /** Commits run in order, so the oldest is visible first. */
  private reportCommitted(): void {
    for (let id = this.committing[0]; id !== undefined && !this.closed; id = this.committing[0]) {
      const upTo = id
      if ([...this.host.commits.values()].some((queue) => !queue.isCommitted(upTo))) return
      this.committing.shift()
      this.host.report({ kind: 'checkpointCommitted', checkpointId: id })
    }
  }

  private takeWaiters(): Waiter[] {
    const { waiters } = this
    this.waiters = []
    return waiters
  }
}
