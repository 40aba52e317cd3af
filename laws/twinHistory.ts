import fc from 'fast-check'
import { shortOrLong } from './arbitraries/shortOrLong.js'

/** One thing that happens at an input of an operator, so many ms behind the one before. */
export type TwinEvent<T> =
  | { readonly kind: 'value'; readonly afterMs: number; readonly input: number; readonly key: string; readonly value: T }
  | { readonly kind: 'end'; readonly afterMs: number; readonly input: number }
  | { readonly kind: 'error'; readonly afterMs: number; readonly input: number }

const afterMs = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 5, arbitrary: fc.integer({ min: 1, max: 15 }) })

/** Values at several inputs, in virtual time, that end, fail or go on for ever. */
export const twinHistory = <T>(values: fc.Arbitrary<T>, inputs: number): fc.Arbitrary<readonly TwinEvent<T>[]> => {
  const input = fc.nat({ max: inputs - 1 })
  const value = fc.record({ kind: fc.constant('value' as const), afterMs, input, key: fc.constantFrom('a', 'b', 'c'), value: values })
  const end = fc.record({ kind: fc.constant('end' as const), afterMs, input })
  const error = fc.record({ kind: fc.constant('error' as const), afterMs, input })
  const every = (events: readonly TwinEvent<T>[]): readonly TwinEvent<T>[] => [
    ...events,
    ...Array.from({ length: inputs }, (_, each) => ({ kind: 'end' as const, afterMs: 0, input: each })),
  ]
  const going = shortOrLong(
    inputs === 1 ? value : fc.oneof<fc.WeightedArbitrary<TwinEvent<T>>[]>({ weight: 15, arbitrary: value }, { weight: 1, arbitrary: end }),
    { maxLength: 25 },
  )
  return fc
    .oneof(
      { weight: 4, arbitrary: going.map(every) },
      { weight: 1, arbitrary: fc.tuple(going, error).map(([events, last]) => [...events, last]) },
      { weight: 1, arbitrary: going },
    )
    .map(possible)
}

/** Nothing comes of an input that has ended. */
function possible<T>(events: readonly TwinEvent<T>[]): readonly TwinEvent<T>[] {
  const ended = new Set<number>()
  return events.filter(({ kind, input }) => {
    if (ended.has(input)) return false
    if (kind !== 'value') ended.add(input)
    return true
  })
}
