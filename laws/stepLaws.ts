import fc from 'fast-check'
import { type CodecOf, json } from '../lib/codec.js'
import { stateCodec } from '../lib/stateCodec.js'
import { elsewhere } from './elsewhere.js'
import { type Law, law } from './law.js'
import { sameShown, shownAs, unchanged } from './shownAs.js'

export interface StepUnderLaw<S, T, R> {
  /** As handed to `statefulMap` and `statefulFlatMap`: previous state and value in, next state and result out. */
  readonly step: (state: S, value: T) => readonly [next: S | undefined, result: R]
  readonly initial: S
  readonly values: fc.Arbitrary<T>
  /** What the state looks like; plain data unless told. */
  readonly state?: CodecOf<S>
  /** `free`: the step claims that the order of records does not matter. Unless told, how often it does is a note of the report. */
  readonly order?: 'free' | 'told'
}

/**
 * What every step of a stateful operator promises: it is a function of its state and its value.
 *
 * A step that asks the clock or draws a number decides otherwise when it is replayed after a crash, and one that changes its
 * state in place changes what a checkpoint is about to store. Both look right until something crashes.
 *
 * @example A running maximum, in any order
 * ```ts
 * const laws = stepLaws({ step: (max: number, n: number) => [Math.max(max, n), n], initial: 0, values: fc.nat(), order: 'free' })
 * for (const law of laws) await law.check()
 * laws.map(({ name }) => name) // => ['step-purity', 'step-determinism', 'step-storable', 'step-order']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function stepLaws<S, T, R>({ step, initial, values, state, order = 'told' }: StepUnderLaw<S, T, R>): readonly Law[] {
  const many = fc.array(values, { maxLength: 12 })
  const next = (before: S, value: T): S => step(before, value)[0] ?? initial
  const along = (name: string, statement: string, look: (before: S, value: T) => void): Law =>
    law(name, statement, () =>
      fc.asyncProperty(many, async (all) => {
        let before = initial
        for (const value of all) {
          look(before, value)
          before = next(before, value)
        }
      }),
    )
  const seen = new OrderSeen()
  return [
    along('step-purity', 'neither the state nor the value is changed', (before, value) => {
      unchanged('the step', step, before, value)
    }),
    along('step-determinism', 'the same state and value have the same outcome, at another time and with other luck', (before, value) => {
      sameShown(
        elsewhere(() => step(before, value)),
        step(before, value),
        'the outcome at another time',
      )
    }),
    along('step-storable', 'a state that was stored and read back goes on as if it had not been', (before, value) => {
      const codec = stateCodec<S>(state ?? json<S>())
      sameShown(step(codec.fromText(codec.toText(before), codec.version), value), step(before, value), 'the outcome after a restore')
    }),
    law(
      'step-order',
      order === 'free' ? 'the order of records does not matter to the state' : 'how often the order of records matters is told',
      () => {
        seen.begin()
        return fc.asyncProperty(fc.array(values, { minLength: 2, maxLength: 12 }), fc.nat(), async (all, nat) => {
          const at = nat % (all.length - 1)
          const swapped = [...all.slice(0, at), all[at + 1] as T, all[at] as T, ...all.slice(at + 2)]
          const [one, other] = [all.reduce(next, initial), swapped.reduce(next, initial)]
          const matters = shownAs(one) !== shownAs(other)
          seen.count(matters)
          if (matters && order === 'free') throw new Error(`two neighbours that change places end in ${shownAs(other)} instead of ${shownAs(one)}`)
        })
      },
      { counters: () => seen.counters, notes: () => seen.notes },
    ),
  ]
}

/** How often the order of two neighbours made a difference. */
class OrderSeen {
  private histories = 0
  private differing = 0

  begin(): void {
    this.histories = 0
    this.differing = 0
  }

  count(matters: boolean): void {
    this.histories += 1
    if (matters) this.differing += 1
  }

  get counters(): { readonly [name: string]: number } {
    return { histories: this.histories, orderSensitive: this.differing }
  }

  get notes(): readonly string[] {
    return this.differing === 0
      ? []
      : [`the order of records matters: ${this.differing} of ${this.histories} histories end otherwise when two neighbours change places`]
  }
}
