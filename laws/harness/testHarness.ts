import type { Observable } from 'rxjs'
import type { BarrierOptions } from '../../lib/barrierRules.js'
import type { AnyStream, StreamElement, Unkeyed } from '../../lib/element.js'
import type { Key } from '../../lib/key.js'
import type { Limits } from '../../lib/limits.js'
import { type SideOutput, tagOf } from '../../lib/sideOutput.js'
import type { HarnessOutput } from './harnessOutput.js'
import { type Build, type Kept, OperatorHarness } from './operatorHarness.js'

export type { HarnessOutput } from './harnessOutput.js'

declare const snapshot: unique symbol

/** What operators keep at a barrier. Opaque: it is there to be restored, as often as one likes. */
export interface HarnessSnapshot {
  readonly [snapshot]: true
}

interface Applies<T, R, K> {
  apply(source: Observable<StreamElement<T, K>>, ...others: readonly Observable<StreamElement<T, K>>[]): AnyStream<R>
}

/** An operator, or several in a row: with further inputs where it joins some. */
export type OperatorUnderTest<T, R, K = Unkeyed> = Applies<T, R, K>['apply']

export interface HarnessOptions<T> {
  /** Gives each record its key; without it the stream has none, and the operators begin with `keyBy`. */
  readonly key?: ((value: T) => Key) | undefined
  /** How many inputs there are; one unless told. */
  readonly inputs?: number
  /** The side outputs that are collected too. */
  readonly sides?: readonly SideOutput<never>[]
  /** What time it is at the start; 0 unless told. */
  readonly startMs?: number
  readonly limits?: Partial<Limits>
  /** How barriers that do not arrive together are dealt with; aligned, unless told. */
  readonly barriers?: BarrierOptions
}

/** An operator in the hands of a test. */
export interface TestHarness<T, R, K = Unkeyed> {
  /** A record, with its event time if it has one. */
  push(value: T, timestamp?: number, input?: number): this
  /** Event time has advanced: `Infinity` for the end of it. */
  watermark(timestampMs: number, input?: number): this
  idle(idle?: boolean, input?: number): this
  /** The clock stands at `nowMs`: timers that are due fire, in order. */
  processingTime(nowMs: number): this
  /** The end of one input, or of all. */
  end(input?: number): this
  /** A checkpoint: a barrier on every input, and what operators keep at it. */
  snapshot(): HarnessSnapshot
  /** Throws the operators away, and what came out; begins anew with what a snapshot has, in changed ones where they are given. */
  restore(from: HarnessSnapshot, changed?: OperatorUnderTest<T, R, K>): this
  /** All that came out since the last call, in order. */
  take(): readonly HarnessOutput<R>[]
  /** The values of the records that came out since the last call of `take`. */
  values(): readonly R[]
  /** The same of a side output. */
  side<S>(output: SideOutput<S>): readonly S[]
  /** How many rows operators keep, timers included: 0 when everything was given back. */
  readonly keptRows: number
  close(): void
}

/**
 * Takes an operator into the hands of a test.
 *
 * What Flink calls a `OneInputStreamOperatorTestHarness`. No promise is involved: what comes out is there when `push` returns.
 * What the operator throws, and every error of the run, is thrown by the call that caused it.
 *
 * **When to use** to try event time, timers, late data and restores step by step; {@link elementMarbles} draws the same, and the laws
 * try what you did not think of.
 *
 * @param operator - the operator, or several in a row; called anew for each restore
 * @throws RestoreError `STATE_UNCLAIMED` when a changed pipeline lacks what a snapshot has
 * @example A window, a late record, and a restart
 * ```ts
 * const late = sideOutput<number>('late')
 * const counts = window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), late })
 * const harness = testHarness(counts, { key: () => 'all', sides: [late as never] })
 * const snapshot = harness.push(1, 1).push(5, 5).snapshot()
 * harness.push(9, 9).watermark(9).push(3, 3)
 * harness.values() // => [3]
 * harness.side(late) // => [3]
 * harness.restore(snapshot).take() // => []
 * harness.watermark(20).take() // => [{ kind: 'record', value: 2, timestamp: 9, key: 'all' }, { kind: 'watermark', timestamp: 20 }]
 * ```
 * @category laws
 * @since 0.2.0
 */
export function testHarness<T, R>(
  operator: OperatorUnderTest<T, R, Key>,
  options: HarnessOptions<T> & { readonly key: (value: T) => Key },
): TestHarness<T, R, Key>
export function testHarness<T, R>(operator: OperatorUnderTest<T, R>, options?: HarnessOptions<T>): TestHarness<T, R>
export function testHarness<T, R, K>(
  operator: OperatorUnderTest<T, R, K>,
  { key, inputs = 1, sides = [], startMs, limits, barriers }: HarnessOptions<T> = {},
): TestHarness<T, R, K> {
  const buildOf =
    (applied: OperatorUnderTest<T, R, K>): Build =>
    ([first, ...others]) =>
      applied(first as never, ...(others as never[]))
  const inner = new OperatorHarness({
    build: buildOf(operator),
    inputs,
    keyed: key !== undefined,
    tags: sides.map(tagOf),
    startMs,
    limits,
    barriers,
  })
  let seen: HarnessOutput<R>[] = []
  const look = (): readonly HarnessOutput<R>[] => {
    seen.push(...(inner.take() as HarnessOutput<R>[]))
    return seen
  }
  const harness: TestHarness<T, R, K> = {
    push(value, timestamp, input) {
      inner.record(value, timestamp, input, key?.(value))
      return harness
    },
    watermark(timestampMs, input) {
      inner.watermark(timestampMs, input)
      return harness
    },
    idle(idle = true, input) {
      inner.status(idle, input)
      return harness
    },
    processingTime(nowMs) {
      inner.processingTime(nowMs)
      return harness
    },
    end(only) {
      for (let input = 0; input < inputs; input += 1) if (only === undefined || only === input) inner.watermark(Number.POSITIVE_INFINITY, input)
      inner.end(only)
      return harness
    },
    snapshot: () => inner.snapshot() as unknown as HarnessSnapshot,
    restore(from, changed) {
      inner.take()
      seen = []
      inner.restore(from as unknown as Kept, changed === undefined ? undefined : buildOf(changed))
      return harness
    },
    take() {
      const all = look()
      seen = []
      return all
    },
    values: () => look().flatMap((each) => (each.kind === 'record' ? [each.value] : [])),
    side: <S>(output: SideOutput<S>) => look().flatMap((each) => (each.kind === 'side' && each.tag === tagOf(output) ? [each.value as S] : [])),
    get keptRows() {
      return inner.tables().reduce((sum, table) => sum + [...table.rows()].length, 0)
    },
    close: () => inner.close(),
  }
  return harness
}
