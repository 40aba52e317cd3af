import type { Handles, StateDescriptors } from '../state/descriptor.js'
import type { Timers } from '../state/timers.js'
import type { TimeWindow } from './timeWindow.js'

/** What becomes of a window: `fire` emits and keeps what it holds, `purge` empties it. */
export type Decision = 'continue' | 'fire' | 'purge' | 'fireAndPurge'

/** What a trigger sees: states and timers of the current key and window. */
export interface TriggerContext<D> {
  readonly state: Handles<D>
  readonly timers: Timers
}

export interface MergeContext<D> extends TriggerContext<D> {
  /** Joins a state of the windows that were merged into that of the new one: a list, or one that reduces or aggregates. */
  mergeState(name: keyof D & string): void
}

/**
 * When windows emit.
 *
 * Triggers are values without memory of their own: what they remember is in `state`, per key and window.
 */
export interface Trigger<in T = unknown, D extends StateDescriptors = StateDescriptors> {
  /** What it remembers per key and window. It is cleared with the window. */
  readonly state?: D
  /** Called for each record, after the window has taken it. `timestamp` is its event time, if it has one. */
  onElement(value: T, timestamp: number | undefined, window: TimeWindow, context: TriggerContext<D>): Decision
  /** A timer of event time, its own or that of the clean-up; absent: continue. */
  onEventTime?(atMs: number, window: TimeWindow, context: TriggerContext<D>): Decision
  onProcessingTime?(atMs: number, window: TimeWindow, context: TriggerContext<D>): Decision
  /** Several windows became this one. Where it is absent, the trigger cannot be used with windows that merge. */
  onMerge?(window: TimeWindow, context: MergeContext<D>): void
  /** The window ends, or was merged into another: take back timers. */
  clear?(window: TimeWindow, context: TriggerContext<D>): void
}

/**
 * Names the types of a trigger of your own.
 *
 * @example A trigger that emits at each value above a bound
 * ```ts
 * const above = (bound: number) => trigger({ onElement: (value: number) => (value > bound ? 'fireAndPurge' : 'continue') })
 * const runs = window('runs', { assigner: globalWindow(), trigger: above(5), reduce: (a: number, b: number) => a + b })
 * await collect(of(1, 2, 9, 3, 7).pipe(records(), keyBy(() => 'all'), runs)) // => [12, 10]
 * ```
 * @category windows
 * @since 0.2.0
 */
export const trigger = <T, D extends StateDescriptors>(made: Trigger<T, D>): Trigger<T, D> => made

export const fires = (decision: Decision): boolean => decision === 'fire' || decision === 'fireAndPurge'
export const purges = (decision: Decision): boolean => decision === 'purge' || decision === 'fireAndPurge'

/** Lets a trigger take back its timers, and clears what it remembers of the window. */
export function clearTrigger<T, D extends StateDescriptors>(made: Trigger<T, D>, window: TimeWindow, context: TriggerContext<D>): void {
  made.clear?.(window, context)
  for (const name in made.state) (context.state[name] as { clear(): void }).clear()
}
