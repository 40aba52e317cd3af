import type { Observable } from 'rxjs'
import { type Clock, systemClock } from './clock.js'
import { isDevelopment } from './development.js'
import type { Downstream, Output } from './downstream.js'
import { DriftGroup } from './driftGroup.js'
import { EndOfInput, StreamStart } from './element.js'
import { StreamError } from './errors.js'
import { defaultLimits } from './limits.js'
import type { RunContext } from './run.js'
import { type Attachment, type PlainObserver, type StageLike, subscribePlainly } from './stage.js'
import { heapTables } from './state/heap.js'

export interface RecordsOptions<T> {
  /** The event time of a value, in ms since 1970. */
  readonly timestamp?: (value: T) => number
  /** What time is it, for operators that wait; default the machine's. */
  readonly clock?: Clock
}

/** The beginning of a stream outside a job: each subscription is a run of its own, without checkpoints. */
export class RecordsStage<T> implements StageLike {
  readonly tags = []

  constructor(
    private readonly source: Observable<T>,
    private readonly options: RecordsOptions<T>,
  ) {}

  attach(downstream: Downstream, _output: Output, attachment: Attachment): void {
    const feed = new RecordsFeed(downstream, this.options)
    attachment.upstream = feed
    feed.begin(this.source)
  }
}

/** One subscription. What arrives while a record is processed waits: a feedback loop cannot overtake it. */
class RecordsFeed<T> {
  private readonly waiting: (() => void)[] = []
  private busy = false
  private closed = false
  private unsubscribe: (() => void) | undefined

  constructor(
    private readonly downstream: Downstream,
    private readonly options: RecordsOptions<T>,
  ) {}

  begin(source: Observable<T>): void {
    this.enter(() => this.downstream.start(new StreamStart(this.run(), false, 'records')))
    if (this.closed) return
    const receiver = this.downstream.receiver()
    const { timestamp } = this.options
    const observer: PlainObserver<T> = {
      next: (value) => {
        if (this.busy) this.enter(() => receiver.processRecord(value, timestamp?.(value), undefined))
        else {
          this.busy = true
          try {
            receiver.processRecord(value, timestamp?.(value), undefined)
            this.drain()
          } catch (error) {
            this.fail(error)
          } finally {
            this.busy = false
          }
        }
      },
      error: (error) => this.fail(error),
      complete: () =>
        this.enter(() => {
          this.downstream.watermark(Number.POSITIVE_INFINITY)
          this.downstream.end(new EndOfInput(false))
          this.downstream.complete()
        }),
    }
    subscribePlainly(source, observer, (release) => {
      this.unsubscribe = release
    })
  }

  release(): void {
    this.closed = true
    this.unsubscribe?.()
  }

  private enter(work: () => void): void {
    if (this.busy) {
      if (this.waiting.length >= defaultLimits.entryQueueMax)
        this.fail(new StreamError('ENTRY_QUEUE_FULL', { operator: 'records', entryQueueMax: defaultLimits.entryQueueMax }))
      else this.waiting.push(work)
      return
    }
    this.busy = true
    try {
      work()
      this.drain()
    } catch (error) {
      this.fail(error)
    } finally {
      this.busy = false
    }
  }

  private drain(): void {
    for (let work = this.waiting.shift(); work !== undefined && !this.closed; work = this.waiting.shift()) work()
  }

  private fail(error: unknown): void {
    if (this.closed) return
    this.release()
    this.downstream.error(error)
  }

  private run(): RunContext {
    return {
      kind: 'local',
      clock: this.options.clock ?? systemClock,
      limits: defaultLimits,
      state: heapTables,
      development: isDevelopment(),
      register: (participant) => participant.uid,
      acknowledge() {},
      decline() {},
      abort() {},
      fail: (error) => this.fail(error),
      post: (work) => this.enter(work),
      pause: () => () => {},
      driftGroup: () => new DriftGroup(),
      report() {},
    }
  }
}
