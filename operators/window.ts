import type { CodecOf } from '../lib/codec.js'
import type { KeyReadingOperator } from '../lib/element.js'
import type { Emitted, OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { Handles, NoStates, StateDescriptors } from '../lib/state/descriptor.js'
import type { Aggregate } from '../lib/window/aggregate.js'
import type { Assigner } from '../lib/window/assigner.js'
import type { Evictor } from '../lib/window/evictor.js'
import type { Trigger } from '../lib/window/trigger.js'
import { windowMachine } from '../lib/window/windowMachine.js'
import { checkedWindow } from '../lib/window/windowPlan.js'

/** The key and the window that a result is about. */
export interface WindowContext<K, G = unknown, W = unknown> {
  readonly key: K
  readonly start: number
  /** The first moment behind the window. */
  readonly end: number
  /** The event time that the operator has reached. */
  readonly watermark: number
  /** States per key, for all its windows. */
  readonly globalState: Handles<G>
  /** States of the window. */
  readonly windowState: Handles<W>
}

/** What `process` sees of a window. */
export interface ProcessWindowContext<K, G, W> extends WindowContext<K, G, W> {
  emitTo<S>(side: SideOutput<S>, value: NoInfer<S>): void
}

export interface CommonWindowOptions<T, At, L, G, W> {
  readonly assigner: Assigner<T>
  /** When windows emit; default at their end. It replaces the default. */
  readonly trigger?: Trigger<T>
  /** Takes values out of a window when it emits. All its records are then stored, one by one. */
  readonly evictor?: Evictor<T>
  /** For so long after its end a window of event time takes late records, and emits again for each. Default 0. */
  readonly allowedLatenessMs?: number
  /** Takes the records that come too late. Without it they are counted and dropped. */
  readonly late?: SideOutput<L>
  /** States per key that functions use when a window emits. */
  readonly globalState?: G
  /** States per window that they use; freed with the window. Not for windows that merge. */
  readonly windowState?: W
  /** Called when a window is freed. */
  clear?(window: WindowContext<At, G, W>): void
}

export interface WindowOptions<T, A, M, At, R, L, G = unknown, W = unknown> extends CommonWindowOptions<T, At, L, G, W> {
  readonly aggregate: Aggregate<T, A, M>
  /** What the accumulator looks like; default plain data as tagged JSON. */
  readonly state?: CodecOf<A>
  /** What a record looks like, where an evictor makes that they are stored. */
  readonly elements?: CodecOf<T>
  readonly result?: (aggregate: M, window: WindowContext<At, G, W>) => R
}

export interface ReduceWindowOptions<T, At, R, L, G = unknown, W = unknown> extends CommonWindowOptions<T, At, L, G, W> {
  /** Joins two records to one. Pure and associative. */
  reduce(a: T, b: T): T
  /** What a record looks like; default plain data as tagged JSON. */
  readonly elements?: CodecOf<T>
  readonly result?: (reduced: T, window: WindowContext<At, G, W>) => R
}

export interface ProcessWindowOptions<T, At, R, L, G = unknown, W = unknown> extends CommonWindowOptions<T, At, L, G, W> {
  /** All records of the window, in the order of arrival; where sessions became one, those of the earlier session first. */
  process(values: readonly T[], window: ProcessWindowContext<At, G, W>, emit: (...value: Emitted<R>) => void): void | undefined
  /** What a record looks like; default plain data as tagged JSON. */
  readonly elements?: CodecOf<T>
  /** The type of the results: `emits<Result>()`. */
  readonly emits?: OutputType<R>
}

/**
 * Folds the records of each key and window into results.
 *
 * By default a window of event time emits when event time has passed its end. Results carry the last time of the window.
 *
 * **When to use** for figures per hour, per visit, per hundred records. Prefer `aggregate` or `reduce`, which keep one value per
 * window; `process` keeps and sees all records. Windows of event time need `assignTimestamps` before them.
 * **State** one accumulator (or the records) per key and open window, sessions, timers, what triggers remember; owned by `uid`.
 * **Barrier** captures what changed, forwards the barrier, persists in the background, acknowledges.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`, `TRIGGER_CANNOT_MERGE`; `STREAM_NOT_KEYED` without `keyBy` before it
 * @throws StreamError `TIMESTAMP_INVALID` for a record without event time where windows need it
 * @throws RestoreError `STATE_KIND_CHANGED` when stored windows are of another kind or size
 * @example Records per ten milliseconds
 * ```ts
 * const perTen = window('per-ten', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), result: (count, { start }) => [start, count] })
 * await collect(of(1, 5, 12).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'), perTen)) // => [[0, 2], [10, 1]]
 * ```
 * @category windows
 * @since 0.1.0
 */
export function window<
  T,
  A,
  M,
  At extends Key = Key,
  R = M,
  L = unknown,
  G extends StateDescriptors = NoStates,
  W extends StateDescriptors = NoStates,
>(uid: string, options: WindowOptions<T, A, M, At, R, L, G, W>): KeyReadingOperator<T, At, R, L>
export function window<T, At extends Key = Key, R = T, L = unknown, G extends StateDescriptors = NoStates, W extends StateDescriptors = NoStates>(
  uid: string,
  options: ReduceWindowOptions<T, At, R, L, G, W>,
): KeyReadingOperator<T, At, R, L>
export function window<T, At extends Key = Key, R = never, L = unknown, G extends StateDescriptors = NoStates, W extends StateDescriptors = NoStates>(
  uid: string,
  options: ProcessWindowOptions<T, At, R, L, G, W>,
): KeyReadingOperator<T, At, R, L>
export function window(uid: string, options: AnyWindowOptions): never {
  const plan = checkedWindow(options as never, uid)
  const { late } = options
  return operate<unknown, unknown>({
    name: 'window',
    uid: operatorUid(uid),
    keyed: true,
    sides: 'process' in options ? 'any' : late === undefined ? [] : [late as unknown as SideOutput<never>],
    create: (context) => windowMachine(context, plan),
  }) as never
}

type AnyWindowOptions = CommonWindowOptions<unknown, unknown, unknown, StateDescriptors, StateDescriptors>
