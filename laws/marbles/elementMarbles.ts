import type { Observable } from 'rxjs'
import type { RunHelpers, TestScheduler } from 'rxjs/testing'
import type { BarrierOptions } from '../../lib/barrierRules.js'
import { schedulerClock } from '../../lib/clock.js'
import type { AnyStream, StreamElement, Unkeyed } from '../../lib/element.js'
import type { Key } from '../../lib/key.js'
import type { Limits } from '../../lib/limits.js'
import type { HarnessSnapshot } from '../harness/testHarness.js'
import type { Kept } from '../operatorRun.js'
import { MarbleFeed } from './marbleFeed.js'
import { readDiagram } from './marbles.js'

/** What the letters of a diagram stand for, unless for themselves. */
export interface MarbleValues<T> {
  readonly [letter: string]: T
}

/** What records are beside their values. */
export interface DrawnRecords<T> {
  readonly values?: MarbleValues<T>
  /** Gives each record its event time; without it records have none. */
  readonly timestamp?: (value: T) => number
}

export interface ElementMarblesOptions {
  /** Operators begin with what an earlier run has kept. */
  readonly from?: HarnessSnapshot
  readonly limits?: Partial<Limits>
  /** How barriers that do not arrive together are dealt with; aligned, unless told. */
  readonly barriers?: BarrierOptions
}

/** Draws streams of elements; all of them belong to one run. */
export interface ElementMarbles {
  cold<T = string, K extends Key = Key>(
    diagram: string,
    records: DrawnRecords<T> & { readonly key: (value: T) => K },
  ): Observable<StreamElement<T, K>>
  cold<T = string>(diagram: string, records?: DrawnRecords<T>): Observable<StreamElement<T, Unkeyed>>
  hot<T = string, K extends Key = Key>(diagram: string, records: DrawnRecords<T> & { readonly key: (value: T) => K }): Observable<StreamElement<T, K>>
  hot<T = string>(diagram: string, records?: DrawnRecords<T>): Observable<StreamElement<T, Unkeyed>>
  expectElements(stream: AnyStream, subscription?: string): { toBe(diagram: string, values?: MarbleValues<unknown>, error?: unknown): void }
  /** What operators have kept at a barrier that has reached all of them, once the diagrams were played. */
  snapshot(barrier: number): HarnessSnapshot
}

/**
 * Draws streams of elements in the stock `TestScheduler` of RxJS.
 *
 *     a b c   records                 -   a frame, as everywhere
 *     1 2 3   barriers                ( ) | # ^ ! and 9ms   as in RxJS; `|` is the end of the input
 *     W5 W12  watermarks              ~ +   idle, active again
 *
 * A mark takes as many frames as it has letters, and happens in the first. The clock of operators is that of the scheduler.
 *
 * **When to use** to see what a barrier, a watermark or the clock lets out and when; {@link testHarness} does the same step by step.
 *
 * @param scheduler - the scheduler whose `run` is under way
 * @param helpers - what `run` hands over
 * @example A barrier passes an operator
 * ```ts
 * import { deepStrictEqual } from 'node:assert'
 * import { TestScheduler } from 'rxjs/testing'
 * import { json, keyBy, statefulMap } from 'rxweir'
 * import { elementMarbles } from 'rxweir/laws'
 *
 * const scheduler = new TestScheduler((found, expected) => deepStrictEqual(found, expected))
 * const count = statefulMap('count', { state: json<number>(), initial: 0 }, (n, word: string) => [n + 1, `${word}${n + 1}`])
 * scheduler.run((helpers) => {
 *   const { cold, expectElements } = elementMarbles(scheduler, helpers)
 *   const source = cold(' -a-b-1-(aW5)-|')
 *   const expected = '    -c-d-1-(eW5)-|'
 *   expectElements(source.pipe(keyBy((word) => word), count)).toBe(expected, { c: 'a1', d: 'b1', e: 'a2' })
 * })
 * scheduler.now() // => 13
 * ```
 * @category laws
 * @since 0.2.0
 */
export function elementMarbles(
  scheduler: TestScheduler,
  helpers: Pick<RunHelpers, 'cold' | 'hot' | 'expectObservable'>,
  { from, limits, barriers }: ElementMarblesOptions = {},
): ElementMarbles {
  const feed = new MarbleFeed({ clock: schedulerClock(scheduler), limits, barriers, from: from as unknown as Kept | undefined })
  const drawn = (create: (diagram: string, values: object) => Observable<unknown>): ElementMarbles['cold'] =>
    ((diagram: string, { values, key, timestamp }: DrawnRecords<never> & { readonly key?: (value: never) => Key } = {}) =>
      feed.opened(create(...readDiagram(diagram, values)), { key, timestamp })) as never
  return {
    cold: drawn((diagram, values) => helpers.cold(diagram, values as never)),
    hot: drawn((diagram, values) => helpers.hot(diagram, values as never)),
    expectElements(stream, subscription) {
      const expectation = helpers.expectObservable(feed.shown(stream), subscription)
      return { toBe: (diagram, values, error) => expectation.toBe(...readDiagram(diagram, values), error) }
    },
    snapshot(barrier) {
      const kept = feed.kept.get(barrier)
      if (kept === undefined) throw new Error(`barrier ${barrier} has not reached every operator`)
      return kept as unknown as HarnessSnapshot
    },
  }
}
