/**
 * From machines to pipeable operators. The only file that constructs an Observable.
 *
 * Two things that a hand-written `new Observable` gets wrong are right here, once: a synchronous source stops as soon as nobody
 * listens any more (`take(2)`), and a user function that throws ends the stream in `error`, with the user's own error.
 */
import { Observable, type Subscriber } from 'rxjs'
import { type Output, toSubscriber, toValues } from './downstream.js'
import type { AnyStream, Element, Stream, StreamElement } from './element.js'
import { ConfigurationError } from './errors.js'
import type { OperatorSpec } from './machine.js'
import { type RecordsOptions, RecordsStage } from './recordsStage.js'
import type { SideOutput } from './sideOutput.js'
import { type Attachment, connect, markStage, Stage, type StageLike, stageOf } from './stage.js'

/** Makes an Observable of a function that subscribes. For the core only: everything else is an operator. */
export const observable = <T>(subscribe: (subscriber: Subscriber<T>) => () => void): Observable<T> =>
  new Observable((subscriber) => subscribe(subscriber))

/** The stream of one output of a stage. */
export function streamOf<E>(stage: StageLike, output: Output = 'main'): Observable<E> {
  const stream = new Observable<E>((subscriber) => {
    const downstream = toSubscriber(subscriber as unknown as Subscriber<Element>)
    const attachment: Attachment = { upstream: undefined }
    subscriber.add(() => attachment.upstream?.release(downstream))
    try {
      stage.attach(downstream, output, attachment)
    } catch (error) {
      subscriber.error(error)
    }
  })
  return output === 'main' ? markStage(stream, stage) : markStage(stream, sideStage(stage, output))
}

/** A side output as the beginning of a stream of its own, so that the next operator is chained to it. */
const sideStage = (stage: StageLike, output: Output): StageLike => ({
  tags: [],
  attach: (downstream, _main, attachment) => stage.attach(downstream, output, attachment),
})

/**
 * Makes a pipeable operator of a machine.
 *
 * **When to use** to write an operator of your own: it gets state, timers, barriers and the laws in the same way as ours.
 * **Barrier** the operator is captured, the barrier is forwarded, the capture is acknowledged; the machine has no part in it.
 *
 * @param spec - the operator: its name, its uid if it has state, and how to make its machine
 * @param others - further inputs; the source that it is piped behind is input 0
 * @example An operator of one's own
 * ```ts
 * const shout = operate<string, string>({
 *   name: 'shout',
 *   create: ({ output }) => ({ processRecord: (value, timestamp, key) => output.processRecord(value.toUpperCase(), timestamp, key) }),
 * })
 * await collect(of('a', 'b').pipe(records(), shout)) // => ['A', 'B']
 * ```
 * @category elements
 * @since 0.1.0
 */
export const operate =
  <T, R>(spec: OperatorSpec<T, R>, others: readonly Observable<unknown>[] = []) =>
  <K>(source: Observable<StreamElement<T, K>>): Observable<StreamElement<R, K>> =>
    streamOf(new Stage(spec as OperatorSpec<never, never>, [source, ...others]))

/** Opens a stream of plain values as a stream of records. */
export const openRecords =
  <T>(options: RecordsOptions<T>) =>
  (source: Observable<T>): Stream<T> =>
    streamOf(new RecordsStage(source, options))

/** Closes a stream of records to a stream of plain values. */
export const closeToValues = <T>(source: AnyStream<T>): Observable<T> =>
  new Observable<T>((subscriber) => {
    const downstream = toValues(subscriber as Subscriber<unknown>)
    try {
      connect(source, {
        operator: 'values',
        into: downstream,
        fail: (error) => subscriber.error(error),
        onRelease: (release) => subscriber.add(release),
      })
    } catch (error) {
      subscriber.error(error)
    }
  })

/** The stream of a side output, directly at the operator that emits it. */
export function sideStream<S>(source: AnyStream, side: SideOutput<S>): Stream<S> {
  const stage = stageOf(source)
  if (stage === undefined || !stage.tags.includes(side.tag))
    throw new ConfigurationError('SIDE_OUTPUT_UNREACHABLE', { tag: side.tag, ...(stage === undefined ? {} : { emitted: stage.tags }) })
  return streamOf(stage, side)
}
