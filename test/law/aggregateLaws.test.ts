import fc from 'fast-check'
import { describe, it } from 'vitest'
import { aggregateLaws } from '../../laws/aggregateLaws.js'
import { type Aggregate, countRecords, mean } from '../../lib/index.js'
import { expectCaught } from '../support/caught.js'

type Numbers<A> = Aggregate<number, A, number>

describe('the aggregates of the library keep their laws:', () => {
  for (const law of aggregateLaws({ aggregate: countRecords(), values: fc.anything() })) it(`countRecords: ${law.statement}`, () => law.check())
  const agree = (one: number, other: number): boolean => Object.is(one, other) || Math.abs(one - other) < 1e-9
  for (const law of aggregateLaws({ aggregate: mean((n: number) => n), values: fc.integer(), agree })) it(`mean: ${law.statement}`, () => law.check())
})

describe('an aggregate is caught that', () => {
  const sum: Numbers<number> = { create: () => 0, add: (total, n) => total + n, merge: (a, b) => a + b, result: (total) => total }
  const list: Numbers<number[]> = { create: () => [], add: (all, n) => [...all, n], merge: (a, b) => [...a, ...b], result: (all) => all.length }
  const inPlace = (all: number[], ...more: number[]): number[] => {
    all.push(...more)
    return all
  }
  const laws = <A>(aggregate: Numbers<A>) => aggregateLaws({ aggregate, values: fc.nat() })

  it('adds in place', () => expectCaught(laws<number[]>({ ...list, add: inPlace }), 'aggregate-purity'))
  it('merges in place', () => expectCaught(laws<number[]>({ ...list, merge: (a, b) => inPlace(a, ...b) }), 'aggregate-purity'))
  it('sorts its accumulator to find the result', () =>
    expectCaught(laws<number[]>({ ...list, result: (all) => all.sort((a, b) => b - a)[0] ?? 0 }), 'aggregate-purity'))
  it('asks the clock', () => expectCaught(laws({ ...sum, result: (total) => total + Date.now() }), 'aggregate-determinism'))
  it('draws a number', () => expectCaught(laws({ ...sum, add: (total, n) => total + n * Math.random() }), 'aggregate-determinism'))
  it('keeps what no checkpoint can store', () =>
    expectCaught(
      laws<() => number>({ create: () => () => 0, add: (total, n) => () => total() + n, result: (total) => total() }),
      'aggregate-storable',
    ))
  it('forgets the second accumulator', () => expectCaught(laws({ ...sum, merge: (a) => a }), 'merge-agrees'))
  it('subtracts where it merges', () => expectCaught(laws({ ...sum, merge: (a, b) => a - b }), 'merge-associative'))
})
