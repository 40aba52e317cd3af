import fc from 'fast-check'
import { type CodecOf, json } from '../lib/codec.js'
import { stateCodec } from '../lib/stateCodec.js'
import type { Aggregate } from '../lib/window/aggregate.js'
import { elsewhere } from './elsewhere.js'
import { type Law, law } from './law.js'
import { shownAs, unchanged } from './shownAs.js'

export interface AggregateUnderLaw<T, A, R> {
  readonly aggregate: Aggregate<T, A, R>
  readonly values: fc.Arbitrary<T>
  /** What the accumulator looks like; plain data unless told, as at `window`. */
  readonly state?: CodecOf<A>
  /** Whether two results agree. They have to look the same unless told: sums of fractions may differ in their last digit. */
  readonly agree?: (one: R, other: R) => boolean
}

/**
 * What every aggregate promises to the windows that use it.
 *
 * Sliding windows share accumulators between windows, sessions join them, and every checkpoint stores them: an aggregate that
 * changes what it was given, or whose `merge` is another sum than its `add`, is wrong there and nowhere else.
 *
 * @example The laws of an aggregate of one's own
 * ```ts
 * const longest: Aggregate<string, string, number> = {
 *   create: () => '',
 *   add: (kept, word) => (word.length > kept.length ? word : kept),
 *   merge: (a, b) => (b.length > a.length ? b : a),
 *   result: (kept) => kept.length,
 * }
 * const laws = aggregateLaws({ aggregate: longest, values: fc.string() })
 * for (const law of laws) await law.check()
 * laws.length // => 5
 * ```
 * @category laws
 * @since 0.2.0
 */
export function aggregateLaws<T, A, R>({ aggregate, values, state, agree }: AggregateUnderLaw<T, A, R>): readonly Law[] {
  const { create, add, merge, result } = bound(aggregate)
  const many = fc.array(values, { maxLength: 12 })
  const folded = (all: readonly T[], from = create()): A => all.reduce(add, from)
  const agreeing = (found: R, expected: R, what: string): void => {
    if (agree === undefined ? shownAs(found) === shownAs(expected) : agree(found, expected)) return
    throw new Error(`${what}: found ${shownAs(found)}, expected ${shownAs(expected)}`)
  }
  const laws = [
    law('aggregate-purity', 'nothing that a function of the aggregate is given is changed', () =>
      fc.asyncProperty(many, many, async (left, right) => {
        const add1 = (all: readonly T[]): A => all.reduce((accumulator, value) => unchanged('add', add, accumulator, value), create())
        const [a, b] = [add1(left), add1(right)]
        if (merge !== undefined) unchanged('merge', merge, a, b)
        unchanged('result', result, a)
      }),
    ),
    law('aggregate-determinism', 'the same records have the same result, at another time and with other luck', () =>
      fc.asyncProperty(many, async (all) => {
        const other = elsewhere(() => result(folded(all)))
        agreeing(other, result(folded(all)), 'the result at another time')
      }),
    ),
    law('aggregate-storable', 'an accumulator that was stored and read back goes on as if it had not been', () =>
      fc.asyncProperty(many, many, async (left, right) => {
        const codec = stateCodec<A>(state ?? json<A>())
        const restored = codec.fromText(codec.toText(folded(left)), codec.version)
        agreeing(result(folded(right, restored)), result(folded([...left, ...right])), 'the result after a restore')
      }),
    ),
  ]
  if (merge === undefined) return laws
  return [
    ...laws,
    law('merge-agrees', 'merging two accumulators is adding the records of both', () =>
      fc.asyncProperty(many, many, async (left, right) =>
        agreeing(result(merge(folded(left), folded(right))), result(folded([...left, ...right])), 'the result of the merged ones'),
      ),
    ),
    law('merge-associative', 'it does not matter which of three accumulators are merged first', () =>
      fc.asyncProperty(many, many, many, async (one, two, three) => {
        const [a, b, c] = [one, two, three].map((all) => () => folded(all)) as [() => A, () => A, () => A]
        agreeing(result(merge(merge(a(), b()), c())), result(merge(a(), merge(b(), c()))), 'the result of three')
      }),
    ),
  ]
}

/** Its functions, which may be methods that use `this`. */
const bound = <T, A, R>(aggregate: Aggregate<T, A, R>) => ({
  create: () => aggregate.create(),
  add: (accumulator: A, value: T) => aggregate.add(accumulator, value),
  merge: aggregate.merge === undefined ? undefined : (a: A, b: A): A => (aggregate.merge as (a: A, b: A) => A).call(aggregate, a, b),
  result: (accumulator: A) => aggregate.result(accumulator),
})
