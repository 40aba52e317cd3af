import { type Observable, Subject, type Subscription } from 'rxjs'
import {
  CheckpointBarrier,
  type Element,
  EndOfInput,
  RecordElement,
  type StreamElement,
  StreamStart,
  Watermark,
  WatermarkStatus,
} from '../../lib/element.js'
import { unreachable } from '../../lib/errors.js'
import { checkpointId } from '../../lib/identity.js'
import { HandRun } from './handRun.js'

/** Elements that a test hands in, one by one: any operator takes them. */
export type FedStream = Observable<StreamElement<never, never>>

/** Where they are handed in. */
export class HandFeed {
  readonly elements = new Subject<Element>()

  constructor(readonly run: HandRun) {}

  get stream(): FedStream {
    return this.elements as unknown as FedStream
  }

  start(keyed = false, path = 'in'): this {
    return this.send(new StreamStart(this.run, keyed, path))
  }

  record(value: unknown, timestamp?: number, key?: unknown): this {
    return this.send(new RecordElement(value, timestamp, key))
  }

  records(...values: readonly unknown[]): this {
    for (const value of values) this.record(value)
    return this
  }

  watermark(timestampMs: number): this {
    return this.send(new Watermark(timestampMs))
  }

  idle(idle = true): this {
    return this.send(new WatermarkStatus(idle))
  }

  barrier(id: number): this {
    return this.send(new CheckpointBarrier(checkpointId(id)))
  }

  /** The end of a bounded input, or of a stream that is drained. */
  end(drained = false): this {
    return this.watermark(Number.POSITIVE_INFINITY).send(new EndOfInput(drained))
  }

  complete(): this {
    this.elements.complete()
    return this
  }

  send(element: Element): this {
    this.elements.next(element)
    return this
  }
}

/** What came out of an operator: values as they are, control elements as short texts. */
export interface HandOutput {
  readonly seen: unknown[]
  /** The records alone, with key and event time. */
  readonly records: { readonly value: unknown; readonly timestamp: number | undefined; readonly key: unknown }[]
  ending: 'complete' | { readonly error: unknown } | undefined
  readonly subscription: Subscription
}

/** `#1` a barrier, `w5` a watermark, `idle`, `active`, `end`, `drained`. */
export function shown(element: Element): unknown {
  switch (element.kind) {
    case 'start':
      return element.keyed ? 'start keyed' : 'start'
    case 'record':
      return element.value
    case 'watermark':
      return `w${element.timestampMs}`
    case 'status':
      return element.idle ? 'idle' : 'active'
    case 'barrier':
      return `#${element.checkpointId}`
    case 'end':
      return element.drained ? 'drained' : 'end'
    default:
      return unreachable(element)
  }
}

/** Subscribes and notes everything but the start. */
export function noted(stream: Observable<unknown>): HandOutput {
  const seen: unknown[] = []
  const records: HandOutput['records'] = []
  const output: { -readonly [P in keyof HandOutput]: HandOutput[P] } = { seen, records, ending: undefined, subscription: undefined as never }
  output.subscription = (stream as Observable<Element>).subscribe({
    next: (element) => {
      if (element.kind !== 'start') seen.push(shown(element))
      if (element.kind === 'record') records.push({ value: element.value, timestamp: element.timestamp, key: element.key })
    },
    error: (error: unknown) => {
      output.ending = { error }
    },
    complete: () => {
      output.ending = 'complete'
    },
  })
  return output
}

/** An operator with one input, fed by hand in a run of a job. */
export function handFed(operator: (source: FedStream) => Observable<unknown>, run = new HandRun()): HandFeed & { readonly out: HandOutput } {
  const feed = new HandFeed(run)
  return Object.assign(feed, { out: noted(operator(feed.stream)) })
}
