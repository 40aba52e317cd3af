/**
 * An operator between a law's hands: the law feeds elements, sees what leaves, and keeps and restores snapshots.
 */

import { type Observable, Subject } from 'rxjs'
import { type BarrierOptions, type BarrierRules, barrierRules } from '../lib/barrierRules.js'
import type { Clock } from '../lib/clock.js'
import { DriftGroup } from '../lib/driftGroup.js'
import {
  type AnyStream,
  CheckpointBarrier,
  type Element,
  EndOfInput,
  isElement,
  RecordElement,
  StreamStart,
  Watermark,
  WatermarkStatus,
} from '../lib/element.js'
import { unreachable } from '../lib/errors.js'
import type { JobEvent } from '../lib/events.js'
import { type CheckpointId, checkpointId, type OperatorUid } from '../lib/identity.js'
import type { Json } from '../lib/json.js'
import type { Key } from '../lib/key.js'
import { defaultLimits, type Limits } from '../lib/limits.js'
import { sideStream } from '../lib/operate.js'
import type { RowChunk } from '../lib/ports/checkpointStorage.js'
import type { Participant, RunContext, Snapshot } from '../lib/run.js'
import type { SideOutput } from '../lib/sideOutput.js'
import { Slices } from '../lib/slices.js'
import { heapTables } from '../lib/state/heap.js'
import { RowFrames } from '../lib/state/rowFrames.js'
import { encodeTagged } from '../lib/taggedJson.js'

/** What an operator kept at one barrier, as text and bytes: nothing is shared with the run that made it. */
export interface Kept {
  readonly metas: ReadonlyMap<string, string>
  readonly chunks: readonly RowChunk[]
}

/** One thing that left the operator. */
export interface Left {
  /** `main`, or the tag of a side output. */
  readonly output: string
  readonly kind: Element['kind']
  readonly key: unknown
  /** Two that look the same are the same. */
  readonly text: string
}

export interface OperatorRunOptions {
  /** Applies the operator to as many inputs as it is given. */
  readonly apply: (inputs: readonly Observable<never>[]) => AnyStream
  readonly inputs?: number
  readonly keyed?: boolean
  readonly sides?: readonly SideOutput<never>[]
  readonly limits?: Partial<Limits>
  /** How barriers that do not arrive together are dealt with; aligned, unless told. */
  readonly barriers?: BarrierOptions
  /** Its time; it stands still, unless told. */
  readonly clock?: Clock
  /** Steps of long work before the rest is put off; all of it is done at once, unless told. */
  readonly stepsPerSlice?: () => number
  /** What an earlier run kept. */
  readonly from?: Kept | undefined
}

const stillClock: Clock = { nowMs: () => 0, callAt: () => () => {}, yield: () => Promise.resolve() }

export class OperatorRun implements RunContext {
  readonly kind = 'job'
  readonly development = true
  readonly limits: Limits
  readonly barriers: BarrierRules
  readonly clock: Clock
  readonly slices: Slices | undefined
  readonly left: Left[] = []
  readonly aborted: { readonly id: number; readonly cause: Error }[] = []
  private readonly participants = new Map<string, Participant>()
  private readonly subjects: Subject<Element>[]
  private readonly snapshots = new Map<number, Map<string, Snapshot>>()
  private readonly metas = new Map<number, Map<string, string>>()
  private readonly chunks: { readonly id: number; readonly chunk: RowChunk }[]

  constructor(options: OperatorRunOptions) {
    const { apply, inputs = 1, keyed = false, sides = [], limits = {}, barriers = {}, clock = stillClock, stepsPerSlice, from } = options
    this.limits = { ...defaultLimits, ...limits }
    this.barriers = barrierRules(barriers)
    this.clock = clock
    this.slices = stepsPerSlice === undefined ? undefined : new Slices(clock, { stepsPerSlice, sliceMs: 8 })
    this.chunks = (from?.chunks ?? []).map((chunk) => ({ id: 0, chunk }))
    this.subjects = Array.from({ length: inputs }, () => new Subject<Element>())
    const stream = apply(this.subjects as unknown as readonly Observable<never>[])
    this.listen('main', stream)
    for (const side of sides) this.listen(side.tag, sideStream(stream, side))
    for (const [index, subject] of this.subjects.entries()) subject.next(new StreamStart(this, keyed, `in${index}`))
    for (const [uid, participant] of this.participants) {
      const meta = from?.metas.get(uid)
      if (meta !== undefined) participant.restore({ meta: JSON.parse(meta) as Json })
      for (const chunk of from?.chunks ?? []) if (chunk.uid === uid) participant.restoreRows(chunk)
    }
    for (const participant of this.participants.values()) participant.open()
  }

  // ---- what a law does

  record(value: unknown, timestamp: number | undefined, key: Key | undefined, input = 0): void {
    this.send(new RecordElement(value, timestamp, key), input)
  }

  watermark(timestampMs: number, input = 0): void {
    this.send(new Watermark(timestampMs), input)
  }

  idle(idle: boolean, input = 0): void {
    this.send(new WatermarkStatus(idle), input)
  }

  end(input = 0): void {
    this.watermark(Number.POSITIVE_INFINITY, input)
    this.send(new EndOfInput(false), input)
  }

  /** What was captured at the barrier before is encoded only now, when it has changed since. */
  barrier(id: number, input = 0): void {
    this.store()
    this.send(new CheckpointBarrier(checkpointId(id)), input)
  }

  /** What a recovery from checkpoint `id` would find. */
  kept(id: number): Kept {
    this.store()
    return { metas: this.metas.get(id) ?? new Map(), chunks: this.chunks.filter((each) => each.id <= id).map(({ chunk }) => chunk) }
  }

  /** A slice more of what was put off; false when nothing is. */
  goOn(): boolean {
    if (this.slices?.held !== true) return false
    this.slices.begin()
    this.slices.goOn()
    if (this.failure !== undefined) throw this.failure.error
    return this.slices.held
  }

  // ---- what the operator sees

  register(participant: Participant): string {
    this.participants.set(participant.uid, participant)
    return participant.uid
  }

  acknowledge(id: CheckpointId, uid: string, snapshot: Snapshot): void {
    const snapshots = this.snapshots.get(id) ?? new Map<string, Snapshot>()
    snapshots.set(uid, snapshot)
    this.snapshots.set(id, snapshots)
    const metas = this.metas.get(id) ?? new Map<string, string>()
    metas.set(uid, JSON.stringify(snapshot.meta))
    this.metas.set(id, metas)
  }

  decline(_id: CheckpointId, _uid: string, cause: unknown): void {
    throw cause
  }

  abort(id: CheckpointId, cause: Error): void {
    this.aborted.push({ id, cause })
    for (const participant of this.participants.values()) participant.checkpointAborted(id)
  }

  fail(error: unknown): void {
    throw error
  }

  post(work: () => void): void {
    work()
  }

  readonly state = heapTables

  pause(): () => void {
    return () => {}
  }

  driftGroup(): DriftGroup {
    return new DriftGroup()
  }

  report(_event: JobEvent): void {}

  // ---- within

  private send(element: Element, input: number): void {
    const send = (): void => this.subjects[input]?.next(element)
    if (this.slices === undefined) send()
    else this.slices.within(send)
    if (this.failure !== undefined) throw this.failure.error
  }

  private failure: { readonly error: unknown } | undefined

  private store(): void {
    for (const [id, snapshots] of this.snapshots)
      for (const [uid, { tables }] of snapshots)
        for (const capture of tables) {
          const frames = new RowFrames()
          while (capture.encode(frames, 2));
          if (frames.rows > 0)
            this.chunks.push({ id, chunk: { uid: uid as OperatorUid, table: capture.table, rows: frames.rows, bytes: frames.take() } })
          capture.release()
        }
    this.snapshots.clear()
  }

  private listen(output: string, stream: AnyStream): void {
    stream.subscribe({
      next: (element) => {
        if (!isElement(element)) this.failure = { error: new Error(`something that is no element left the operator at ${output}`) }
        else if (element.kind !== 'start')
          this.left.push({ output, kind: element.kind, key: element.kind === 'record' ? element.key : undefined, text: textOf(element) })
      },
      error: (error: unknown) => {
        this.failure = { error }
      },
      complete: () => {
        this.failure = { error: new Error(`the stream completed at ${output}`) }
      },
    })
  }
}

function textOf(element: Element): string {
  switch (element.kind) {
    case 'record':
      return `record ${encodeTagged([element.value, element.timestamp ?? null, element.key ?? null])}`
    case 'watermark':
      return `watermark ${element.timestampMs}`
    case 'status':
      return element.idle ? 'idle' : 'active'
    case 'barrier':
      return `barrier ${element.checkpointId}`
    case 'end':
      return 'end'
    case 'start':
      return 'start'
    default:
      return unreachable(element)
  }
}
