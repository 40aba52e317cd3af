import fc from 'fast-check'
import { encodeKey, type Key } from '../lib/key.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { type HarnessSnapshot, type TestHarness, testHarness } from './harness/testHarness.js'
import { type Law, law } from './law.js'
import { sameShown, shownAs } from './shownAs.js'
import { type Fired, WindowModel, type WindowUnderLaw } from './windowModel.js'

export type { WindowSeen, WindowUnderLaw } from './windowModel.js'

/** A record arrives, or event time has advanced by so much. */
type Step<T> = { readonly value: T } | { readonly byMs: number }

/**
 * What every window of event time promises, against a list of records for each window.
 *
 * **When to use** for an aggregate, an assigner or a result function of your own. Triggers and evictors have results of their own: for
 * those, and for all operators, there is {@link operatorLaws}.
 *
 * @example Counts per ten milliseconds
 * ```ts
 * const assigner = tumbling({ sizeMs: 10 })
 * const laws = windowLaws({
 *   apply: window('counts', { assigner, aggregate: countRecords() }),
 *   assigner,
 *   values: fc.record({ user: fc.constantFrom('a', 'b'), at: fc.nat(100) }),
 *   key: ({ user }) => user,
 *   timestamp: ({ at }) => at,
 *   expected: (values) => [values.length],
 * })
 * for (const law of laws) await law.check()
 * laws.map(({ name }) => name) // => ['window-contents', 'not-before-its-end', 'late-or-held', 'watermark-steps', 'windows-are-freed', 'window-restore']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function windowLaws<T, R>(under: WindowUnderLaw<T, R>): readonly Law[] {
  const { apply, assigner, late, key, timestamp } = under
  const steps = stepsOf(under)
  const begun = (): TestHarness<T, R, Key> => testHarness<T, R>((source) => apply(source), { key, sides: late === undefined ? [] : [late as never] })
  const about = (name: string, statement: string, check: (steps: readonly Step<T>[], nat: number) => void): Law =>
    law(name, statement, () => fc.asyncProperty(steps, fc.nat(), async (drawn, nat) => check(drawn, nat)))
  return [
    about('window-contents', 'each window emits what a list of its records would have, when event time has passed its end', (drawn) => {
      const harness = begun()
      const model = new WindowModel(under)
      const played = new Played(harness, timestamp)
      for (const step of [...drawn, { byMs: Number.POSITIVE_INFINITY }]) {
        const fired = 'value' in step ? model.record(step.value) : model.watermark(played.watermarkMs + step.byMs)
        same(played.take(step).records, shownFired(fired), `what left at ${shownAs(step)}`)
      }
    }),
    about('not-before-its-end', 'nothing of a window leaves before event time has reached its last moment', (drawn) => {
      const played = new Played(begun(), timestamp)
      for (const step of drawn)
        for (const { at } of played.take(step).results)
          if (at === undefined || at > played.watermarkMs) throw new Error(`a result of ${at} left when event time was ${played.watermarkMs}`)
    }),
    about('late-or-held', 'a record that no window takes is late, or there is no window for it: never both', (drawn) => {
      const played = new Played(begun(), timestamp)
      const model = new WindowModel(under)
      for (const step of drawn) {
        const before = model.late.length
        if ('value' in step) model.record(step.value)
        else model.watermark(played.watermarkMs + step.byMs)
        const found = played.take(step).late(late)
        if (late !== undefined) sameShown(found, model.late.slice(before), `what is late at ${shownAs(step)}`)
      }
    }),
    about('watermark-steps', 'how many watermarks there are on the way changes nothing, where none makes a record late', (drawn) => {
      const inOrder = drawn.flatMap((step) => ('value' in step ? [step.value] : [])).sort((a, b) => timestamp(a) - timestamp(b))
      // A session still takes a record that comes exactly at its end.
      const aheadMs = assigner.merging === true ? 2 : 1
      const at = (often: boolean): readonly string[] => {
        const harness = begun()
        for (const value of inOrder) {
          if (often) harness.watermark(timestamp(value) - aheadMs)
          harness.push(value, timestamp(value))
        }
        return harness.watermark(Number.POSITIVE_INFINITY).take().flatMap(shownRecord).sort()
      }
      same(at(true), at(false), 'what left with a watermark before each record')
    }),
    about('windows-are-freed', 'when event time has ended, nothing is kept', (drawn) => {
      const harness = begun()
      const played = new Played(harness, timestamp)
      for (const step of drawn) played.take(step)
      harness.watermark(Number.POSITIVE_INFINITY)
      if (harness.keptRows > 0) throw new Error(`${harness.keptRows} rows are kept`)
    }),
    about('window-restore', 'restored at any moment, windows emit what they would have emitted', (drawn, nat) => {
      const at = nat % (drawn.length + 1)
      const results = (restored: boolean): readonly string[] => {
        const harness = begun()
        const played = new Played(harness, timestamp)
        for (const step of drawn.slice(0, at)) played.take(step)
        const snapshot: HarnessSnapshot = harness.snapshot()
        if (restored) harness.restore(snapshot)
        return [...drawn.slice(at), { byMs: Number.POSITIVE_INFINITY }].flatMap((step) => played.take(step).records)
      }
      same(results(true), results(false), `what left after a restore behind ${at} steps`)
    }),
  ]
}

/**
 * Records, and event time that goes on: by some milliseconds, or to the last moment of a window, to the one at which it is freed, and to
 * those beside them, where a mistake by one shows.
 */
function stepsOf<T>({ values, timestamp, assigner, allowedLatenessMs = 0 }: WindowUnderLaw<T, unknown>): fc.Arbitrary<readonly Step<T>[]> {
  const edge = fc.record({ edgeOf: values, besideMs: fc.integer({ min: -1, max: 1 }), freed: fc.boolean() })
  const drawn = fc.oneof(
    { weight: 5, arbitrary: values.map((value) => ({ value })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }).map((byMs) => ({ byMs })) },
    { weight: 2, arbitrary: edge },
  )
  return shortOrLong(drawn, { maxLength: 40 }).map((all) => {
    let watermarkMs = 0
    const byOf = ({ edgeOf, besideMs, freed }: { readonly edgeOf: T; readonly besideMs: number; readonly freed: boolean }): number => {
      const [window] = assigner.assign(edgeOf, timestamp(edgeOf))
      return window === undefined ? 0 : window.lastMs + besideMs + (freed ? allowedLatenessMs : 0) - watermarkMs
    }
    return all.flatMap((step): readonly Step<T>[] => {
      if ('value' in step) return [step]
      const byMs = 'byMs' in step ? step.byMs : byOf(step)
      if (byMs <= 0) return []
      watermarkMs += byMs
      // At an edge a record of that very window comes next: it is late by nothing, or on time by nothing.
      return 'byMs' in step ? [{ byMs }] : [{ byMs }, { value: step.edgeOf }]
    })
  })
}

const same = (found: readonly string[], expected: readonly string[], what: string): void => sameShown(found, expected, what)

/** A history on its way through an operator. */
class Played<T, R> {
  watermarkMs = 0

  constructor(
    private readonly harness: TestHarness<T, R, Key>,
    private readonly timestamp: (value: T) => number,
  ) {}

  take(step: Step<T>): Left<R> {
    if ('value' in step) this.harness.push(step.value, this.timestamp(step.value))
    else {
      this.watermarkMs += step.byMs
      this.harness.watermark(this.watermarkMs)
    }
    return new Left(this.harness.take())
  }
}

type Output<R> = ReturnType<TestHarness<unknown, R>['take']>[number]

/** What left at one step. Between windows that are due at once no order is promised. */
class Left<R> {
  constructor(private readonly outputs: readonly Output<R>[]) {}

  get records(): readonly string[] {
    return this.outputs.flatMap(shownRecord).sort()
  }

  get results(): readonly { readonly at: number | undefined }[] {
    return this.outputs.flatMap((each) => (each.kind === 'record' ? [{ at: each.timestamp }] : []))
  }

  late(side: { readonly tag: string } | undefined): readonly unknown[] {
    return this.outputs.flatMap((each) => (each.kind === 'side' && side !== undefined && each.tag === side.tag ? [each.value] : []))
  }
}

const shownRecord = (output: Output<unknown>): readonly string[] =>
  output.kind === 'record' ? [`${shownAs(output.value)} at ${output.timestamp} of ${encodeKey(output.key as Key)}`] : []

const shownFired = (fired: readonly Fired<unknown>[]): readonly string[] =>
  fired.flatMap(({ key, lastMs, results }) => results.map((value) => `${shownAs(value)} at ${lastMs} of ${encodeKey(key)}`)).sort()
