/**
 * The input of an operator that stands behind a plain Observable: whatever rxjs operator is in between, it has to pass every
 * element on, once, in order.
 *
 * **Invariants** The first element is the start of the stream, and the only one. An element that arrives while an earlier one
 * is still being processed (a feedback through a Subject) waits in a queue, so it can neither change the current key nor
 * overtake a barrier. Completion without the end of input is an error: somebody cut the stream.
 */
import type { Downstream } from './downstream.js'
import { type Element, isElement, type StreamStart } from './element.js'
import { StreamError, unreachable } from './errors.js'
import type { Receiver } from './machine.js'

export class PlainPort {
  private started: StreamStart | undefined
  private receiver: Receiver<unknown> | undefined
  private readonly waiting: unknown[] = []
  private busy = false
  private ended = false
  private lastBarrier = 0

  constructor(
    /** Names the operator behind, for messages. */
    private readonly operator: string,
    private readonly into: Downstream,
    private readonly fail: (error: unknown) => void,
  ) {}

  next(element: unknown): void {
    if (this.busy) {
      const max = this.started?.run.limits.entryQueueMax ?? 0
      if (this.waiting.length >= max) this.fail(new StreamError('ENTRY_QUEUE_FULL', { operator: this.operator, entryQueueMax: max }))
      else this.waiting.push(element)
      return
    }
    this.busy = true
    try {
      this.receive(element)
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) this.receive(next)
    } catch (error) {
      this.fail(error)
    } finally {
      this.busy = false
    }
  }

  error(error: unknown): void {
    this.fail(error)
  }

  complete(): void {
    if (this.ended) this.into.complete()
    else this.fail(new StreamError('INPUT_CUT', { operator: this.operator }))
  }

  private receive(element: unknown): void {
    if (this.receiver !== undefined && isElement(element)) this.dispatch(element, this.receiver)
    else if (isElement(element) && element.kind === 'start') {
      this.started = element
      this.into.start(element)
      this.receiver = this.into.receiver()
    } else throw new StreamError('STREAM_NOT_STARTED', { operator: this.operator, found: isElement(element) ? element.kind : typeof element })
  }

  private dispatch(element: Element, receiver: Receiver<unknown>): void {
    switch (element.kind) {
      case 'record':
        return receiver.processRecord(element.value, element.timestamp, element.key)
      case 'watermark':
        return this.into.watermark(element.timestampMs)
      case 'status':
        return this.into.status(element.idle)
      case 'barrier':
        if (element.checkpointId <= this.lastBarrier)
          throw new StreamError('BARRIER_REPEATED', { operator: this.operator, found: element.checkpointId, expected: `above ${this.lastBarrier}` })
        this.lastBarrier = element.checkpointId
        return this.into.barrier(element)
      case 'end':
        this.ended = true
        return this.into.end(element)
      case 'start':
        throw new StreamError('STREAM_STARTED_TWICE', { operator: this.operator })
      default:
        return unreachable(element)
    }
  }
}
