import fc from 'fast-check'
import { type Observable, VirtualAction, VirtualTimeScheduler } from 'rxjs'
import { type Clock, schedulerClock } from '../lib/clock.js'
import type { AnyStream, StreamElement } from '../lib/element.js'
import type { Key } from '../lib/key.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { type Law, law } from './law.js'
import { keyByKey, told } from './operatorHistory.js'
import { type Kept, type Left, OperatorRun } from './operatorRun.js'
import { same } from './same.js'

export interface ClockUnderLaw<T, K = Key> {
  /** Applies the operator, anew each time. */
  apply(source: Observable<StreamElement<T, K>>, ...others: readonly Observable<StreamElement<T, K>>[]): AnyStream
  readonly values: fc.Arbitrary<T>
  /** Gives each record its key; without it the stream has none. */
  readonly key?: (value: T) => Key
  /** How many inputs it has; one unless told. */
  readonly inputs?: number
}

/** Something that happens so many ms behind what happened before. */
type Step<T> = { readonly afterMs: number } & (
  | { readonly kind: 'record'; readonly value: T; readonly input: number; readonly aheadMs: number | undefined }
  | { readonly kind: 'watermark'; readonly byMs: number }
  | { readonly kind: 'end'; readonly input: number }
  /** The process dies, right behind a checkpoint, and the next one takes over. */
  | { readonly kind: 'crash' }
  | { readonly kind: 'nothing' }
)

/** Nobody waits longer than this behind the last step. */
const horizonMs = 100

/**
 * What every operator promises that waits for the clock.
 *
 * **When to use** for an operator of your own that calls `callAt`, beside {@link operatorLaws}, where time stands still.
 *
 * @example The laws of an operator that waits
 * ```ts
 * const laws = clockLaws<number>({ apply: durable.debounceTime('typed', { dueMs: 10 }), values: fc.integer() })
 * for (const law of laws) await law.check({ runs: 10, seed: 1 })
 * laws.map(({ name }) => name) // => ['restore-in-time', 'nothing-becomes-late']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function clockLaws<T, K = Key>({ apply, values, key, inputs = 1 }: ClockUnderLaw<T, K>): readonly Law[] {
  const played = (steps: readonly Step<T>[]): readonly Left[] =>
    play({ apply: ([first, ...others]) => apply(first as never, ...(others as never[])), key, inputs, steps })
  const history = (late: boolean): fc.Arbitrary<readonly Step<T>[]> => stepsOf(values, inputs, late)
  return [
    law('restore-in-time', 'restored at any moment it goes on, at the same times, as if nothing had happened', () =>
      fc.asyncProperty(history(true), async (steps) => {
        const shown = (left: readonly Left[]): readonly string[] => (key === undefined ? left.map(told) : keyByKey(left))
        same(shown(played(steps)), shown(played(withoutCrashes(steps))), 'what left, and when')
      }),
    ),
    law('nothing-becomes-late', 'what was not late when it came is not late when it leaves, and event time catches up', () =>
      fc.asyncProperty(history(false), async (steps) => {
        let reachedMs = Number.NEGATIVE_INFINITY
        for (const { kind, text } of played(steps)) {
          if (kind === 'watermark') reachedMs = Number(text.split(' ').at(-1))
          const timestamp = kind === 'record' ? timestampIn(text) : undefined
          if (timestamp !== undefined && timestamp <= reachedMs) throw new Error(`event time is ${reachedMs} already: ${text}`)
        }
        const cameMs = steps.reduce((sum, step) => (step.kind === 'watermark' ? sum + step.byMs : sum), 0)
        if (!steps.some(({ kind }) => kind === 'end') && cameMs > 0) same(reachedMs, cameMs, 'event time, when all that waited has gone on')
      }),
    ),
  ]
}

/** The text of a record is what it has: value, event time and key. */
const timestampIn = (text: string): number | undefined => (JSON.parse(text.slice(text.indexOf('['))) as [unknown, number | null])[1] ?? undefined

function stepsOf<T>(values: fc.Arbitrary<T>, inputs: number, late: boolean): fc.Arbitrary<readonly Step<T>[]> {
  const afterMs = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: fc.integer({ min: 1, max: 15 }) })
  const input = fc.nat({ max: inputs - 1 })
  const aheadMs = fc.option(fc.integer({ min: late ? -10 : 1, max: 30 }), { nil: undefined, freq: 5 })
  const step = fc.oneof<fc.WeightedArbitrary<Step<T>>[]>(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('record' as const), afterMs, value: values, input, aheadMs }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('watermark' as const), afterMs, byMs: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), afterMs }) },
    { weight: inputs === 1 ? 0 : 1, arbitrary: fc.record({ kind: fc.constant('end' as const), afterMs, input }) },
  )
  const ends = fc.shuffledSubarray(Array.from({ length: inputs }, (_, each) => ({ kind: 'end' as const, afterMs: 0, input: each })))
  const crashes = fc.array(fc.record({ kind: fc.constant('crash' as const), afterMs }), { maxLength: 2 })
  return fc
    .tuple(shortOrLong(step, { maxLength: 30 }), fc.oneof(fc.constant([]), ends), crashes)
    .map(([going, ending, last]) => possible([...going, ...ending, ...last]))
}

/** Nothing comes of an input that has ended. */
function possible<T>(steps: readonly Step<T>[]): readonly Step<T>[] {
  const ended = new Set<number>()
  return steps.filter((step) => {
    if (step.kind !== 'record' && step.kind !== 'end') return true
    if (ended.has(step.input)) return false
    if (step.kind === 'end') ended.add(step.input)
    return true
  })
}

/** The same, at the same times: in place of a crash, nothing. */
const withoutCrashes = <T>(steps: readonly Step<T>[]): readonly Step<T>[] =>
  steps.map((step) => (step.kind === 'crash' ? { kind: 'nothing', afterMs: step.afterMs } : step))

interface Played<T> {
  readonly apply: (inputs: readonly Observable<never>[]) => AnyStream
  readonly key: ((value: T) => Key) | undefined
  readonly inputs: number
  readonly steps: readonly Step<T>[]
}

/** Plays a history in virtual time: what left the operator, with the time at which it did. */
function play<T>({ apply, key, inputs, steps }: Played<T>): readonly Left[] {
  const scheduler = new VirtualTimeScheduler(VirtualAction, steps.reduce((sum, { afterMs }) => sum + afterMs, 0) + horizonMs)
  const left: Left[] = []
  const ended = new Set<number>()
  let watermarkMs = 0
  let barriers = 0
  const begun = (from?: Kept): Life => new Life(scheduler, left, (clock) => new OperatorRun({ apply, inputs, keyed: key !== undefined, clock, from }))
  let life: Life | undefined
  const crash = (before: Life): Life => {
    barriers += 1
    for (let input = 0; input < inputs; input += 1) before.run.barrier(barriers, input)
    before.die()
    const after = begun(before.run.kept(barriers))
    for (const input of ended) after.run.end(input)
    return after
  }
  const take = (current: Life, step: Step<T>): void => {
    const { run } = current
    if (step.kind === 'record')
      run.record(step.value, step.aheadMs === undefined ? undefined : watermarkMs + step.aheadMs, key?.(step.value), step.input)
    else if (step.kind === 'end') {
      ended.add(step.input)
      run.end(step.input)
    } else if (step.kind === 'watermark') {
      watermarkMs += step.byMs
      for (let input = 0; input < inputs; input += 1) if (!ended.has(input)) run.watermark(watermarkMs, input)
    }
    current.note()
  }
  let atMs = 0
  for (const step of steps) {
    atMs += step.afterMs
    // Processes end between two milliseconds: at one instant it would be chance whether what is due has been done.
    if (step.kind === 'crash') scheduler.schedule(() => (life = life && crash(life)), atMs + 0.5)
    else scheduler.schedule(() => life && take(life, step), atMs)
  }
  // At one instant, what comes from outside is before what the operator itself asks of time, since that is asked for later.
  life = begun()
  scheduler.flush()
  return left
}

/** One process: nothing that it asked of time comes when it is dead. */
class Life {
  readonly run: OperatorRun
  private alive = true
  private noted = 0

  constructor(
    private readonly scheduler: VirtualTimeScheduler,
    private readonly left: Left[],
    begin: (clock: Clock) => OperatorRun,
  ) {
    const clock = schedulerClock(scheduler)
    this.run = begin({
      ...clock,
      callAt: (atMs, work) =>
        clock.callAt(atMs, () => {
          if (!this.alive) return
          work()
          this.note()
        }),
    })
    this.note()
  }

  /** What has left since the last time, left now. */
  note(): void {
    for (const each of this.run.left.slice(this.noted))
      if (each.kind !== 'barrier' && !this.isRepeated(each)) this.left.push({ ...each, text: `@${this.scheduler.now()} ${each.text}` })
    this.noted = this.run.left.length
  }

  /** The end, and event time at the end, are not stored: a restored run tells of them again. */
  private isRepeated({ kind, text }: Left): boolean {
    if (this.left.at(-1)?.kind === 'end') return true
    return kind === 'watermark' && this.left.findLast((each) => each.kind === kind)?.text.endsWith(` ${text}`) === true
  }

  die(): void {
    this.note()
    this.alive = false
  }
}
