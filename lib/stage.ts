/**
 * One operator in one pipeline: where it reads from, and its runs.
 *
 * A stage is assembled once and started for each run. Whoever subscribes before its stream has begun becomes one more output
 * of the same machine (a fork); outside a job a later subscription is a run of its own, as with any cold Observable.
 */
import { type Observable, Subscriber } from 'rxjs'
import { assembled } from './assembly.js'
import type { Downstream, Output, Upstream } from './downstream.js'
import { StreamError } from './errors.js'
import type { OperatorSpec } from './machine.js'
import { PlainPort } from './plainPort.js'
import { StageRun } from './stageRun.js'

/** The mark on an Observable that leads to the stage behind it, so that two operators in a row are chained. */
const stageMark: unique symbol = Symbol.for('rxweir.stage') as never

/** Something that elements come from: an operator, or the source of a run. */
export interface StageLike {
  /** Adds an output. Elements may arrive before this returns. */
  attach(downstream: Downstream, output: Output, sink: Attachment): void
  /** The tags of side outputs that may be tapped here. */
  readonly tags: readonly string[] | 'any'
}

/** Filled while attaching, before the first element: how to let go again. */
export interface Attachment {
  upstream: Upstream | undefined
}

export const stageOf = (stream: Observable<unknown>): StageLike | undefined => (stream as { readonly [stageMark]?: StageLike })[stageMark]

export function markStage<T extends Observable<unknown>>(stream: T, stage: StageLike): T {
  Object.defineProperty(stream, stageMark, { value: stage })
  return stream
}

export class Stage implements StageLike {
  readonly tags: readonly string[] | 'any'
  private current: StageRun | undefined

  constructor(
    private readonly spec: OperatorSpec<never, never>,
    private readonly sources: readonly Observable<unknown>[],
  ) {
    this.tags = spec.sides === 'any' ? 'any' : (spec.sides ?? []).map(({ tag }) => tag)
    assembled(spec.uid)
  }

  attach(downstream: Downstream, output: Output, attachment: Attachment): void {
    if (this.current !== undefined && !this.current.begun) {
      attachment.upstream = this.current
      this.current.addOutput(downstream, output)
      return
    }
    if (this.current?.inJob === true) throw new StreamError('SUBSCRIBED_AGAIN', { operator: this.spec.uid ?? this.spec.name })
    const run = new StageRun(this.spec, this.sources.length)
    this.current = run
    attachment.upstream = run
    run.addOutput(downstream, output)
    this.sources.forEach((source, index) => {
      if (run.released) return
      const operator = this.spec.uid ?? this.spec.name
      connect(source, { operator, into: run.port(index), fail: (error) => run.fail(error), onRelease: (release) => run.feedFrom(release) })
    })
  }
}

export interface Connection {
  /** Names the operator behind, for messages. */
  readonly operator: string
  readonly into: Downstream
  fail(error: unknown): void
  /** Handed the way to let go again, before the first element. */
  onRelease(release: () => void): void
}

/** Subscribes a downstream to a stream: directly to the stage behind it, or, across rxjs operators, as a plain subscriber. */
export function connect(source: Observable<unknown>, { operator, into, fail, onRelease }: Connection): void {
  const stage = stageOf(source)
  if (stage === undefined) return subscribePlainly(source, new PlainPort(operator, into, fail), onRelease)
  const attachment: Attachment = { upstream: undefined }
  onRelease(() => attachment.upstream?.release(into))
  stage.attach(into, 'main', attachment)
}

export interface PlainObserver<T> {
  next(value: T): void
  error(error: unknown): void
  complete(): void
}

/** Subscribes in a way that a synchronous source stops as soon as the subscription is given up, even before `subscribe` returned. */
export function subscribePlainly<T>(source: Observable<T>, observer: PlainObserver<T>, onRelease: (release: () => void) => void): void {
  const subscriber = new Subscriber<T>(observer as never)
  onRelease(() => subscriber.unsubscribe())
  source.subscribe(subscriber)
}
