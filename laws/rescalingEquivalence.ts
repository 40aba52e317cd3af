import type { JobUnderLaw } from './jobLaws.js'
import type { Law } from './law.js'
import { type PassageLawOptions, passageLaw } from './passageLaw.js'

/**
 * Any number of instances, and then any other, commits together what one commits.
 *
 * All instances are stopped at one place with savepoints; as many others as are drawn, 1 to 5, begin with these. Their processes die
 * as those of {@link savepointEquivalence} do. The order of records is compared by key: between two instances there is none.
 *
 * **When to use** for a job that is to run in several instances. A job that cannot be split is refused here as it is anywhere else.
 *
 * @param job - as for {@link jobLaws}; event time that is assigned behind `keyBy` follows the records of one instance alone, so that what
 *   is late may differ: assign it before
 * @example A pipeline of two processes, then of three
 * ```ts
 * const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
 * const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
 * const law = rescalingEquivalence({
 *   inputs: { words },
 *   sinks: ['counts'],
 *   build: ({ source, sink }) => source<string>('words').pipe(keyBy((word) => word), count, sink('counts')),
 * })
 * await law.check({ runs: 10, seed: 1 })
 * law.name // => 'rescaling-equivalence'
 * ```
 * @category laws
 * @since 0.2.0
 */
export const rescalingEquivalence = (job: JobUnderLaw, options: PassageLawOptions = {}): Law =>
  passageLaw(
    job,
    {
      name: 'rescaling-equivalence',
      statement: 'instances that become more and fewer commit together what one instance commits',
      instancesMax: 5,
    },
    options,
  )
