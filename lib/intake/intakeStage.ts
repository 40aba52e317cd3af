import type { Downstream, Output, Upstream } from '../downstream.js'
import { fanOut } from '../downstream.js'
import { type CheckpointBarrier, EndOfInput, StreamStart } from '../element.js'
import { ConfigurationError, StreamError } from '../errors.js'
import type { Receiver } from '../machine.js'
import type { ReplayableSource, SourceBatch, SourceOffset } from '../ports/replayableSource.js'
import type { RunContext } from '../run.js'
import type { RunSource } from '../runSource.js'
import type { Attachment, StageLike } from '../stage.js'
import type { Entry } from './entry.js'
import { readOffset, storedOffset } from './intakeOffset.js'

/**
 * All inputs of one pipeline as one source: one sequence of entries, one offset, a stream for each input.
 *
 * So what came in between two values of one input comes in between them again after a restart.
 */
export class IntakeStage implements RunSource<Entry> {
  finished = false
  records = 0
  private next = 0
  /** Inputs that have said that they have no more. A job that drains tells operators the end of all, but that is not kept. */
  private readonly endedInputs = new Set<string>()
  private readonly outlets = new Map<string, Outlet>()
  private run: RunContext | undefined
  private closed = false

  constructor(
    readonly uid: string,
    readonly source: ReplayableSource<Entry>,
    /** The run has ended: nothing is taken in any more. */
    private readonly closing: () => void,
  ) {}

  /** The beginning of the stream of one input. */
  outlet(input: string): Outlet {
    if (this.outlets.has(input)) throw new ConfigurationError('UID_DUPLICATE', { uid: input })
    const outlet = new Outlet(input, () => this.letGo())
    this.outlets.set(input, outlet)
    return outlet
  }

  get offset(): SourceOffset {
    return storedOffset({ next: this.next, ended: [...this.endedInputs] })
  }

  set offset(offset: SourceOffset) {
    const { next, ended } = readOffset(offset, this.uid)
    this.next = next
    for (const input of ended) this.endedInputs.add(input)
  }

  get unused(): boolean {
    return [...this.outlets.values()].some(({ unused }) => unused)
  }

  start(run: RunContext): void {
    this.run = run
    for (const outlet of this.outlets.values()) outlet.start(run, this.uid)
  }

  open(): void {
    for (const outlet of this.outlets.values()) outlet.open()
    // Operators learn again what had ended: that is part of the source's state, and not of theirs.
    for (const input of this.endedInputs) this.run?.post(() => this.outlets.get(input)?.end(false))
  }

  letIn(batch: SourceBatch<Entry>, from: number, to: number): number {
    const work = (): number => this.letInSome(batch, from, to)
    return this.run?.slices === undefined ? work() : this.run.slices.within(work)
  }

  private letInSome(batch: SourceBatch<Entry>, from: number, to: number): number {
    for (let index = from; index < to && !this.closed; index++) {
      const entry = batch.values[index] as Entry
      const outlet = this.outlets.get(entry.input) as Outlet
      this.next += 1
      if (entry.kind === 'end') {
        this.endedInputs.add(entry.input)
        outlet.end(false)
      } else if (!outlet.ended) {
        this.records += 1
        outlet.receiver.processRecord(entry.value, undefined, undefined)
      }
      // What is behind has more to do than fits: the rest of the batch comes later.
      if (this.run?.slices?.held === true) return index + 1
    }
    return to
  }

  barrier(barrier: CheckpointBarrier): void {
    for (const outlet of this.outlets.values()) outlet.each((downstream) => downstream.barrier(barrier))
  }

  end(drained: boolean): void {
    const tell = (): void => {
      for (const outlet of this.outlets.values()) outlet.end(drained)
    }
    if (this.run?.slices === undefined) tell()
    else this.run.slices.within(tell)
  }

  complete(): void {
    this.closed = true
    for (const outlet of this.outlets.values()) outlet.each((downstream) => downstream.complete())
  }

  close(): void {
    this.closed = true
    this.closing()
  }

  private letGo(): void {
    if (this.run === undefined || this.closed || [...this.outlets.values()].some(({ unused }) => !unused)) return
    this.run.fail(new StreamError('INPUT_CUT', { uid: this.uid, reason: 'everything behind the inputs let go of them while the pipeline runs' }))
  }
}

/** Where the values of one input enter. */
export class Outlet implements StageLike, Upstream {
  readonly tags = []
  receiver: Receiver<unknown> = { processRecord() {} }
  ended = false
  private readonly outputs: Downstream[] = []
  private started = false

  constructor(
    readonly input: string,
    private readonly letGo: () => void,
  ) {}

  attach(downstream: Downstream, _output: Output, attachment: Attachment): void {
    if (this.started) throw new StreamError('SUBSCRIBED_AGAIN', { uid: this.input })
    attachment.upstream = this
    this.outputs.push(downstream)
  }

  release(downstream: Downstream): void {
    const at = this.outputs.indexOf(downstream)
    if (at >= 0) this.outputs.splice(at, 1)
    this.letGo()
  }

  get unused(): boolean {
    return this.outputs.length === 0
  }

  start(run: RunContext, source: string): void {
    this.started = true
    for (const output of [...this.outputs]) output.start(new StreamStart(run, false, this.input, [source]))
  }

  open(): void {
    this.receiver = fanOut(this.outputs.map((output) => output.receiver()))
  }

  end(drained: boolean): void {
    if (this.ended) return
    this.ended = true
    this.each((downstream) => downstream.watermark(Number.POSITIVE_INFINITY))
    this.each((downstream) => downstream.end(new EndOfInput(drained)))
  }

  each(tell: (downstream: Downstream) => void): void {
    for (const output of [...this.outputs]) tell(output)
  }
}
