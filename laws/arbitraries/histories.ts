import fc from 'fast-check'
import { shortOrLong } from './shortOrLong.js'

/** What a history says of one record beside its value. */
export interface Happening<T> {
  readonly value: T
  readonly key: string
  /** Event time in ms. */
  readonly at: number
  /** It is older than records before it, by more than `outOfOrderMs`. */
  readonly late: boolean
  /** Its number in the history, so that records can be told apart. */
  readonly n: number
}

export interface HistoryOptions {
  /** How many keys there are; 3 unless told. */
  readonly keys?: number
  /** How much one key outweighs the next: 1 for all alike (the default), 3 where each key has a third of the records of the one before. */
  readonly skew?: number
  /** How far apart records are at most; 10 unless told. */
  readonly gapMs?: number
  /** How far a record that is not late may be behind the newest; 5 unless told. */
  readonly outOfOrderMs?: number
  /** One in so many records is late; 8 unless told, `Infinity` for none. */
  readonly lateEvery?: number
  /** How late those are at most, beyond `outOfOrderMs`; 50 unless told. */
  readonly lateMs?: number
  /** One in so many gaps is a silence; 10 unless told, `Infinity` for none. */
  readonly idleEvery?: number
  /** How long a silence is at most; 1000 unless told. */
  readonly idleMs?: number
  /** How many records there are at most; 30 unless told. Five histories in six have up to ten, the others any number. */
  readonly maxLength?: number
}

/**
 * Makes histories of your own values: with keys, event times, late records, silences, and keys that have more than others.
 *
 * What a pipeline distinguishes has to be in what it is tried on: a law that never sees a late record says nothing about them.
 *
 * @param values - arbitrary values, such as those of {@link arbitraryOf}
 * @param record - makes a record of what happened; unless told, what happened is the record
 * @example Clicks of few users, some of them late
 * ```ts
 * const clicks = histories(fc.constantFrom('buy', 'look'), ({ value, key, at }) => ({ user: key, what: value, at }), { keys: 2, lateEvery: 4 })
 * const law = recoveryEquivalence((input: Stream<{ user: string }>) => input.pipe(keyBy(({ user }) => user)), clicks)
 * const { runs } = await law.check({ runs: 10 })
 * runs // => 10
 * ```
 * @category laws
 * @since 0.2.0
 */
export function histories<T, R = Happening<T>>(
  values: fc.Arbitrary<T>,
  record: (happening: Happening<T>) => R = (happening) => happening as R,
  {
    keys = 3,
    skew = 1,
    gapMs = 10,
    outOfOrderMs = 5,
    lateEvery = 8,
    lateMs = 50,
    idleEvery = 10,
    idleMs = 1_000,
    maxLength = 30,
  }: HistoryOptions = {},
): fc.Arbitrary<readonly R[]> {
  const key = fc.oneof(
    ...Array.from({ length: keys }, (_, index) => ({ weight: Math.max(1, Math.round(100 / skew ** index)), arbitrary: fc.constant(`key${index}`) })),
  )
  const passing = oneIn(idleEvery, fc.integer({ min: gapMs + 1, max: gapMs + idleMs }), fc.nat({ max: gapMs }))
  const behind = oneIn(
    lateEvery,
    fc.record({ late: fc.constant<boolean>(true), byMs: fc.integer({ min: outOfOrderMs + 1, max: outOfOrderMs + lateMs }) }),
    fc.record({ late: fc.constant<boolean>(false), byMs: fc.nat({ max: outOfOrderMs }) }),
  )
  return shortOrLong(fc.record({ value: values, key, passing, behind }), { maxLength }).map((all) => {
    let newest = 0
    return all.map(({ value, key: of, passing: passed, behind: { late, byMs } }, n) => {
      newest += passed
      const at = Math.max(0, newest - byMs)
      return record({ value, key: of, at, late: late && newest - at > outOfOrderMs, n })
    })
  })
}

/** The simpler one comes last to mind: it is what a counterexample shrinks to. */
const oneIn = <A>(every: number, seldom: fc.Arbitrary<A>, often: fc.Arbitrary<A>): fc.Arbitrary<A> =>
  every === Number.POSITIVE_INFINITY
    ? often
    : fc.oneof({ weight: Math.max(0, Math.round(every) - 1), arbitrary: often }, { weight: 1, arbitrary: seldom })
