import type fc from 'fast-check'
import type { AnyStream, Stream } from '../lib/element.js'
import { jobLaw } from './jobLaws.js'
import type { Law } from './law.js'
import type { Order } from './simulation/compare.js'

/**
 * For every history and every crash plan, what is committed equals what is committed without a crash.
 *
 * Your operators run between a source and a sink of the law, in processes that are killed, paused, unsubscribed and stopped at
 * any instant, in recovery too, while calls fail and answers get lost. No test runner is needed, and no time passes.
 *
 * **When to use** on every pipeline of yours that keeps state.
 *
 * @param define - applies the operators under test
 * @param inputs - arbitrary records, in the order of the source
 * @param options - `order`: what of the order has to agree, `perKey` unless told; a single pipeline can ask for `exact`;
 *   `keeps`: `any` where what is kept depends on the machine's time or on calls outside, as with `asyncMap`
 * @example A pipeline that survives anything
 * ```ts
 * const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
 * const law = recoveryEquivalence((words: Stream<string>) => words.pipe(keyBy((word) => word), count), fc.array(fc.constantFrom('a', 'b')))
 * await law.check({ runs: 20, seed: 1 })
 * law.name // => 'recovery-equivalence'
 * ```
 * @category laws
 * @since 0.1.0
 */
export const recoveryEquivalence = <T>(
  define: (input: Stream<T>) => AnyStream,
  inputs: fc.Arbitrary<readonly T[]> | fc.Arbitrary<T[]>,
  { order = 'perKey', keeps = 'same' }: { readonly order?: Order; readonly keeps?: 'same' | 'any' } = {},
): Law =>
  jobLaw(
    {
      inputs: { input: inputs },
      sinks: ['output'],
      order,
      keeps,
      build: ({ source, sink }) => define(source<T>('input')).pipe(sink('output')),
    },
    'recovery-equivalence',
    'for every history and every crash plan, what is committed equals what is committed without a crash',
  )
