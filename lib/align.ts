/**
 * The junction before an operator with several inputs: alignment of barriers, combination of event time, one element at a time.
 *
 * **Invariants** A record behind barrier n on its input is not processed before the snapshot of n is taken. The snapshot is
 * taken first, then what was held back is released, in the order in which it came. A barrier leaves once. A newer barrier or
 * an abort releases what was held back; a barrier of a checkpoint that was given up stops here. Nothing held back is ever
 * dropped: too much of it aborts the checkpoint. An element that arrives while another one is processed waits its turn.
 *
 * Where barriers may overtake, the snapshot is taken before all inputs have delivered the barrier. What an input then brings
 * before its own is processed, and stored with the checkpoint: snapshot and elements in flight together are the same cut. After a
 * restore these come first, before anything else that reaches the junction. Where at least once is enough, nothing is held back or
 * stored, and the snapshot is taken at the last barrier.
 *
 * **Fault model** An input may end early (it still delivers every barrier), deliver its barrier much later than the others, or
 * feed back into another input of the same junction.
 *
 * Asynchronous barrier snapshotting: Carbone, Fóra, Ewen, Haridi, Tzoumas 2015.
 */

import { alignedBarriers, type BarrierRules } from './barrierRules.js'
import { CombinedWatermark } from './combinedWatermark.js'
import type { Downstream } from './downstream.js'
import { type CheckpointBarrier, type Element, EndOfInput, RecordElement, StreamStart, Watermark, WatermarkStatus } from './element.js'
import { CheckpointError, ConfigurationError, invariant, StreamError, unreachable } from './errors.js'
import type { InputTime } from './eventTime.js'
import { type Arrival, InFlight, readInFlight } from './inFlight.js'
import type { Json } from './json.js'
import type { Receiver } from './machine.js'
import type { RunContext } from './run.js'
import { WatermarkValve } from './watermarkValve.js'

interface Input {
  readonly index: number
  started: StreamStart | undefined
  end: EndOfInput | undefined
  completed: boolean
  /** Its elements are held back: it has delivered the barrier that is being aligned, or waits for the other inputs to start. */
  blocked: boolean
  /** Has delivered the barrier under way. */
  delivered: boolean
  /** Each of its records is looked at: a barrier may overtake it, or has. */
  watched: boolean
  held: Exclude<Element, StreamStart>[]
}

/** What stands behind the junction. */
export interface Junction extends Downstream {
  readonly operator: string
  /** The operator treats its inputs differently, and these need keys. None: it joins them into one stream. */
  readonly connects: readonly number[] | undefined
  /** One of the inputs has ended for good. */
  inputEnded?(input: number): void
  /** Captures, and forwards a barrier that not all inputs have delivered. */
  overtake(barrier: CheckpointBarrier): void
  /** All inputs have delivered it: what was captured is complete, together with what it has overtaken. */
  overtaken(barrier: CheckpointBarrier, inFlight: Json | undefined): void
  /** What was captured for it is of no use any more: its checkpoint was given up or, with a cause, has to be. */
  giveUp(barrier: CheckpointBarrier, cause?: unknown): void
}

/** Barriers that are counted at the same time where nothing is held back; of more, the oldest is given up. */
const countedBarriersMax = 50

export class Alignment {
  private readonly inputs: Input[]
  private readonly valve: WatermarkValve | CombinedWatermark
  private run: RunContext | undefined
  private into: Receiver<unknown> | undefined
  private rules: BarrierRules = alignedBarriers
  private aligning: CheckpointBarrier | undefined
  private alignedSinceMs = 0
  /** What the barrier under way has overtaken so far, once it has been forwarded. */
  private inFlight: InFlight | undefined
  /** Which inputs have delivered a barrier, where nothing is held back. */
  private readonly counted = new Map<number, Set<Input>>()
  /** What a barrier had overtaken before the restart. */
  private replayed: readonly Arrival[] | undefined
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
      delivered: false,
      watched: false,
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

  /** Learns which inputs are idle from who comes before: what was stored says nothing of an input that is new, or has become another. */
  askStatuses(): void {
    for (const input of this.inputs) {
      const idle = input.started?.isIdle()
      if (idle !== undefined) this.arrive(input, new WatermarkStatus(idle))
    }
  }

  /** Takes over what a barrier had overtaken; it waits until everything behind this has opened. */
  restoreInFlight(stored: Json): void {
    this.replayed = readInFlight(stored, this.paths, { codec: this.rules.codec, uid: this.behind.operator })
    for (const input of this.inputs) input.blocked = true
  }

  /** Something waits to be processed before anything else that arrives. */
  get replays(): boolean {
    return this.replayed !== undefined
  }

  /** Processes what was in flight, unless an element that has arrived meanwhile has already made it. */
  replay(): void {
    if (this.replayed !== undefined && !this.busy) this.exclusively(() => this.replayFirst())
  }

  /** A checkpoint was given up: what is held back for it goes on. */
  abort(checkpointId: number): void {
    this.settle(Math.max(this.settled, checkpointId))
    if (this.aligning === undefined || this.aligning.checkpointId > checkpointId) return
    if (this.busy) this.givenUp = true
    else this.exclusively(() => this.release())
  }

  private record(input: Input, value: unknown, timestamp: number | undefined, key: unknown): void {
    if (this.busy || input.blocked || input.watched) this.arrive(input, new RecordElement(value, timestamp, key))
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
    if (this.replayed !== undefined) this.replayFirst()
    if (element.kind === 'start') this.start(input, element)
    else if (input.blocked) this.hold(input, element)
    else {
      if (input.watched && element.kind !== 'barrier') this.watch(input, element)
      this.process(input, element)
    }
  }

  private replayFirst(): void {
    const replayed = this.replayed ?? []
    this.replayed = undefined
    for (const input of this.inputs) input.blocked = false
    for (const { input, element } of replayed) this.process(this.inputs[input] as Input, element)
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
    this.rules = this.run.barriers ?? alignedBarriers
    if (this.run.kind === 'job' && known.some((each) => each.run !== this.run))
      throw new ConfigurationError('SOURCE_NOT_REPLAYABLE', { operator: this.behind.operator })
    const path = `(${this.paths.join('+')})`
    const needKeys = this.behind.connects ?? known.map((_, index) => index)
    this.behind.start(
      new StreamStart(
        this.run,
        needKeys.every((index) => known[index]?.keyed === true),
        path,
        known.flatMap((each) => each.sources),
        this.splitOf(known, needKeys),
        () => this.valve.idle,
      ),
    )
    this.into = this.behind.receiver()
    this.release()
  }

  /** The inputs that are alike are split alike, and every instance gets all of the others. */
  private splitOf(starts: readonly StreamStart[], alike: readonly number[]): boolean {
    const split = starts[alike[0] ?? 0]?.split === true
    const odd = starts.findIndex((each, index) => each.split !== (split && alike.includes(index)))
    if (odd >= 0 && this.run?.share?.isSplit === true)
      throw new ConfigurationError('STATE_NOT_SPLITTABLE', {
        operator: this.behind.operator,
        input: starts[odd]?.path,
        reason: alike.includes(odd) ? 'one input is split by key, another is not' : 'every instance has to get all of this input',
      })
    return split
  }

  private barrier(input: Input, barrier: CheckpointBarrier): void {
    if (barrier.checkpointId <= this.settled) return
    if (this.rules.atLeastOnce) return this.count(input, barrier)
    if (this.aligning !== undefined && barrier.checkpointId > this.aligning.checkpointId) {
      this.settled = this.aligning.checkpointId
      this.release()
      if (input.blocked) return this.hold(input, barrier)
    }
    if (this.aligning !== undefined && barrier.checkpointId < this.aligning.checkpointId) return
    if (this.aligning === undefined) this.begin(barrier)
    input.delivered = true
    if (this.inFlight === undefined) input.blocked = true
    input.watched = false
    if (!this.inputs.every((each) => each.delivered)) return this.overtakeInTime()
    this.settled = barrier.checkpointId
    const { inFlight } = this
    this.inFlight = undefined
    if (inFlight === undefined) this.behind.barrier(barrier)
    else this.behind.overtaken(barrier, inFlight.stored(this.paths))
    this.release()
  }

  /** The first input has delivered a barrier. */
  private begin(barrier: CheckpointBarrier): void {
    this.aligning = barrier
    if (barrier.aligned || this.rules.overtakesAfterMs === Number.POSITIVE_INFINITY) return
    this.alignedSinceMs = barrier.startedMs ?? this.nowMs
    for (const input of this.inputs) input.watched = true
  }

  /** Inputs have been held back for so long: the barrier overtakes what is still to come before it. */
  private overtakeInTime(): void {
    const { aligning } = this
    if (aligning === undefined || aligning.aligned || this.inFlight !== undefined) return
    if (this.rules.overtakesAfterMs === Number.POSITIVE_INFINITY || this.nowMs - this.alignedSinceMs < this.rules.overtakesAfterMs) return
    this.inFlight = new InFlight(this.rules.codec)
    this.behind.overtake(aligning)
    this.letOn(this.inputs.filter(({ delivered }) => delivered))
  }

  /** An element of an input that has not delivered the barrier under way. */
  private watch(input: Input, element: Element): void {
    this.overtakeInTime()
    const { aligning, inFlight } = this
    if (aligning === undefined || inFlight === undefined || !input.watched) return
    try {
      inFlight.add(input.index, element)
    } catch (cause) {
      return this.giveUp(aligning, cause)
    }
    const max = this.run?.limits.heldElementsMax ?? 0
    if (inFlight.size > max) this.giveUp(aligning, this.tooMuch(aligning, max))
  }

  /** What was captured is of no use: the checkpoint is declined, and what is under way goes on. */
  private giveUp(barrier: CheckpointBarrier, cause: unknown): void {
    this.settled = barrier.checkpointId
    this.inFlight = undefined
    this.behind.giveUp(barrier, cause)
    this.release()
  }

  /** Where nothing is held back: the barrier goes on as the last input delivers it, and older ones are given up. */
  private count(input: Input, barrier: CheckpointBarrier): void {
    const delivered = this.counted.get(barrier.checkpointId) ?? new Set<Input>()
    delivered.add(input)
    this.counted.set(barrier.checkpointId, delivered)
    if (delivered.size === this.inputs.length) {
      this.settle(barrier.checkpointId)
      this.behind.barrier(barrier)
    } else if (this.counted.size > countedBarriersMax) this.settle(Math.min(...this.counted.keys()))
  }

  /** Barriers up to this one are of no interest any more. */
  private settle(checkpointId: number): void {
    this.settled = checkpointId
    for (const counted of [...this.counted.keys()]) if (counted <= checkpointId) this.counted.delete(counted)
  }

  /** The barrier under way has passed or was given up. */
  private release(): void {
    const { aligning, inFlight } = this
    this.aligning = undefined
    this.inFlight = undefined
    this.givenUp = false
    if (aligning !== undefined && inFlight !== undefined) this.behind.giveUp(aligning)
    for (const input of this.inputs) input.delivered = input.watched = false
    this.letOn(this.inputs)
  }

  /** Lets held elements go on, input by input, until each is through or blocked again by a later barrier among them. */
  private letOn(inputs: readonly Input[]): void {
    const queues = inputs.map((input) => {
      input.blocked = false
      const queue = input.held
      input.held = []
      this.heldCount -= queue.length
      return { input, queue }
    })
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
    this.run?.abort(aligning.checkpointId, this.tooMuch(aligning, max))
    this.release()
  }

  private tooMuch({ checkpointId }: CheckpointBarrier, heldElementsMax: number): CheckpointError {
    return new CheckpointError('ALIGNMENT_BUFFER_FULL', { operator: this.behind.operator, checkpointId, heldElementsMax })
  }

  private get paths(): string[] {
    return this.inputs.map(({ index, started }) => started?.path ?? `input ${index}`)
  }

  private get nowMs(): number {
    return this.run?.clock.nowMs() ?? 0
  }

  private complete(input: Input): void {
    input.completed = true
    if (this.inputs.every((each) => each.completed)) this.behind.complete()
  }
}
