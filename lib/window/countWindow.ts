import type { Assigner } from './assigner.js'
import { countEvictor } from './countEvictor.js'
import { countTrigger } from './countTrigger.js'
import type { Evictor } from './evictor.js'
import { globalWindow } from './globalWindow.js'
import { purging } from './purging.js'
import type { Trigger } from './trigger.js'

/** The options of an operator that make windows of a number of records. */
export interface CountWindow {
  readonly assigner: Assigner
  readonly trigger: Trigger
  readonly evictor?: Evictor<unknown>
}

/**
 * Windows of `size` records; with `slide`, one every so many records that holds the last `size` of them.
 *
 * With a slide the first windows are smaller. What does not fill a window at the end of the input is not emitted.
 *
 * @example Sums of two
 * ```ts
 * const pairs = window('pairs', { ...countWindow(2), reduce: (a: number, b: number) => a + b })
 * await collect(of(1, 2, 3, 4, 5).pipe(records(), keyBy(() => 'all'), pairs)) // => [3, 7]
 * ```
 * @category windows
 * @since 0.2.0
 */
export const countWindow = (size: number, slide?: number): CountWindow =>
  slide === undefined
    ? { assigner: globalWindow(), trigger: purging(countTrigger(size)) }
    : { assigner: globalWindow(), trigger: countTrigger(slide), evictor: countEvictor(size) }
