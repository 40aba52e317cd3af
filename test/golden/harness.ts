import type { Observable } from 'rxjs'
import type { Cancel } from '../../lib/clock.js'
import type { Downstream, Output } from '../../lib/downstream.js'
import { DriftGroup } from '../../lib/driftGroup.js'
import { CheckpointBarrier, EndOfInput, type StreamElement, StreamStart } from '../../lib/element.js'
import { type CheckpointId, checkpointId, type OperatorUid } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import { defaultLimits } from '../../lib/limits.js'
import { sideStream, streamOf } from '../../lib/operate.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { Participant, RunContext, Snapshot } from '../../lib/run.js'
import { type Attachment, connect, type StageLike } from '../../lib/stage.js'
import { heapTables } from '../../lib/state/heap.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowStore } from '../../lib/state/rowStore.js'
import type { Emitted } from './play.js'

export type Elements = Observable<StreamElement<any, any>>

/** What a checkpoint keeps of the operators under test, as a storage would: small states, and every change of every row. */
export interface Kept {
  readonly metas: ReadonlyMap<string, Json>
  readonly chunks: readonly RowChunk[]
}

export interface HarnessOptions {
  /** The operator under test, over its inputs. Called anew for each instance. */
  build(inputs: readonly Elements[]): Elements
  readonly inputs: number
  /** Side outputs to tap. */
  readonly tags?: readonly string[]
}

/** One input, fed by hand. */
class Input implements StageLike {
  readonly tags = []
  readonly downstreams: Downstream[] = []

  attach(downstream: Downstream, _output: Output, attachment: Attachment): void {
    this.downstreams.push(downstream)
    attachment.upstream = { release() {} }
  }
}

/** Time that stands still until it is told to go on, with a look at what is waited for. */
export class HandClock {
  time = 0
  readonly calls = new Set<{ readonly atMs: number; readonly work: () => void }>()

  nowMs = (): number => this.time

  callAt = (atMs: number, work: () => void): Cancel => {
    const call = { atMs, work }
    this.calls.add(call)
    return () => this.calls.delete(call)
  }

  yield = (): Promise<void> => Promise.resolve()

  /** Calls what is due, in the order of time, also what is asked for meanwhile. */
  fire(upToMs: number): void {
    for (;;) {
      const [first] = [...this.calls].filter(({ atMs }) => atMs <= upToMs).sort((a, b) => a.atMs - b.atMs)
      if (first === undefined) return
      this.calls.delete(first)
      first.work()
    }
  }
}

/** An operator in the hands of a test: it is fed element by element, and what comes out is collected. It lives in a run of the kind of a job. */
export class Harness {
  readonly clock = new HandClock()
  private instance: Instance
  private kept: Kept = { metas: new Map(), chunks: [] }
  private lastId = 0
  private emitted: Emitted[] = []

  constructor(private readonly options: HarnessOptions) {
    this.instance = this.begin(undefined)
  }

  record(value: unknown, timestamp: number | undefined, input = 0): void {
    this.instance.enter(() => this.instance.into(input, (downstream) => downstream.receiver().processRecord(value, timestamp, undefined)))
  }

  watermark(timestampMs: number, input = 0): void {
    this.instance.enter(() => this.instance.into(input, (downstream) => downstream.watermark(timestampMs)))
  }

  status(idle: boolean, input = 0): void {
    this.instance.enter(() => this.instance.into(input, (downstream) => downstream.status(idle)))
  }

  end(): void {
    for (let input = 0; input < this.options.inputs; input++) {
      this.instance.enter(() => this.instance.into(input, (downstream) => downstream.end(new EndOfInput(false))))
    }
  }

  /** Something else between two records. */
  call(work: () => void): void {
    this.instance.enter(work)
  }

  /** The clock stands at `to`; what is due is called. */
  processingTime(to: number): void {
    this.clock.time = to
    this.clock.fire(to)
    this.instance.check()
  }

  /** What waits for the clock is called, although its time has not come. */
  check(): void {
    for (const call of [...this.clock.calls]) if (this.clock.calls.delete(call)) call.work()
    this.instance.check()
  }

  /** A checkpoint: a barrier on every input. */
  snapshot(): Kept {
    this.lastId += 1
    const barrier = new CheckpointBarrier(checkpointId(this.lastId))
    for (let input = 0; input < this.options.inputs; input++)
      this.instance.enter(() => this.instance.into(input, (downstream) => downstream.barrier(barrier)))
    const { metas, chunks } = this.instance.takeAcknowledged(barrier.checkpointId)
    this.kept = { metas, chunks: [...this.kept.chunks, ...chunks] }
    return this.kept
  }

  /** Throws the running instance away and starts one anew. Time stands where it stood. */
  restore(from: Kept): void {
    this.close()
    this.kept = from
    this.instance = this.begin(from)
  }

  /** The tables of all operators, to look at what they keep. */
  tables(): RowStore<unknown>[] {
    return this.instance.tables()
  }

  take(): Emitted[] {
    return this.emitted.splice(0)
  }

  close(): void {
    this.instance.close()
    this.clock.calls.clear()
  }

  private begin(from: Kept | undefined): Instance {
    const instance = new Instance(this.options, this.clock, (emitted) => this.emitted.push(emitted))
    instance.start(from)
    return instance
  }
}

/** The operators of one run, from their start on. */
class Instance implements RunContext {
  readonly kind = 'job'
  readonly limits = defaultLimits
  readonly development = true
  private readonly inputs: readonly Input[]
  private readonly participants = new Map<string, Participant>()
  private readonly acknowledged = new Map<string, Snapshot>()
  private readonly releases: (() => void)[] = []
  private readonly posted: (() => void)[] = []
  private failure: { readonly error: unknown } | undefined
  private busy = false
  private closed = false

  constructor(
    private readonly options: HarnessOptions,
    readonly clock: HandClock,
    private readonly emit: (emitted: Emitted) => void,
  ) {
    this.inputs = Array.from({ length: options.inputs }, () => new Input())
  }

  start(from: Kept | undefined): void {
    const stream = this.options.build(this.inputs.map((input) => streamOf(input)))
    this.tap(stream, this.mainOutput())
    for (const tag of new Set(this.options.tags)) this.tap(sideStream(stream, { tag } as never), this.sideOutput(tag))
    this.enter(() => {
      this.inputs.forEach((input, index) => {
        for (const downstream of input.downstreams) downstream.start(new StreamStart(this, false, `input${index}`))
      })
      if (from !== undefined) this.takeOver(from)
      for (const participant of this.participants.values()) participant.open()
    })
  }

  into(input: number, work: (downstream: Downstream) => void): void {
    for (const downstream of this.inputs[input]?.downstreams ?? []) work(downstream)
  }

  /** One thing at a time; what is posted meanwhile follows. What fails is thrown to the test. */
  enter(work: () => void): void {
    this.run(work)
    this.check()
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

  tables(): RowStore<unknown>[] {
    return [...this.participants.values()].flatMap(
      (participant) => (participant as unknown as { readonly tables?: RowStore<unknown>[] }).tables ?? [],
    )
  }

  check(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure.error
  }

  takeAcknowledged(id: CheckpointId): Kept {
    const missing = [...this.participants.keys()].filter((uid) => !this.acknowledged.has(uid))
    if (missing.length > 0) throw new Error(`the barrier did not reach ${missing.join(', ')}`)
    const metas = new Map<string, Json>()
    const chunks: RowChunk[] = []
    for (const [uid, { meta, tables }] of this.acknowledged) {
      metas.set(uid, JSON.parse(JSON.stringify(meta)) as Json)
      for (const table of tables) {
        const frames = new RowFrames(64)
        while (table.encode(frames, 3));
        table.release()
        const { rows } = frames
        if (rows > 0) chunks.push({ uid: uid as OperatorUid, table: table.table, rows, bytes: frames.take() })
      }
    }
    this.acknowledged.clear()
    for (const participant of this.participants.values()) participant.checkpointCompleted(id)
    return { metas, chunks }
  }

  close(): void {
    this.closed = true
    for (const release of this.releases.splice(0)) release()
  }

  // ---- what operators see of their run

  register(participant: Participant): string {
    let { uid } = participant
    for (let copy = 2; this.participants.has(uid); copy++) uid = `${participant.uid}#${copy}`
    this.participants.set(uid, participant)
    return uid
  }

  acknowledge(_id: CheckpointId, uid: string, snapshot: Snapshot): void {
    this.acknowledged.set(uid, snapshot)
  }

  decline(_id: CheckpointId, _uid: string, cause: unknown): void {
    this.fail(cause)
  }

  abort(_id: CheckpointId, cause: Error): void {
    this.fail(cause)
  }

  fail(error: unknown): void {
    this.failure ??= { error }
  }

  post(work: () => void): void {
    this.run(() => {
      if (!this.closed) work()
    })
  }

  readonly state = heapTables

  pause(): () => void {
    return () => {}
  }

  driftGroup(): DriftGroup {
    return new DriftGroup()
  }

  report(): void {}

  // ---- wiring

  private takeOver(from: Kept): void {
    for (const [uid, meta] of from.metas) this.participants.get(uid)?.restore({ meta })
    for (const chunk of from.chunks) this.participants.get(chunk.uid)?.restoreRows(chunk)
  }

  private tap(stream: Elements, into: Downstream): void {
    connect(stream, { operator: 'the test', into, fail: (error) => this.fail(error), onRelease: (release) => this.releases.push(release) })
  }

  private mainOutput(): Downstream {
    return {
      start() {},
      receiver: () => ({ processRecord: (value, ts) => this.emit({ kind: 'record', value, ts }) }),
      watermark: (ts) => this.emit({ kind: 'watermark', ts }),
      status: (idle) => this.emit({ kind: 'status', value: idle ? 'idle' : 'active' }),
      barrier() {},
      end() {},
      complete() {},
      error: (error) => this.fail(error),
    }
  }

  private sideOutput(tag: string): Downstream {
    const none = (): void => {}
    return {
      start: none,
      receiver: () => ({ processRecord: (value, ts) => this.emit({ kind: 'side', tag, value, ts }) }),
      watermark: none,
      status: none,
      barrier: none,
      end: none,
      complete: none,
      error: none,
    }
  }
}
