import type { TimeWindow } from './timeWindow.js'

/** A value in a window, with its event time if it has one. */
export interface Timed<out T> {
  readonly value: T
  readonly timestamp: number | undefined
}

/**
 * Takes values out of a window, for good, when it emits.
 *
 * Each function is given what the window holds, in the order of arrival, and returns those of it that stay.
 */
export interface Evictor<in T> {
  /** Before the result is made: it is made of what stays. */
  before?(held: readonly Timed<T>[], window: TimeWindow): readonly Timed<unknown>[]
  /** After the result was made. */
  after?(held: readonly Timed<T>[], window: TimeWindow): readonly Timed<unknown>[]
}

/** When an evictor acts. Default before. */
export interface EvictorOptions {
  readonly when?: 'before' | 'after'
}

export const evictWhen = <T>({ when = 'before' }: EvictorOptions, stay: (held: readonly Timed<T>[]) => readonly Timed<T>[]): Evictor<T> =>
  when === 'before' ? { before: stay } : { after: stay }
