import type { Subscriber } from 'rxjs'
import { type CheckpointBarrier, type Element, type EndOfInput, RecordElement, type StreamStart, Watermark, WatermarkStatus } from './element.js'
import type { Receiver } from './machine.js'

/** Where an operator's output leads: the next operator of the chain, one input of a junction, or a plain subscriber. */
export interface Downstream<T = unknown> {
  /** The stream begins. Afterwards `receiver` is there. */
  start(start: StreamStart): void
  /** Where records go, directly. */
  receiver(): Receiver<T>
  watermark(timestampMs: number): void
  status(idle: boolean): void
  barrier(barrier: CheckpointBarrier): void
  end(end: EndOfInput): void
  complete(): void
  error(error: unknown): void
}

/** Which output of an operator: the main one, or a side output. */
export type Output = 'main' | { readonly tag: string }

/** Something that feeds a downstream, and stops when that one wants no more. */
export interface Upstream {
  release(downstream: Downstream): void
}

/** Leads to a plain subscriber: whoever pipes an rxjs operator behind ours sees elements. */
export const toSubscriber = (subscriber: Subscriber<Element>): Downstream => ({
  start: (start) => subscriber.next(start),
  receiver: () => ({ processRecord: (value, timestamp, key) => subscriber.next(new RecordElement(value, timestamp, key)) }),
  watermark: (timestampMs) => subscriber.next(new Watermark(timestampMs)),
  status: (idle) => subscriber.next(new WatermarkStatus(idle)),
  barrier: (barrier) => subscriber.next(barrier),
  end: (end) => subscriber.next(end),
  complete: () => subscriber.complete(),
  error: (error) => subscriber.error(error),
})

/** Leads out of the element stream: a plain subscriber sees values. */
export const toValues = (subscriber: Subscriber<unknown>): Downstream => ({
  start() {},
  receiver: () => ({ processRecord: (value) => subscriber.next(value) }),
  watermark() {},
  status() {},
  barrier() {},
  end() {},
  complete: () => subscriber.complete(),
  error: (error) => subscriber.error(error),
})

/** Gives each of several receivers every record. */
export function fanOut<T>(receivers: readonly Receiver<T>[]): Receiver<T> {
  const [first, second] = receivers
  if (first === undefined) return { processRecord() {} }
  if (second === undefined) return first
  return {
    processRecord(value, timestamp, key) {
      for (const receiver of receivers) receiver.processRecord(value, timestamp, key)
    },
  }
}
