/**
 * A run without a coordinator and without a storage: whoever holds it feeds the barriers, and what operators acknowledge is kept.
 *
 * **Invariants** One thing happens at a time; what is posted meanwhile follows. What was kept shares nothing with the run that made
 * it: it is text and bytes, as a storage would have it.
 */
import { type BarrierOptions, type BarrierRules, barrierRules } from '../../lib/barrierRules.js'
import type { Clock } from '../../lib/clock.js'
import { DriftGroup } from '../../lib/driftGroup.js'
import { ConfigurationError, RestoreError } from '../../lib/errors.js'
import type { CheckpointId, OperatorUid } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import { defaultLimits, type Limits } from '../../lib/limits.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { StateTables } from '../../lib/ports/stateBackend.js'
import type { Participant, RunContext, Snapshot } from '../../lib/run.js'
import { heapTables } from '../../lib/state/heap.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowStore } from '../../lib/state/rowStore.js'
import type { Kept } from '../operatorRun.js'

export interface FedRunOptions {
  readonly clock: Clock
  readonly limits?: Partial<Limits> | undefined
  /** How barriers that do not arrive together are dealt with; aligned, unless told. */
  readonly barriers?: BarrierOptions | undefined
  /** What an earlier run kept. */
  readonly from?: Kept | undefined
  /** Told of each failure; without it the call that caused it throws. */
  readonly failed?: (error: unknown) => void
}

export const nothingKept: Kept = { metas: new Map(), chunks: [] }

/** Rows per call: a row that changes in between has to be copied, as in a job. */
const rowsPerSlice = 3

export class FedRun implements RunContext {
  readonly kind = 'job'
  readonly development = true
  readonly state: StateTables
  readonly clock: Clock
  readonly limits: Limits
  readonly barriers: BarrierRules
  readonly aborted: { readonly id: CheckpointId; readonly cause: Error }[] = []
  private readonly participants = new Map<string, Participant>()
  private readonly opened = new Set<Participant>()
  private readonly acknowledged = new Map<CheckpointId, Map<string, Snapshot>>()
  private readonly driftGroups = new Map<string, DriftGroup>()
  private readonly posted: (() => void)[] = []
  private readonly made: RowStore<unknown>[] = []
  private readonly from: Kept
  private readonly failed: ((error: unknown) => void) | undefined
  private chunks: readonly RowChunk[]
  private failure: { readonly error: unknown } | undefined
  private busy = false
  private closed = false

  constructor({ clock, limits = {}, barriers = {}, from = nothingKept, failed }: FedRunOptions) {
    this.failed = failed
    this.clock = clock
    this.limits = { ...defaultLimits, ...limits }
    this.barriers = barrierRules(barriers)
    this.from = from
    const noted = <Table>(table: Table): Table => {
      this.made.push(table as RowStore<unknown>)
      return table
    }
    this.state = {
      ...heapTables,
      rows: (options, scope) => noted(heapTables.rows(options, scope)),
      entries: (options, scope) => noted(heapTables.entries(options, scope)),
    }
    this.chunks = from.chunks
  }

  // ---- for whoever holds it

  /** Restores and opens the operators that have registered since the last time. */
  open(): void {
    const fresh = [...this.participants].filter(([, participant]) => !this.opened.has(participant))
    for (const [uid, participant] of fresh) {
      const meta = this.from.metas.get(uid)
      if (meta !== undefined) participant.restore({ meta: JSON.parse(meta) as Json })
      for (const chunk of this.from.chunks) if (chunk.uid === uid) participant.restoreRows(chunk)
    }
    for (const [, participant] of fresh) {
      this.opened.add(participant)
      participant.open()
    }
  }

  /** As in a job, what was stored under a uid that the program does not have any more is an error. */
  checkClaims(): void {
    const unclaimed = [...this.from.metas.keys()].find((uid) => !this.participants.has(uid) && !isDerived(uid))
    if (unclaimed !== undefined)
      throw new RestoreError('STATE_UNCLAIMED', { uid: unclaimed, kind: 'operator', inProgram: [...this.participants.keys()] })
  }

  /** One thing at a time; what is posted meanwhile follows. What fails is thrown. */
  enter(work: () => void): void {
    this.run(work)
    this.check()
  }

  /** Throws what has failed since the last time. */
  check(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure.error
  }

  /** What every operator has kept at a barrier, on top of the barriers before. Operators are told that it is durable. */
  take(id: CheckpointId): Kept {
    const acknowledged = this.acknowledged.get(id) ?? new Map<string, Snapshot>()
    const missing = [...this.participants.keys()].filter((uid) => !acknowledged.has(uid))
    if (missing.length > 0) throw new Error(`the barrier did not reach ${missing.join(', ')}`)
    const metas = new Map<string, string>()
    const chunks: RowChunk[] = []
    for (const [uid, { meta, tables }] of acknowledged) {
      metas.set(uid, JSON.stringify(meta))
      for (const table of tables) {
        const frames = new RowFrames(64)
        while (table.encode(frames, rowsPerSlice));
        table.release()
        const { rows } = frames
        if (rows > 0) chunks.push({ uid: uid as OperatorUid, table: table.table, rows, bytes: frames.take() })
      }
    }
    this.acknowledged.delete(id)
    this.chunks = [...this.chunks, ...chunks]
    for (const participant of this.participants.values()) participant.checkpointCompleted(id)
    return { metas, chunks: this.chunks }
  }

  /** Whether every operator has acknowledged a barrier. */
  isAcknowledged(id: CheckpointId): boolean {
    return this.acknowledged.get(id)?.size === this.participants.size
  }

  /** The tables of all operators, to look at what they keep. */
  get tables(): readonly RowStore<unknown>[] {
    return this.made
  }

  close(): void {
    this.closed = true
  }

  private run(work: () => void): void {
    if (this.busy) {
      this.posted.push(work)
      return
    }
    this.busy = true
    try {
      work()
      for (let next = this.posted.shift(); next !== undefined; next = this.posted.shift()) next()
    } catch (error) {
      this.fail(error)
    } finally {
      this.busy = false
    }
  }

  // ---- what operators see

  register(participant: Participant): string {
    let { uid } = participant
    for (let copy = 2; this.participants.has(uid); copy++) {
      if (!participant.derived) throw new ConfigurationError('UID_DUPLICATE', { uid })
      uid = `${participant.uid}#${copy}`
    }
    this.participants.set(uid, participant)
    return uid
  }

  acknowledge(id: CheckpointId, uid: string, snapshot: Snapshot): void {
    const all = this.acknowledged.get(id) ?? new Map<string, Snapshot>()
    all.set(uid, snapshot)
    this.acknowledged.set(id, all)
  }

  decline(_id: CheckpointId, _uid: string, cause: unknown): void {
    this.fail(cause)
  }

  abort(id: CheckpointId, cause: Error): void {
    this.aborted.push({ id, cause })
    for (const { tables } of this.acknowledged.get(id)?.values() ?? []) for (const table of tables) table.giveBack()
    this.acknowledged.delete(id)
    for (const participant of this.participants.values()) participant.checkpointAborted(id)
  }

  fail(error: unknown): void {
    if (this.failed === undefined) this.failure ??= { error }
    else this.failed(error)
  }

  post(work: () => void): void {
    this.run(() => {
      if (!this.closed) work()
    })
  }

  pause(): () => void {
    return () => {}
  }

  driftGroup(name: string): DriftGroup {
    const group = this.driftGroups.get(name) ?? new DriftGroup()
    this.driftGroups.set(name, group)
    return group
  }

  report(): void {}
}

/** Names made of a position, which no uid can be: what stands under them may be missing. */
const isDerived = (uid: string): boolean => uid.includes('/')
