import type { Downstream, Output, Upstream } from './downstream.js'
import { fanOut } from './downstream.js'
import { type CheckpointBarrier, EndOfInput, StreamStart } from './element.js'
import { StreamError } from './errors.js'
import type { Receiver } from './machine.js'
import type { DeadLetter, ReplayableSource, SourceBatch, SourceOffset } from './ports/replayableSource.js'
import type { RunContext } from './run.js'
import type { RunSource } from './runSource.js'
import type { Attachment, StageLike } from './stage.js'

/** That a source has nothing to say is told further down, where event time is. */
const neverIdle = (): boolean => false

/**
 * A source in the graph of a job: where its records enter, and its offset.
 *
 * The run reads batches and lets records in; between two of them it notes the offset and emits a barrier. A source that is idle,
 * paused or has ended emits every barrier all the same.
 */
export class SourceStage<T> implements StageLike, Upstream, RunSource<T> {
  readonly tags: readonly string[]
  offset: SourceOffset = null
  finished = false
  records = 0
  /** The end was told downstream: of the source, or because the job drains. */
  private ended = false
  private readonly main: Downstream[] = []
  private readonly letters: Downstream[] = []
  private receiver: Receiver<T> = { processRecord() {} }
  private letterReceiver: Receiver<DeadLetter> = { processRecord() {} }
  private started = false
  private run: RunContext | undefined

  constructor(
    readonly uid: string,
    readonly source: ReplayableSource<T>,
  ) {
    this.tags = source.deadLetters === undefined ? [] : [source.deadLetters.tag]
  }

  attach(downstream: Downstream, output: Output, attachment: Attachment): void {
    if (this.started) throw new StreamError('SUBSCRIBED_AGAIN', { uid: this.uid })
    attachment.upstream = this
    if (output === 'main') this.main.push(downstream)
    else this.letters.push(downstream)
  }

  release(downstream: Downstream): void {
    for (const outputs of [this.main, this.letters]) {
      const at = outputs.indexOf(downstream)
      if (at >= 0) outputs.splice(at, 1)
    }
    if (this.started && !this.closed && this.main.length + this.letters.length === 0)
      this.run?.fail(new StreamError('INPUT_CUT', { uid: this.uid, reason: 'everything behind the source let go of it while the job runs' }))
  }

  get unused(): boolean {
    return this.main.length + this.letters.length === 0
  }

  start(run: RunContext): void {
    this.started = true
    this.run = run
    for (const output of [...this.main]) output.start(new StreamStart(run, false, this.uid, [this.uid], false, neverIdle))
    for (const output of [...this.letters]) output.start(new StreamStart(run, false, `${this.uid}:letters`, [this.uid], false, neverIdle))
  }

  open(): void {
    this.receiver = fanOut(this.main.map((output) => output.receiver()))
    this.letterReceiver = fanOut(this.letters.map((output) => output.receiver()))
  }

  letIn(batch: SourceBatch<T>, from: number, to: number): number {
    const work = (): number => this.letInSome(batch, from, to)
    return this.run?.slices === undefined ? work() : this.run.slices.within(work)
  }

  private letInSome(batch: SourceBatch<T>, from: number, to: number): number {
    const { values, malformed } = batch
    const { receiver } = this
    const slices = this.run?.slices
    let end = to
    for (let index = from; index < to && !this.closed; index++) {
      const letter = malformed?.get(index)
      if (letter === undefined) receiver.processRecord(values[index] as T, undefined, undefined)
      else this.letterReceiver.processRecord(letter, undefined, undefined)
      if (slices?.held === true) {
        end = index + 1
        break
      }
    }
    if (end > from) this.offset = batch.offsetAfter(end - 1)
    this.records += end - from
    return end
  }

  barrier(barrier: CheckpointBarrier): void {
    for (const output of this.outputs) output.barrier(barrier)
  }

  end(drained: boolean): void {
    if (this.ended) return
    this.ended = true
    const tell = (): void => {
      for (const output of this.outputs) output.watermark(Number.POSITIVE_INFINITY)
      for (const output of this.outputs) output.end(new EndOfInput(drained))
    }
    if (this.run?.slices === undefined) tell()
    else this.run.slices.within(tell)
  }

  private closed = false

  complete(): void {
    this.closed = true
    for (const output of this.outputs) output.complete()
  }

  close(): void {
    this.closed = true
  }

  private get outputs(): Downstream[] {
    return [...this.main, ...this.letters]
  }
}
