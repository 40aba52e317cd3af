/** From marks to elements and back, within the one run that all diagrams of a test share. */
import { type Observable, ReplaySubject } from 'rxjs'
import {
  type AnyStream,
  CheckpointBarrier,
  type Element,
  EndOfInput,
  RecordElement,
  type StreamElement,
  StreamStart,
  Watermark,
  WatermarkStatus,
} from '../../lib/element.js'
import { type CheckpointId, checkpointId } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import { observable } from '../../lib/operate.js'
import { FedRun, type FedRunOptions } from '../harness/fedRun.js'
import type { Kept } from '../operatorRun.js'
import { barrierMark, Mark, statusMark, watermarkMark } from './marbles.js'

/** What a record is beside its value. */
export interface Recorded<T> {
  readonly key?: ((value: T) => Key) | undefined
  readonly timestamp?: ((value: T) => number) | undefined
}

export class MarbleFeed {
  readonly kept = new Map<number, Kept>()
  private readonly pending = new Set<CheckpointId>()
  /** Of a run in a job nobody downstream hears that it has failed: whoever looks at an output is told here. */
  private readonly failures = new ReplaySubject<never>()
  private readonly run: FedRun
  private inputs = 0

  constructor(options: Omit<FedRunOptions, 'failed'>) {
    this.run = new FedRun({ ...options, failed: (error) => this.failures.error(error) })
  }

  /** Opens marks as an input of the run. Operators open when the first mark comes: by then all have started. */
  opened<T, K>(marks: Observable<unknown>, { key, timestamp }: Recorded<T>): Observable<StreamElement<T, K>> {
    return observable<Element>((subscriber) => {
      const { run } = this
      const send = (...elements: readonly Element[]): void => {
        run.enter(() => {
          run.open()
          for (const element of elements) subscriber.next(element)
        })
        this.keep()
      }
      this.inputs += 1
      subscriber.next(new StreamStart(run, key !== undefined, `input${this.inputs - 1}`))
      const subscription = marks.subscribe({
        next: (mark) => send(mark instanceof Mark ? this.elementOf(mark) : new RecordElement(mark, timestamp?.(mark as T), key?.(mark as T))),
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          send(new Watermark(Number.POSITIVE_INFINITY), new EndOfInput(false))
          subscriber.complete()
        },
      })
      return () => subscription.unsubscribe()
    }) as unknown as Observable<StreamElement<T, K>>
  }

  /** Shows elements as marks. The start is nothing that one sees, and the end is the `|`. */
  shown(stream: AnyStream): Observable<unknown> {
    return observable((subscriber) => {
      subscriber.add(this.failures.subscribe(subscriber))
      const subscription = (stream as unknown as Observable<Element>).subscribe({
        next: (element) => {
          if (element.kind !== 'start' && element.kind !== 'end' && !isLast(element)) subscriber.next(markOf(element))
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
      return () => subscription.unsubscribe()
    })
  }

  private elementOf({ mark }: Mark): Element {
    const [kind, number] = mark.split(' ')
    switch (kind) {
      case 'barrier': {
        const id = checkpointId(Number(number))
        this.pending.add(id)
        return new CheckpointBarrier(id)
      }
      case 'watermark':
        return new Watermark(Number(number))
      default:
        return new WatermarkStatus(kind === 'idle')
    }
  }

  /** Takes what operators have acknowledged; with several inputs that is when the last barrier has come. */
  private keep(): void {
    for (const id of this.pending)
      if (this.run.isAcknowledged(id)) {
        this.kept.set(id, this.run.take(id))
        this.pending.delete(id)
      }
  }
}

const isLast = (element: Element): boolean => element.kind === 'watermark' && element.timestampMs === Number.POSITIVE_INFINITY

function markOf(element: Element): unknown {
  switch (element.kind) {
    case 'record':
      return element.value
    case 'barrier':
      return barrierMark(element.checkpointId)
    case 'watermark':
      return watermarkMark(element.timestampMs)
    case 'status':
      return statusMark(element.idle)
    default:
      return element
  }
}
