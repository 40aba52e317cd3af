/**
 * The junction before an operator with several inputs: alignment of barriers, combination of event time, one element at a time.
 *
 * **Invariants** A record behind barrier n on its input is not processed before the snapshot of n is taken. The snapshot is
 * taken first, then what was held back is released, in the order in which it came. A barrier leaves once. A newer barrier or
 * an abort releases what was held back; a barrier of a checkpoint that was given up stops here. Nothing held back is ever
 * dropped: too much of it aborts the checkpoint. An element that arrives while another one is processed waits its turn.
 *
 * **Fault model** An input may end early (it still delivers every barrier), deliver its barrier much later than the others, or
 * feed back into another input of the same junction.
 *
 * Asynchronous barrier snapshotting: Carbone, Fóra, Ewen, Haridi, Tzoumas 2015.
 */

import { CombinedWatermark } from './combinedWatermark.js'
import type { Downstream } from './downstream.js'
import { type CheckpointBarrier, type Element, EndOfInput, RecordElement, StreamStart, Watermark, WatermarkStatus } from './element.js'
import { CheckpointError, ConfigurationError, invariant, StreamError, unreachable } from './errors.js'
import type { InputTime } from './eventTime.js'
import type { Json } from './json.js'
import type { Receiver } from './machine.js'
import type { RunContext } from './run.js'
import { WatermarkValve } from './watermarkValve.js'

interface Input {
  readonly index: number
  started: StreamStart | undefined
  end: EndOfInput | undefined
  completed: boolean
  /** Has delivered the barrier that is being aligned, or waits for the other inputs to start. */
  blocked: boolean
  held: Exclude<Element, StreamStart>[]
}

/** What stands behind the junction. */
export interface Junction extends Downstream {
  readonly operator: string
  /** The operator treats its inputs differently, and these need keys. None: it joins them into one stream. */
  readonly connects: readonly number[] | undefined
  /** One of the inputs has ended for good. */
  inputEnded?(input: number): void
}

export class Alignment {
  private readonly inputs: Input[]
  private readonly valve: WatermarkValve | CombinedWatermark
  private run: RunContext | undefined
  private into: Receiver<unknown> | undefined
  private aligning: CheckpointBarrier | undefined
  /** Barriers up to this id have passed or were given up. */
  private settled = 0
  private heldCount = 0
  private busy = false
  /** The checkpoint that is aligned was given up while an element is processed: what is held back goes on right behind that one. */
  private givenUp = false
  private readonly waiting: { readonly input: Input; readonly element: Element }[] = []

  constructor(
    count: number,
    private readonly behind: Junction,
  ) {
    this.inputs = Array.from({ length: count }, (_, index) => ({
      index,
      started: undefined,
      end: undefined,
      completed: false,
      blocked: true,
      held: [],
    }))
    this.valve = behind.connects === undefined ? new WatermarkValve(count, behind) : new CombinedWatermark(count, behind)
  }

  /** The way into one input. */
  port(index: number): Downstream {
    const input = this.inputs[index] as Input
    return {
      start: (start) => this.arrive(input, start),
      receiver: () => ({ processRecord: (value, timestamp, key) => this.record(input, value, timestamp, key) }),
      watermark: (timestampMs) => this.arrive(input, new Watermark(timestampMs)),
      status: (idle) => this.arrive(input, new WatermarkStatus(idle)),
      barrier: (barrier) => this.arrive(input, barrier),
      end: (end) => this.arrive(input, end),
      complete: () => this.complete(input),
      error: (error) => this.behind.error(error),
    }
  }

  /** The event time of all inputs. */
  get watermark(): number {
    return this.valve.watermark
  }

  /** Where each input stands, by the way it has come. */
  inputTimes(): readonly InputTime[] {
    return this.inputs.map(({ index, started }) => ({ path: started?.path ?? `input ${index}`, ...this.valve.inputTime(index) }))
  }

  snapshot(): Json {
    return this.valve.snapshot()
  }

  restore(stored: Json): void {
    this.valve.restore(stored)
  }

  /** A checkpoint was given up: what is held back for it goes on. */
  abort(checkpointId: number): void {
    this.settled = Math.max(this.settled, checkpointId)
    if (this.aligning === undefined || this.aligning.checkpointId > checkpointId) return
    if (this.busy) this.givenUp = true
    else this.exclusively(() => this.release())
  }

  private record(input: Input, value: unknown, timestamp: number | undefined, key: unknown): void {
    if (this.busy || input.blocked) this.arrive(input, new RecordElement(value, timestamp, key))
    else {
      this.busy = true
      try {
        this.into?.processRecord(value, timestamp, key, input.index)
        this.drain()
      } finally {
        this.busy = false
      }
    }
  }

  private arrive(input: Input, element: Element): void {
    if (this.busy) {
      const max = this.run?.limits.entryQueueMax ?? 0
      if (this.waiting.length >= max) throw new StreamError('ENTRY_QUEUE_FULL', { operator: this.behind.operator, entryQueueMax: max })
      this.waiting.push({ input, element })
    } else this.exclusively(() => this.receive(input, element))
  }

  private exclusively(work: () => void): void {
    invariant(!this.busy, 'one element is processed at a time')
    this.busy = true
    try {
      work()
      this.drain()
    } finally {
      this.busy = false
    }
  }

  private drain(): void {
    for (;;) {
      if (this.givenUp) this.release()
      const next = this.waiting.shift()
      if (next === undefined) return
      this.receive(next.input, next.element)
    }
  }

  private receive(input: Input, element: Element): void {
    if (element.kind === 'start') this.start(input, element)
    else if (input.blocked) this.hold(input, element)
    else this.process(input, element)
  }

  private process(input: Input, element: Exclude<Element, StreamStart>): void {
    switch (element.kind) {
      case 'record':
        return this.into?.processRecord(element.value, element.timestamp, element.key, input.index)
      case 'watermark':
        return this.valve.inputWatermark(input.index, element.timestampMs)
      case 'status':
        return this.valve.inputStatus(input.index, element.idle)
      case 'barrier':
        return this.barrier(input, element)
      case 'end':
        input.end = element
        // A stream that is drained goes on in a later run.
        if (!element.drained) this.behind.inputEnded?.(input.index)
        if (this.inputs.every((each) => each.end !== undefined))
          this.behind.end(new EndOfInput(this.inputs.some((each) => each.end?.drained === true)))
        return
      default:
        return unreachable(element)
    }
  }

  private start(input: Input, start: StreamStart): void {
    if (input.started !== undefined) throw new StreamError('STREAM_STARTED_TWICE', { operator: this.behind.operator, input: input.index })
    input.started = start
    const starts = this.inputs.map((each) => each.started)
    const [first] = starts
    if (first === undefined || starts.some((each) => each === undefined)) return
    const known = starts as StreamStart[]
    this.run = (known.find((each) => each.run.kind === 'job') ?? first).run
    if (this.run.kind === 'job' && known.some((each) => each.run !== this.run))
      throw new ConfigurationError('SOURCE_NOT_REPLAYABLE', { operator: this.behind.operator })
    const path = `(${known.map((each) => each.path).join('+')})`
    const needKeys = this.behind.connects ?? known.map((_, index) => index)
    this.behind.start(
      new StreamStart(
        this.run,
        needKeys.every((index) => known[index]?.keyed === true),
        path,
        known.flatMap((each) => each.sources),
      ),
    )
    this.into = this.behind.receiver()
    this.release()
  }

  private barrier(input: Input, barrier: CheckpointBarrier): void {
    if (barrier.checkpointId <= this.settled) return
    if (this.aligning !== undefined && barrier.checkpointId > this.aligning.checkpointId) {
      this.settled = this.aligning.checkpointId
      this.release()
      if (input.blocked) return this.hold(input, barrier)
    }
    if (this.aligning !== undefined && barrier.checkpointId < this.aligning.checkpointId) return
    this.aligning = barrier
    input.blocked = true
    if (!this.inputs.every((each) => each.blocked)) return
    this.settled = barrier.checkpointId
    this.behind.barrier(barrier)
    this.release()
  }

  /** Lets held elements go on, input by input, until each is through or blocked again by a later barrier among them. */
  private release(): void {
    this.aligning = undefined
    this.givenUp = false
    const queues = this.inputs.map((input) => {
      input.blocked = false
      const queue = input.held
      input.held = []
      return { input, queue }
    })
    this.heldCount = 0
    for (const { input, queue } of queues) for (const element of queue) this.receive(input, element)
  }

  private hold(input: Input, element: Exclude<Element, StreamStart>): void {
    input.held.push(element)
    this.heldCount += 1
    const max = (this.run ?? input.started?.run)?.limits.heldElementsMax ?? 0
    const { aligning } = this
    if (this.heldCount <= max) return
    if (aligning === undefined)
      throw new StreamError('ENTRY_QUEUE_FULL', { operator: this.behind.operator, heldElementsMax: max, reason: 'another input has not started' })
    this.settled = aligning.checkpointId
    this.run?.abort(
      aligning.checkpointId,
      new CheckpointError('ALIGNMENT_BUFFER_FULL', { operator: this.behind.operator, checkpointId: aligning.checkpointId, heldElementsMax: max }),
    )
    this.release()
  }

  private complete(input: Input): void {
    input.completed = true
    if (this.inputs.every((each) => each.completed)) this.behind.complete()
  }
}
