import type { Observable } from 'rxjs'
import type { CodecOf } from '../lib/codec.js'
import type { KeyedOperatorOn, StreamElement } from '../lib/element.js'
import type { Emitted, OutputType } from '../lib/emits.js'
import type { Key } from '../lib/key.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { NoStates } from '../lib/state/descriptor.js'
import type { Assigner } from '../lib/window/assigner.js'
import type { Evictor } from '../lib/window/evictor.js'
import { type FirstOrSecond, firstOrSecondCodec } from '../lib/window/firstOrSecond.js'
import type { Trigger } from '../lib/window/trigger.js'
import { mapValues } from './mapValues.js'
import { union } from './union.js'
import { type ProcessWindowContext, type ProcessWindowOptions, window } from './window.js'

/** Windows of two streams. Whatever sees a record there also sees which of the streams it is from. */
export interface CoGroupOptions<T, U> {
  readonly assigner: Assigner<NoInfer<FirstOrSecond<T, U>>>
  /** When windows emit; default at their end. It replaces the default. */
  readonly trigger?: Trigger<NoInfer<FirstOrSecond<T, U>>>
  /** Takes records out of a window when it emits. */
  readonly evictor?: Evictor<NoInfer<FirstOrSecond<T, U>>>
  /** For so long after its end a window of event time takes late records, and emits again for each. Default 0. */
  readonly allowedLatenessMs?: number
  /** Takes the records that come too late. Without it they are counted and dropped. */
  readonly late?: SideOutput<NoInfer<FirstOrSecond<T, U>>>
  /** What the records look like; default plain data as tagged JSON. */
  readonly first?: CodecOf<T>
  readonly second?: CodecOf<U>
}

/** The key and the window of a group, and the way to side outputs. */
export type GroupContext<K> = Omit<ProcessWindowContext<K, NoStates, NoStates>, 'globalState' | 'windowState'>

/**
 * Gives the records of two keyed streams to a function, window by window.
 *
 * Flink's `coGroup`. One side may be empty; results carry the last time of the window.
 *
 * **When to use** for outer joins, and to compare what two streams had in an hour; for all pairs there is {@link windowJoin}.
 * **State** all records of open windows, timers, what the trigger remembers; owned by `uid`.
 * **Barrier** an input that has delivered it is held back until both have; then as {@link window}.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - the second stream, with the same kind of key
 * @param group - sees the records of a key and window, those of each stream in the order of arrival
 * @throws ConfigurationError as {@link window} does; `STREAM_NOT_KEYED` unless both streams have keys
 * @throws StreamError `TIMESTAMP_INVALID` for a record without event time where windows need it
 * @example How many records each stream had per ten milliseconds
 * ```ts
 * const second = of(3, 21).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'))
 * const options = { assigner: tumbling({ sizeMs: 10 }), emits: emits<number[]>() }
 * const counts = coGroup('counts', second, options, (a: readonly number[], b, { start }, emit) => emit([start, a.length, b.length]))
 * await collect(of(1, 5).pipe(records({ timestamp: (at) => at }), keyBy(() => 'all'), counts)) // => [[0, 2, 1], [20, 0, 1]]
 * ```
 * @category windows
 * @since 0.2.0
 */
export function coGroup<T, U, At extends Key = Key, R = never>(
  uid: string,
  other: Observable<StreamElement<U, NoInfer<At>>>,
  options: CoGroupOptions<T, U> & { readonly emits?: OutputType<R> },
  group: (first: readonly T[], second: readonly U[], window: GroupContext<At>, emit: (...result: Emitted<R>) => void) => void | undefined,
): KeyedOperatorOn<T, At, R> {
  const { first, second, ...windows } = options
  const request: ProcessWindowOptions<FirstOrSecond<T, U>, At, R, FirstOrSecond<T, U>, NoStates, NoStates> = {
    ...windows,
    elements: firstOrSecondCodec(first, second, { uid }),
    process: (held, context, emit) => group(of<T, U, T>(held, 'first'), of<T, U, U>(held, 'second'), context, emit),
  }
  // Whatever its key is: that it is of this kind is asked of both streams.
  const grouped = window(uid, request) as unknown as KeyedOperatorOn<FirstOrSecond<T, U>, At, R>
  const tagged = mapValues((value: T): FirstOrSecond<T, U> => ({ from: 'first', value }))
  const otherTagged = other.pipe(mapValues((value: U): FirstOrSecond<T, U> => ({ from: 'second', value })))
  return (source) => source.pipe(tagged, union(otherTagged), grouped)
}

/** What a window holds of one stream. */
const of = <T, U, V extends T | U>(held: readonly FirstOrSecond<T, U>[], side: FirstOrSecond<T, U>['from']): readonly V[] =>
  held.flatMap(({ from, value }) => (from === side ? [value as V] : []))
