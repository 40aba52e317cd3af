/**
 * An operator in the hands of a test: it is fed element by element, and what comes out is collected. It lives in a run of the
 * kind of a job, and is thrown away and restored as often as one likes.
 */
import type { Observable } from 'rxjs'
import type { BarrierOptions } from '../../lib/barrierRules.js'
import type { Downstream, Output } from '../../lib/downstream.js'
import { type AnyStream, CheckpointBarrier, EndOfInput, StreamStart } from '../../lib/element.js'
import { checkpointId } from '../../lib/identity.js'
import type { Limits } from '../../lib/limits.js'
import { sideStream, streamOf } from '../../lib/operate.js'
import type { SideOutput } from '../../lib/sideOutput.js'
import { type Attachment, connect, type StageLike } from '../../lib/stage.js'
import type { RowStore } from '../../lib/state/rowStore.js'
import type { Kept } from '../operatorRun.js'
import { FedRun, nothingKept } from './fedRun.js'
import { HandClock } from './handClock.js'
import type { HarnessOutput } from './harnessOutput.js'

export type { Kept } from '../operatorRun.js'

/** Applies the operators under test to their inputs. */
export type Build = (inputs: readonly Observable<never>[]) => AnyStream

export interface OperatorHarnessOptions {
  /** Called anew for each instance. */
  readonly build: Build
  readonly inputs: number
  /** The records that are fed have keys. */
  readonly keyed?: boolean
  /** Side outputs to tap. */
  readonly tags?: readonly string[]
  readonly startMs?: number | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly barriers?: BarrierOptions | undefined
}

export class OperatorHarness {
  readonly clock: HandClock
  private build: Build
  private instance: Instance
  private kept = nothingKept
  private lastId = 0
  private readonly emitted: HarnessOutput[] = []

  constructor(private readonly options: OperatorHarnessOptions) {
    this.clock = new HandClock(options.startMs)
    this.build = options.build
    this.instance = this.begin()
  }

  record(value: unknown, timestamp: number | undefined, input = 0, key?: unknown): void {
    this.instance.into(input, (downstream) => downstream.receiver().processRecord(value, timestamp, key))
  }

  watermark(timestampMs: number, input = 0): void {
    this.instance.into(input, (downstream) => downstream.watermark(timestampMs))
  }

  status(idle: boolean, input = 0): void {
    this.instance.into(input, (downstream) => downstream.status(idle))
  }

  /** The end of every input, or of one. Event time has to be sent to its end before. */
  end(only?: number): void {
    for (let input = 0; input < this.options.inputs; input++)
      if (only === undefined || input === only) this.instance.into(input, (downstream) => downstream.end(new EndOfInput(false)))
  }

  /** Something else between two records. */
  call(work: () => void): void {
    this.instance.run.enter(work)
  }

  /** The clock stands at `to`; what is due is called. */
  processingTime(to: number): void {
    this.clock.time = to
    this.clock.fire(to)
    this.instance.run.check()
  }

  /** What waits for the clock is called, although its time has not come. */
  check(): void {
    for (const call of [...this.clock.calls]) if (this.clock.calls.delete(call)) call.work()
    this.instance.run.check()
  }

  /** A checkpoint: a barrier on every input. */
  snapshot(): Kept {
    this.lastId += 1
    const barrier = new CheckpointBarrier(checkpointId(this.lastId))
    for (let input = 0; input < this.options.inputs; input++) this.instance.into(input, (downstream) => downstream.barrier(barrier))
    this.kept = this.instance.run.take(barrier.checkpointId)
    return this.kept
  }

  /** Throws the running instance away and starts one anew, of other operators where told. Time stands where it stood. */
  restore(from: Kept, build = this.build): void {
    this.close()
    this.kept = from
    this.build = build
    this.instance = this.begin()
  }

  /** The tables of all operators, to look at what they keep. */
  tables(): readonly RowStore<unknown>[] {
    return this.instance.run.tables
  }

  /** What has come out since the last time. */
  take(): HarnessOutput[] {
    return this.emitted.splice(0)
  }

  close(): void {
    this.instance.close()
    this.clock.calls.clear()
  }

  private begin(): Instance {
    const { limits, barriers } = this.options
    const run = new FedRun({ clock: this.clock, limits, barriers, from: this.kept })
    const instance = new Instance(run, this.options, (output) => this.emitted.push(output))
    instance.start(this.build)
    return instance
  }
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

/** The operators of one run, from their start on. */
class Instance {
  private readonly inputs: readonly Input[]
  private readonly releases: (() => void)[] = []

  constructor(
    readonly run: FedRun,
    private readonly options: OperatorHarnessOptions,
    private readonly emit: (output: HarnessOutput) => void,
  ) {
    this.inputs = Array.from({ length: options.inputs }, () => new Input())
  }

  start(build: Build): void {
    const { keyed = false, tags } = this.options
    const stream = build(this.inputs.map((input) => streamOf<never>(input)))
    this.tap(stream, this.main())
    for (const tag of new Set(tags)) this.tap(sideStream(stream, { tag } as SideOutput<unknown>), this.side(tag))
    this.run.enter(() => {
      for (const [index, { downstreams }] of this.inputs.entries())
        for (const downstream of downstreams) downstream.start(new StreamStart(this.run, keyed, `input${index}`))
      this.run.checkClaims()
      this.run.open()
    })
  }

  into(input: number, work: (downstream: Downstream) => void): void {
    this.run.enter(() => {
      for (const downstream of this.inputs[input]?.downstreams ?? []) work(downstream)
    })
  }

  close(): void {
    this.run.close()
    for (const release of this.releases.splice(0)) release()
  }

  private tap(stream: Observable<unknown>, into: Downstream): void {
    connect(stream, { operator: 'the test', into, fail: (error) => this.run.fail(error), onRelease: (release) => this.releases.push(release) })
  }

  private main(): Downstream {
    return {
      start() {},
      receiver: () => ({ processRecord: (value, timestamp, key) => this.emit({ kind: 'record', value, timestamp, key }) }),
      watermark: (timestamp) => this.emit({ kind: 'watermark', timestamp }),
      status: (idle) => this.emit({ kind: 'status', idle }),
      barrier() {},
      end: () => this.emit({ kind: 'end' }),
      complete() {},
      error: (error) => this.run.fail(error),
    }
  }

  private side(tag: string): Downstream {
    const none = (): void => {}
    return {
      start: none,
      receiver: () => ({ processRecord: (value, timestamp) => this.emit({ kind: 'side', tag, value, timestamp }) }),
      watermark: none,
      status: none,
      barrier: none,
      end: none,
      complete: none,
      error: none,
    }
  }
}
