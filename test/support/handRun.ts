import { type BarrierOptions, type BarrierRules, barrierRules } from '../../lib/barrierRules.js'
import { DriftGroup } from '../../lib/driftGroup.js'
import type { JobEvent } from '../../lib/events.js'
import type { CheckpointId, OperatorUid } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import { defaultLimits, type Limits } from '../../lib/limits.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { Participant, RunContext, Snapshot } from '../../lib/run.js'
import { heapTables } from '../../lib/state/heap.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { type ManualClock, manualClock } from './manualClock.js'

/** What a checkpoint of a {@link HandRun} keeps: as JSON and bytes, so that nothing is shared with the run that wrote it. */
export interface HandCheckpoint {
  readonly metas: ReadonlyMap<string, string>
  readonly chunks: readonly RowChunk[]
}

/** A run of a job whose elements are fed by hand: it notes what operators tell it, and keeps and restores their snapshots. */
export class HandRun implements RunContext {
  readonly kind: 'job' | 'local' = 'job'
  readonly clock: ManualClock
  readonly limits: Limits
  readonly development: boolean
  readonly barriers: BarrierRules
  readonly participants = new Map<string, Participant>()
  readonly acknowledged: { readonly id: number; readonly uid: string; readonly snapshot: Snapshot }[] = []
  readonly declined: { readonly id: number; readonly uid: string; readonly cause: unknown }[] = []
  readonly aborted: { readonly id: number; readonly error: Error }[] = []
  readonly failures: unknown[] = []
  readonly reports: JobEvent[] = []
  private readonly chunks: RowChunk[] = []

  constructor({
    clock = manualClock(),
    limits = {},
    development = true,
    barriers = {},
  }: { clock?: ManualClock; limits?: Partial<Limits>; development?: boolean; barriers?: BarrierOptions } = {}) {
    this.clock = clock
    this.limits = { ...defaultLimits, ...limits }
    this.development = development
    this.barriers = barrierRules(barriers)
  }

  register(participant: Participant): string {
    if (this.participants.has(participant.uid)) throw new Error(`${participant.uid} registered twice`)
    this.participants.set(participant.uid, participant)
    return participant.uid
  }

  acknowledge(id: CheckpointId, uid: string, snapshot: Snapshot): void {
    this.acknowledged.push({ id, uid, snapshot })
  }

  decline(id: CheckpointId, uid: string, cause: unknown): void {
    this.declined.push({ id, uid, cause })
  }

  abort(id: CheckpointId, error: Error): void {
    this.aborted.push({ id, error })
    for (const participant of this.participants.values()) participant.checkpointAborted(id)
  }

  fail(error: unknown): void {
    this.failures.push(error)
  }

  driftGroup(): DriftGroup {
    return new DriftGroup()
  }

  readonly state = heapTables

  pause(): () => void {
    return () => {}
  }

  post(work: () => void): void {
    work()
  }

  report(event: JobEvent): void {
    this.reports.push(event)
  }

  /** Lets operators begin: with what a checkpoint kept, or anew. */
  open(from?: HandCheckpoint): void {
    for (const [uid, participant] of this.participants) {
      const meta = from?.metas.get(uid)
      if (meta !== undefined) participant.restore({ meta: JSON.parse(meta) as Json })
      for (const chunk of from?.chunks ?? []) if (chunk.uid === uid) participant.restoreRows(chunk)
    }
    for (const participant of this.participants.values()) participant.open()
  }

  /** Keeps what was acknowledged for a checkpoint, on top of those before. */
  complete(id: number): HandCheckpoint {
    const metas = new Map<string, string>()
    for (const { uid, snapshot } of this.acknowledged.filter((each) => each.id === id)) {
      metas.set(uid, JSON.stringify(snapshot.meta))
      for (const capture of snapshot.tables) {
        const frames = new RowFrames()
        while (capture.encode(frames, 2));
        this.chunks.push({ uid: uid as OperatorUid, table: capture.table, rows: frames.rows, bytes: frames.take() })
        capture.release()
      }
    }
    return { metas, chunks: [...this.chunks] }
  }
}
