import fc from 'fast-check'
import type { Observable } from 'rxjs'
import type { AnyStream, StreamElement } from '../lib/element.js'
import type { Key } from '../lib/key.js'
import { encodeKey } from '../lib/key.js'
import type { SideOutput } from '../lib/sideOutput.js'
import { type Law, law } from './law.js'
import { atStart, feed, keyByKey, type OperatorStep, operatorHistory, told, withoutBarriers } from './operatorHistory.js'
import { type Kept, type Left, OperatorRun } from './operatorRun.js'
import { same } from './same.js'

export interface OperatorUnderLaw<T, K = Key> {
  /** Applies the operator, anew each time. */
  apply(source: Observable<StreamElement<T, K>>, ...others: readonly Observable<StreamElement<T, K>>[]): AnyStream
  readonly values: fc.Arbitrary<T>
  /** Gives each record its key; without it the stream has none. */
  readonly key?: (value: T) => Key
  /** Gives each record its event time; without it records have none. */
  readonly timestamp?: (value: T) => number
  /** How many inputs it has; one unless told. Event time, idleness and barriers arrive at all of them. */
  readonly inputs?: number
  /** Gives each record the input at which it arrives: from 0, the first unless told. */
  readonly inputOf?: (value: T) => number
  /** The side outputs that it emits. */
  readonly sides?: readonly SideOutput<never>[]
}

/**
 * What every operator promises; where inputs meet, {@link junctionLaws} say more.
 *
 * **When to use** for an operator of your own, made with `operate`; {@link recoveryEquivalence} tries whole pipelines.
 *
 * @example The laws of an operator
 * ```ts
 * const laws = operatorLaws<number>({ apply: mapValues((n) => n + 1), values: fc.integer() })
 * for (const law of laws) await law.check({ runs: 10, seed: 1 })
 * laws.length // => 7
 * ```
 * @category laws
 * @since 0.1.0
 */
export function operatorLaws<T, K = Key>({ apply, values, key, timestamp, inputs = 1, inputOf, sides = [] }: OperatorUnderLaw<T, K>): readonly Law[] {
  const keyed = key !== undefined
  const feeding = { key, timestamp, inputs, inputOf }
  const applied = (from?: Kept) => ({
    apply: ([first, ...others]: readonly Observable<never>[]) => apply(first as never, ...(others as never[])),
    inputs,
    keyed,
    sides,
    from,
  })
  const start = (from?: Kept): OperatorRun => new OperatorRun(applied(from))
  const ran = (steps: readonly OperatorStep<T>[]): OperatorRun => {
    const run = start()
    feed(run, steps, feeding)
    return run
  }
  const about = (name: string, statement: string, check: (steps: readonly OperatorStep<T>[]) => void): Law =>
    law(name, statement, () => fc.asyncProperty(operatorHistory(values), async (steps) => check(steps)))
  const outputs = ['main', ...sides.map(({ tag }) => tag)]
  const isBarrier = ({ kind }: { readonly kind: string }): boolean => kind === 'barrier'

  const laws = [
    about('barrier-conservation', 'each barrier leaves once, in order, on each output', (steps) => {
      const { left } = ran(steps)
      const expected = steps.filter(isBarrier).map((_, index) => `barrier ${index + 1}`)
      for (const output of outputs)
        same(
          left.filter((each) => each.kind === 'barrier' && each.output === output).map(({ text }) => text),
          expected,
          `barriers at ${output}`,
        )
    }),
    about('barrier-transparency', 'with barriers removed, the output equals the output on input without barriers', (steps) => {
      same(withoutBarriers(ran(steps).left), withoutBarriers(ran(steps.filter((step) => !isBarrier(step))).left), 'the output')
    }),
    about('slice-transparency', 'work that is put off in the middle comes out as if it had been done at once, and nothing overtakes it', (steps) => {
      const whole = ran(steps)
      const run = new OperatorRun({ ...applied(), stepsPerSlice: () => 1 })
      let position = atStart
      for (const step of steps) {
        position = feed(run, [step], feeding, position)
        if (position.barriers % 2 === 0) run.goOn()
      }
      while (run.goOn());
      same(run.left.map(told), whole.left.map(told), 'the output')
      for (let id = 1; id <= steps.filter(isBarrier).length; id += 1) same(run.kept(id), whole.kept(id), `the snapshot at barrier ${id}`)
    }),
    about('no-overtaking', 'no record crosses a barrier', (steps) => {
      const run = start()
      let position = atStart
      for (const [index, step] of steps.entries()) {
        position = feed(run, [step], feeding, position)
        if (!isBarrier(step)) continue
        const before = run.left.slice(
          0,
          run.left.findIndex(({ text }) => text === `barrier ${position.barriers}`),
        )
        same(withoutBarriers(before), withoutBarriers(ran(steps.slice(0, index)).left), `what left before barrier ${position.barriers}`)
      }
    }),
    about('restore-equivalence', 'restoring a snapshot and going on equals going on', (steps) => {
      const whole = ran(steps)
      let position = atStart
      for (const [index, step] of steps.entries()) {
        position = feed(ignored, [step], feeding, position)
        if (!isBarrier(step)) continue
        const mark = `barrier ${position.barriers}`
        const last = whole.left.findLastIndex(({ text }) => text === mark)
        const restored = start(whole.kept(position.barriers))
        feed(restored, steps.slice(index + 1), feeding, position)
        const shown = (all: readonly Left[]): readonly string[] => (keyed ? keyByKey(all) : all.map(told))
        // An operator that wanted no more of its input has ended its output: each run is told that.
        const again = whole.left.slice(0, last).filter(({ kind, text }) => kind === 'end' || text === 'watermark Infinity')
        same(shown(restored.left), shown([...again, ...whole.left.slice(last + 1)]), `what left after a restore of ${mark}`)
      }
    }),
    about('snapshot-purity', 'taking a snapshot changes no later output', (steps) => {
      const twice = steps.flatMap((step) => (isBarrier(step) ? [step, step] : [step]))
      same(withoutBarriers(ran(twice).left), withoutBarriers(ran(steps).left), 'the output')
    }),
    about('determinism', 'the same history has the same output and the same snapshots', (steps) => {
      const [one, other] = [ran(steps), ran(steps)]
      same(one.left.map(told), other.left.map(told), 'the output')
      for (let id = 1; id <= steps.filter(isBarrier).length; id += 1) same(one.kept(id), other.kept(id), `the snapshot at barrier ${id}`)
    }),
  ]
  if (key === undefined) return laws
  const keyIsolation = about('key-isolation', 'interleaving keys changes nothing within a key', (steps) => {
    const { left } = ran(steps)
    for (const one of new Set(steps.flatMap((step) => (step.kind === 'record' ? [encodeKey(key(step.value))] : [])))) {
      const alone = ran(steps.filter((step) => step.kind !== 'record' || encodeKey(key(step.value)) === one))
      const ofKey = (each: (typeof left)[number]): boolean => each.kind === 'record' && each.output === 'main' && encodeKey(each.key as Key) === one
      same(left.filter(ofKey).map(told), alone.left.filter(ofKey).map(told), `the output of key ${one}`)
    }
  })
  return [...laws, keyIsolation]
}

/** Counts where a history stands, and takes nothing in. */
const ignored = new Proxy({} as OperatorRun, { get: () => () => {} })
