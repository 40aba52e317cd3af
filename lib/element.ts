import type { Observable } from 'rxjs'
import type { CheckpointId } from './identity.js'
import type { Key } from './key.js'
import type { RunContext } from './run.js'

declare const element: unique symbol

/** What flows. Opaque: open one with {@link recordOf}, never with rxjs `map`. */
export interface StreamElement<out T, out K = Unkeyed> {
  readonly [element]: { readonly value: T; readonly key: K }
}

/** The key of a stream before `keyBy`. */
export interface Unkeyed {
  readonly [element]: 'put keyBy(...) before this operator'
}

export type Stream<T> = Observable<StreamElement<T, Unkeyed>>
export type KeyedStream<T, K extends Key = Key> = Observable<StreamElement<T, K>>
export type AnyStream<T = unknown> = Observable<StreamElement<T, unknown>>

/** One record: a value with its event time and its key. */
export interface StreamRecord<out T, out K = unknown> {
  readonly value: T
  readonly key: K
  /** Event time in ms since 1970, or none. */
  readonly timestamp: number | undefined
}

// Operators: K flows through the returned function, so that a stored operator stays generic in the key.
export type AnyKeyOperator<T, R> = <K>(source: Observable<StreamElement<T, K>>) => Observable<StreamElement<R, K>>
export type KeyedOperator<T, R> = <K extends Key>(source: Observable<StreamElement<T, K>>) => Observable<StreamElement<R, K>>
export type KeyedOperatorOn<T, K, R> = (source: Observable<StreamElement<T, K>>) => Observable<StreamElement<R, K>>
/** `At` is the key as the callbacks see it: inferred in a pipe, `Key` when stored. `K` only flows through. */
export type KeyReadingOperator<T, At extends Key, R, Late = unknown> = <K extends At>(
  source: KeyedStream<T, K> & Observable<StreamElement<Late, At>>,
) => KeyedStream<R, K>

/** The mark by which elements know each other, also when two copies of the module are loaded. */
const brand: unique symbol = Symbol.for('rxweir.element') as never

abstract class Branded {
  get [brand](): true {
    return true
  }
}

/** First element of every stream: hands operators the run they belong to. */
export class StreamStart extends Branded {
  readonly kind = 'start'
  constructor(
    readonly run: RunContext,
    /** Whether records carry keys. */
    readonly keyed: boolean,
    /** The way from the source to here, of which operators without a uid make their name. */
    readonly path: string,
    /** The uids of the sources of a job that it comes from. */
    readonly sources: readonly string[] = [],
    /** It comes from a `keyBy`: of several instances of the job each has records of its own. */
    readonly split = false,
    /** Whether it is idle, by the state of who comes before; undefined where nobody knows. A run that goes on from a checkpoint asks. */
    readonly isIdle: () => boolean | undefined = () => undefined,
  ) {
    super()
  }
}

export class RecordElement<T = unknown, K = unknown> extends Branded implements StreamRecord<T, K> {
  readonly kind = 'record'
  constructor(
    readonly value: T,
    readonly timestamp: number | undefined,
    readonly key: K,
  ) {
    super()
  }
}

/** "No record with an event time at or below this is expected." `Infinity` at the end of a bounded input. */
export class Watermark extends Branded {
  readonly kind = 'watermark'
  constructor(readonly timestampMs: number) {
    super()
  }
}

/** This input is idle, or active again: an idle input does not hold event time back. */
export class WatermarkStatus extends Branded {
  readonly kind = 'status'
  constructor(readonly idle: boolean) {
    super()
  }
}

/** In-band mark of checkpoint n. Made by the coordinator alone; no record overtakes it, and it overtakes none unless told. */
export class CheckpointBarrier extends Branded {
  readonly kind = 'barrier'
  constructor(
    readonly checkpointId: CheckpointId,
    /** When the checkpoint began, by the clock of its run. */
    readonly startedMs?: number,
    /** Overtakes nothing, whatever the job says: its checkpoint is one that another program or other instances may go on from. */
    readonly aligned = false,
  ) {
    super()
  }
}

/** A bounded input has ended: flush, then the final checkpoint follows. */
export class EndOfInput extends Branded {
  readonly kind = 'end'
  constructor(
    /** The job was asked to drain: the input may have more, which a later run will read. */
    readonly drained: boolean,
  ) {
    super()
  }
}

/** All that flows through an element stream: a closed union. */
export type Element<T = unknown, K = unknown> = StreamStart | RecordElement<T, K> | Watermark | WatermarkStatus | CheckpointBarrier | EndOfInput

/** Recognises an element of this or of another copy of the module. */
export const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && (value as { readonly [brand]?: true })[brand] === true

/**
 * Opens an element: its record, or undefined when it is a control element.
 *
 * **When to use** to look at an element stream from a plain rxjs operator such as `tap`.
 *
 * @example Looking into a stream
 * ```ts
 * const seen: unknown[] = []
 * await collect(of('a', 'b').pipe(records(), tap((element) => seen.push(recordOf(element)?.value))))
 * seen.filter((value) => value !== undefined) // => ['a', 'b']
 * ```
 * @category elements
 * @since 0.1.0
 */
export function recordOf<T, K>(element: StreamElement<T, K>): StreamRecord<T, K> | undefined {
  return isElement(element) && element.kind === 'record' ? (element as unknown as RecordElement<T, K>) : undefined
}
