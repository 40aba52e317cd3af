import type { JobUnderLaw } from './jobLaws.js'
import type { Law } from './law.js'
import { type PassageLawOptions, passageLaw } from './passageLaw.js'

/**
 * However often a job goes on from a savepoint, what is committed equals what is committed without any.
 *
 * The job runs to a random place, is left there with a savepoint, stopped or while it goes on, and begins with it in an empty storage, or
 * takes the savepoint for its storage; then again. Processes die before a savepoint is made, while it is half written, while it is half
 * read, and afterwards. Where a sink has committed more than the savepoint knows, the start has to be refused.
 *
 * **When to use** before you move a job to another storage, and for a storage of your own: give it among `surfaces`.
 *
 * @param job - as for {@link jobLaws}
 * @example A pipeline that moves
 * ```ts
 * const words = fc.array(fc.constantFrom('a', 'b'), { maxLength: 20 })
 * const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
 * const law = savepointEquivalence({
 *   inputs: { words },
 *   sinks: ['counts'],
 *   build: ({ source, sink }) => source<string>('words').pipe(keyBy((word) => word), count, sink('counts')),
 * })
 * await law.check({ runs: 20, seed: 1 })
 * law.name // => 'savepoint-equivalence'
 * ```
 * @category laws
 * @since 0.2.0
 */
export const savepointEquivalence = (job: JobUnderLaw, options: PassageLawOptions = {}): Law =>
  passageLaw(
    job,
    {
      name: 'savepoint-equivalence',
      statement: 'a job that goes on from savepoints, in other storages and through crashes, commits what it commits without any',
      instancesMax: 1,
    },
    options,
  )
