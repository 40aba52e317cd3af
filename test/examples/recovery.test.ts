import fc from 'fast-check'
import { from, Subject } from 'rxjs'
import { collect, records, type Stream, values } from 'rxweir'
import { jobLaws, type Law, recoveryEquivalence } from 'rxweir/laws'
import { describe, expect, it } from 'vitest'
import { type Action as BasketAction, baskets } from '../../examples/angularLike.js'
import * as averageTimestamp from '../../examples/averageTimestamp.js'
import { inBatches } from '../../examples/bufferingSink.js'
import { type Click, clicks } from '../../examples/clicks.js'
import { type Action, type Match, matches, matchesOf, type Pattern } from '../../examples/dynamicPatterns.js'
import { everyHundred } from '../../examples/everyHundred.js'
import { type Entry, fullJoin } from '../../examples/fullJoin.js'
import { summaries } from '../../examples/kindsOfState.js'
import { invoicesOf } from '../../examples/nestLike.js'
import { groupsOfThree } from '../../examples/ownOperator.js'
import { pageViews } from '../../examples/pageViews.js'
import { withPrevious, withPreviousInShort } from '../../examples/previousValue.js'
import { programs } from '../../examples/programs.js'
import { visits } from '../../examples/stateTtl.js'
import * as windowByHand from '../../examples/windowByHand.js'
import { totals } from '../../examples/wordCount/batch.js'
import { countsOfBoth } from '../../examples/wordCount/twoSources.js'
import { runningCounts } from '../../examples/wordCount/words.js'

const someClicks = (stepMs: number): fc.Arbitrary<readonly Click[]> =>
  fc
    .array(
      fc.record({ user: fc.constantFrom('Mary', 'Bob'), url: fc.constantFrom('./home', './cart'), afterMs: fc.integer({ min: 0, max: stepMs }) }),
      { maxLength: 24 },
    )
    .map((all) => {
      let timestamp = 0
      return all.map(({ user, url, afterMs }) => ({ user, url, timestamp: (timestamp += afterMs) }))
    })
const texts = fc.array(fc.constantFrom('hello world', 'hello flink', 'hello'), { maxLength: 12 })
const entries = (name: string): fc.Arbitrary<Entry[]> =>
  fc.array(fc.constantFrom('a', 'b'), { maxLength: 6 }).map((ids) => ids.map((id, index): Entry => [id, name, 1_000 * index]))
const log: fc.Arbitrary<(Action | Pattern)[]> = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ action1: fc.constant('login'), action2: fc.constantFrom('pay', 'buy') }) },
    { weight: 4, arbitrary: fc.record({ user: fc.constantFrom('Alice', 'Bob'), action: fc.constantFrom('login', 'pay', 'buy') }) },
  ),
  { maxLength: 24 },
)
const orders = fc.array(
  fc.record({ customer: fc.constantFrom('ada', 'bob'), product: fc.constantFrom('tea', 'milk'), amount: fc.integer({ min: 1, max: 9 }) }),
  { maxLength: 20 },
)
const basketActions: fc.Arbitrary<BasketAction[]> = fc.array(
  fc.oneof(
    fc.constant<BasketAction>({ kind: 'show' }),
    fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const), product: fc.constantFrom('tea', 'milk') }),
  ),
  { maxLength: 20 },
)
const placed = fc.array(fc.record({ customer: fc.constantFrom('ada', 'bob'), euros: fc.integer({ min: 1, max: 9 }) }), { maxLength: 20 })
/** Enough of them that a key comes a hundred times. */
const numbers = fc.integer({ min: 0, max: 450 }).map((length) => Array.from({ length }, (_, n) => n))

const ofTwo =
  <A, B>(build: (left: Stream<A>, right: Stream<B>) => ReturnType<typeof countsOfBoth> | ReturnType<typeof fullJoin>) =>
  ({ source, sink }: Parameters<Parameters<typeof jobLaws>[0]['build']>[0]) =>
    build(source<A>('left'), source<B>('right')).pipe(sink('output'))
const recovery = (job: Parameters<typeof jobLaws>[0]): Law => jobLaws(job).find(({ name }) => name === 'recovery-equivalence') as Law

/** The programs that read two sources: which comes first is not promised, so the order is that of each key, or none. */
const twoSources = recovery({ inputs: { left: texts, right: texts }, sinks: ['output'], build: ofTwo(countsOfBoth) })
const joined = recovery({ inputs: { left: entries('left'), right: entries('right') }, sinks: ['output'], order: 'multiset', build: ofTwo(fullJoin) })

const laws: readonly (readonly [program: string, law: Law])[] = [
  ['wordCount/batch', recoveryEquivalence(totals, texts)],
  ['wordCount/bounded', recoveryEquivalence(runningCounts, texts, { order: 'exact' })],
  ['wordCount/twoSources', twoSources],
  ['previousValue', recoveryEquivalence(withPrevious, fc.array(fc.constantFrom('1', '2')), { order: 'exact' })],
  ['everyHundred', recoveryEquivalence(everyHundred, numbers, { order: 'exact' })],
  ['kindsOfState', recoveryEquivalence(summaries, orders, { order: 'exact' })],
  ['pageViews', recoveryEquivalence(pageViews, someClicks(6_000))],
  ['fullJoin', joined],
  ['windowByHand, by hand', recoveryEquivalence(windowByHand.byHand, someClicks(6_000))],
  ['windowByHand, with window', recoveryEquivalence(windowByHand.byWindow, someClicks(6_000))],
  ['averageTimestamp, by hand', recoveryEquivalence(averageTimestamp.byHand, someClicks(1_000), { order: 'exact' })],
  ['averageTimestamp, with a count window', recoveryEquivalence(averageTimestamp.byWindow, someClicks(1_000), { order: 'exact' })],
  ['stateTtl', recoveryEquivalence(visits, someClicks(4_000_000), { order: 'exact' })],
  ['bufferingSink', recoveryEquivalence(inBatches, someClicks(1_000), { order: 'exact' })],
  ['ownOperator', recoveryEquivalence(groupsOfThree, fc.array(fc.nat(9)), { order: 'exact' })],
  ['angularLike', recoveryEquivalence(baskets, basketActions, { order: 'exact' })],
  ['nestLike', recoveryEquivalence(invoicesOf, placed, { order: 'exact' })],
  ['dynamicPatterns', recoveryEquivalence(matchesOf, log, { order: 'exact' })],
]

describe('a crash at any moment changes nothing of', () => {
  it.each(laws)('%s', async (_program, law) => {
    await law.check({ runs: 50 })
  })
})

it('each program is crashed: here, in its own main, or in a process that is killed', () => {
  const elsewhere = ['configuration', 'recovery', 'wordCount/socket']
  expect([...new Set(laws.map(([program]) => program.replace(/,.*/, ''))), ...elsewhere].sort()).toEqual(programs())
})

describe('two ways to write a program', () => {
  const inOrder = (input: readonly Click[]): Promise<[string[], string[], string[], string[]]> =>
    Promise.all([
      collect(windowByHand.byHand(from(input).pipe(records()))),
      collect(windowByHand.byWindow(from(input).pipe(records()))),
      collect(averageTimestamp.byHand(from(input).pipe(records()))),
      collect(averageTimestamp.byWindow(from(input).pipe(records()))),
    ])

  it('print the same: windows and averages', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant(clicks), someClicks(6_000)), async (input) => {
        const [byHand, byWindow, averageByHand, averageByWindow] = await inOrder(input)
        // Windows of several pages that end together have no order among each other.
        expect(byHand.sort()).toEqual(byWindow.sort())
        expect(averageByHand).toEqual(averageByWindow)
      }),
    )
  })

  it('print the same: the previous value', async () => {
    const input = ['1', '2', '1', '1', '2']
    const long = await collect(withPrevious(from(input).pipe(records())))
    expect(long).toEqual(['null 1 processed', 'null 2 processed', '1 processed 1 processed', '1 processed 1 processed', '2 processed 2 processed'])
    expect(await collect(withPreviousInShort(from(input).pipe(records())))).toEqual(long)
  })
})

it('patterns on a stream of their own change while the actions go on', () => {
  const [actions, patterns] = [new Subject<Action>(), new Subject<Pattern>()]
  const found: Match[] = []
  matches(actions.pipe(records()), patterns.pipe(records()))
    .pipe(values())
    .subscribe((match) => found.push(match))
  const bobDoes = (...done: readonly string[]): void => {
    for (const action of done) actions.next({ user: 'Bob', action })
  }
  bobDoes('login', 'buy')
  patterns.next({ action1: 'login', action2: 'pay' })
  bobDoes('login', 'pay', 'login', 'buy')
  patterns.next({ action1: 'login', action2: 'buy' })
  bobDoes('login', 'pay', 'login', 'buy')
  expect(found).toEqual([
    { user: 'Bob', pattern: { action1: 'login', action2: 'pay' } },
    { user: 'Bob', pattern: { action1: 'login', action2: 'buy' } },
  ])
})
