/**
 * One history played twice, in virtual time: to an operator of ours by its elements, and to one of RxJS by its notifications.
 */
import {
  filter,
  groupBy,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  ReplaySubject,
  Subject,
  takeUntil,
  VirtualAction,
  VirtualTimeScheduler,
} from 'rxjs'
import { schedulerClock } from '../lib/clock.js'
import { DriftGroup } from '../lib/driftGroup.js'
import { type AnyStream, type Element, EndOfInput, RecordElement, StreamStart, Watermark } from '../lib/element.js'
import { defaultLimits } from '../lib/limits.js'
import type { RunContext } from '../lib/run.js'
import { heapTables } from '../lib/state/heap.js'
import type { TwinEvent } from './twinHistory.js'

/** What an operator let out, and when. */
export interface Notified {
  readonly atMs: number
  readonly kind: 'next' | 'error' | 'complete'
  readonly key: unknown
  readonly value: unknown
}

/** What was seen of one of the two. */
export interface Played {
  readonly notified: readonly Notified[]
  /** Inputs that it still listens to. */
  readonly listens: readonly boolean[]
}

/** Timers may go on for ever: nobody looks behind this time after the last event. */
const horizonMs = 500

interface Taking<T> {
  value(event: TwinEvent<T> & { readonly kind: 'value' }): void
  end(input: number): void
  error(input: number, error: unknown): void
}

/** Plays a history in virtual time. The operator is made at time 0, before the first event. */
function play<T>(events: readonly TwinEvent<T>[], failure: unknown, make: (scheduler: VirtualTimeScheduler) => Taking<T>): void {
  const lastMs = events.reduce((sum, { afterMs }) => sum + afterMs, 0)
  const scheduler = new VirtualTimeScheduler(VirtualAction, lastMs + horizonMs)
  let taking: Taking<T> | undefined
  // Before what the operator itself asks of time: at one instant, events come first for both.
  let atMs = 0
  for (const event of events) {
    atMs += event.afterMs
    scheduler.schedule(() => {
      if (event.kind === 'value') taking?.value(event)
      else if (event.kind === 'end') taking?.end(event.input)
      else taking?.error(event.input, failure)
    }, atMs)
  }
  taking = make(scheduler)
  scheduler.flush()
}

/** Notes what comes, and when. An error of an input behind the end ends a job, and is none of the operator. */
function noting(scheduler: VirtualTimeScheduler, notified: Notified[]): (kind: Notified['kind'], key: unknown, value: unknown) => void {
  let over = false
  return (kind, key, value) => {
    if (over && kind === 'error') return
    if (kind !== 'next') over = true
    notified.push({ atMs: scheduler.now(), kind, key, value })
  }
}

export interface RxjsPlayed<T, R> {
  readonly operator: (scheduler: VirtualTimeScheduler, ...others: Observable<T>[]) => OperatorFunction<T, R>
  readonly inputs: number
  readonly keyed: boolean
  readonly events: readonly TwinEvent<T>[]
  readonly failure: unknown
}

/** RxJS's operator; with keys, in each group of `groupBy`. */
export function playRxjs<T, R>({ operator, inputs, keyed, events, failure }: RxjsPlayed<T, R>): Played {
  const notified: Notified[] = []
  const subjects = Array.from({ length: inputs }, () => new Subject<T>())
  play(events, failure, (scheduler) => {
    const note = noting(scheduler, notified)
    const all = keyed ? new Grouped<T>(inputs) : undefined
    const [first, ...others] = subjects as [Subject<T>, ...Subject<T>[]]
    const results: Observable<readonly [unknown, R]> =
      all?.results((sources) => sources[0].pipe(operator(scheduler, ...sources.slice(1)))) ??
      first.pipe(
        operator(scheduler, ...others),
        map((value) => [undefined, value]),
      )
    results.subscribe({
      next: ([key, value]) => note('next', key, value),
      error: (error: unknown) => note('error', undefined, error),
      complete: () => note('complete', undefined, undefined),
    })
    return {
      value: (event) => (all === undefined ? subjects[event.input]?.next(event.value) : all.value(event)),
      end: (input) => (all === undefined ? subjects[input]?.complete() : all.end(input)),
      error: (input, error) => (all === undefined ? subjects[input]?.error(error) : all.error(error)),
    }
  })
  return { notified, listens: subjects.map(({ observed }) => observed) }
}

/** `groupBy` and an operator in each group, which sees as many inputs as there are. */
class Grouped<T> {
  private readonly events = new Subject<TwinEvent<T> & { readonly kind: 'value' }>()
  private readonly ends: ReplaySubject<void>[]
  private open: number

  constructor(private readonly inputs: number) {
    this.open = inputs
    this.ends = Array.from({ length: inputs }, () => new ReplaySubject<void>(1))
  }

  results<R>(apply: (sources: [Observable<T>, ...Observable<T>[]]) => Observable<R>): Observable<readonly [unknown, R]> {
    return this.events.pipe(
      groupBy(({ key }) => key),
      mergeMap((group) => {
        const sources = this.ends.map((end, input) => {
          const source = group.pipe(
            filter((event) => event.input === input),
            map(({ value }) => value),
          )
          return this.inputs === 1 ? source : source.pipe(takeUntil(end))
        })
        return apply(sources as [Observable<T>, ...Observable<T>[]]).pipe(map((value) => [group.key, value] as const))
      }),
    )
  }

  value(event: TwinEvent<T> & { readonly kind: 'value' }): void {
    this.events.next(event)
  }

  end(input: number): void {
    this.ends[input]?.next()
    this.open -= 1
    if (this.open === 0) this.events.complete()
  }

  error(error: unknown): void {
    this.events.error(error)
  }
}

export interface TwinPlayed<T> {
  readonly apply: (inputs: readonly Observable<never>[]) => AnyStream
  readonly inputs: number
  readonly keyed: boolean
  readonly kind: RunContext['kind']
  readonly events: readonly TwinEvent<T>[]
  readonly failure: unknown
}

/** Our operator, in a run of a job or outside of one. */
export function playTwin<T>({ apply, inputs, keyed, kind, events, failure }: TwinPlayed<T>): Played {
  const notified: Notified[] = []
  const subjects = Array.from({ length: inputs }, () => new Subject<Element>())
  play(events, failure, (scheduler) => {
    const note = noting(scheduler, notified)
    let failed = false
    const fail = (error: unknown): void => {
      if (!failed) note('error', undefined, error)
      failed = true
    }
    const opened: (() => void)[] = []
    const run = twinRun(kind, scheduler, fail, (open) => opened.push(open))
    const subscription = (apply(subjects as unknown as readonly Observable<never>[]) as unknown as Observable<Element>).subscribe({
      next: (element) => {
        if (failed) return
        if (element.kind === 'record') note('next', element.key, element.value)
        if (element.kind === 'end') note('complete', undefined, undefined)
      },
      error: fail,
    })
    for (const [index, subject] of subjects.entries()) subject.next(new StreamStart(run, keyed, `in${index}`))
    for (const open of opened) open()
    return {
      value: ({ input, key, value }) => subjects[input]?.next(new RecordElement(value, undefined, keyed ? key : undefined)),
      end(input) {
        subjects[input]?.next(new Watermark(Number.POSITIVE_INFINITY))
        subjects[input]?.next(new EndOfInput(false))
        if (kind === 'local') subjects[input]?.complete()
      },
      error(input, error) {
        subjects[input]?.error(error)
        if (kind === 'job') subscription.unsubscribe()
      },
    }
  })
  return { notified, listens: subjects.map(({ observed }) => observed) }
}

function twinRun(
  kind: RunContext['kind'],
  scheduler: VirtualTimeScheduler,
  fail: (error: unknown) => void,
  opens: (open: () => void) => void,
): RunContext {
  return {
    kind,
    clock: schedulerClock(scheduler),
    limits: defaultLimits,
    state: heapTables,
    development: true,
    register(participant) {
      if (kind === 'job') opens(() => participant.open())
      return participant.uid
    },
    acknowledge() {},
    decline() {},
    abort() {},
    fail,
    post: (work) => work(),
    pause: () => () => {},
    driftGroup: () => new DriftGroup(),
    report() {},
  }
}
