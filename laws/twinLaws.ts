import fc from 'fast-check'
import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs'
import type { AnyStream, StreamElement } from '../lib/element.js'
import { type Law, law } from './law.js'
import { same } from './same.js'
import { twinHistory } from './twinHistory.js'
import { type Notified, type Played, playRxjs, playTwin } from './twinRun.js'

export interface TwinUnderLaw<T, R> {
  /** Makes the operator, anew each time. */
  twin(...others: readonly Observable<StreamElement<T, never>>[]): (source: Observable<StreamElement<T, never>>) => AnyStream<R>
  /** Makes RxJS's operator. One that waits is given the scheduler whose time both see. */
  rxjs(scheduler: SchedulerLike, ...others: readonly Observable<T>[]): OperatorFunction<T, R>
  readonly values: fc.Arbitrary<T>
  /** How many inputs it has; one unless told. */
  readonly inputs?: number
  /** With keys it ends as soon as nothing more can come of any, where `groupBy` waits for its source. Default no. */
  readonly endsEarly?: boolean
}

/**
 * What a recoverable twin of an operator of RxJS promises, beside the laws of every operator.
 *
 * Both are given the same history: values at their times in a virtual time, errors, an end or none. What they let out must agree
 * in value, time, end and error, the very same error.
 *
 * **When to use** for a twin of your own, of an operator that `rxweir/durable` does not have.
 *
 * @example A twin of `scan`
 * ```ts
 * const add = (sum: number, n: number): number => sum + n
 * const laws = twinLaws<number, number>({ twin: () => durable.scan('sum', add, 0), rxjs: () => rx.scan(add, 0), values: fc.integer() })
 * for (const law of laws) await law.check({ runs: 10, seed: 1 })
 * laws.map(({ name }) => name) // => ['twin-equivalence', 'twin-equivalence-per-key']
 * ```
 * @category laws
 * @since 0.2.0
 */
export function twinLaws<T, R>({ twin, rxjs, values, inputs = 1, endsEarly = false }: TwinUnderLaw<T, R>): readonly Law[] {
  const about = (name: string, statement: string, keyed: boolean): Law =>
    law(name, statement, () =>
      fc.asyncProperty(twinHistory(values, inputs), async (events) => {
        const failure = new Error('of the history')
        const expected = playRxjs<T, R>({
          operator: (scheduler, ...others) => rxjs(scheduler, ...others),
          inputs,
          keyed,
          events,
          failure,
        })
        for (const kind of ['local', 'job'] as const) {
          const found = playTwin<T>({
            apply: ([first, ...others]) => twin(...(others as never[]))(first as never),
            inputs,
            keyed,
            kind,
            events,
            failure,
          })
          agree(found, keyed && endsEarly ? endedAsEarly(expected, found) : expected, `in a ${kind} run`)
          if (kind === 'local' && inputs === 1 && !keyed) same(found.listens, expected.listens, 'whether it still listens to its source')
        }
      }),
    )
  return [
    about('twin-equivalence', "what leaves it, and when, is what leaves RxJS's operator", false),
    about('twin-equivalence-per-key', "of each key there leaves it what leaves RxJS's operator in a group of groupBy", true),
  ]
}

/** What is expected of an operator that ends where `groupBy` goes on: the same values, and an end no later. */
function endedAsEarly(expected: Played, { notified }: Played): Played {
  const end = notified.at(-1)
  const theirs = expected.notified.at(-1)
  if (end?.kind !== 'complete' || (theirs?.kind === 'complete' && theirs.atMs < end.atMs)) return expected
  return { ...expected, notified: [...expected.notified.filter(({ kind }) => kind === 'next'), end] }
}

/** Between keys no order is promised; within one, and behind all, it is. */
function agree(found: Played, expected: Played, where: string): void {
  const keys = new Set([...found.notified, ...expected.notified].map(({ key }) => key))
  const told = ({ atMs, kind, value }: Notified): unknown => [atMs, kind, kind === 'error' ? 'its error' : value]
  for (const one of keys) {
    const ofKey = ({ notified }: Played): readonly unknown[] => notified.filter(({ key }) => key === one).map(told)
    same(ofKey(found), ofKey(expected), `what left it ${where}${one === undefined ? '' : ` of key ${String(one)}`}`)
  }
  const ending = ({ notified }: Played): Notified | undefined => notified.at(-1)
  const [ours, theirs] = [ending(found), ending(expected)]
  same(ours?.kind, theirs?.kind, `how it ended ${where}`)
  if (ours?.kind === 'error' && !Object.is(ours.value, theirs?.value)) throw new Error(`the error ${where} is another one: ${String(ours.value)}`)
}
