import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stepLaws } from '../../laws/stepLaws.js'
import { expectCaught } from '../support/caught.js'

interface Kept {
  readonly last: readonly number[]
}
const initial: Kept = { last: [] }
const values = fc.nat(9)
const laws = (step: (state: Kept, n: number) => readonly [Kept | undefined, unknown]) => stepLaws({ step, initial, values })
const keep = ({ last }: Kept, n: number): readonly [Kept, number] => [{ last: [...last, n].slice(-3) }, last.length]

describe('a step', () => {
  for (const law of laws(keep)) it(`${law.name}: ${law.statement}`, () => law.check())

  it('is told how often the order of records matters to it', async () => {
    const law = laws(keep).find(({ name }) => name === 'step-order')
    const { counters, notes } = (await law?.check({ seed: 1 })) ?? {}
    expect(counters?.['histories']).toBe(100)
    expect(counters?.['orderSensitive']).toBeGreaterThan(20)
    expect(notes?.[0]).toMatch(/^the order of records matters: \d+ of 100 histories/)
  })

  it('that the order does not matter to may say so', async () => {
    const law = stepLaws({ step: (sum: number, n: number) => [sum + n, sum], initial: 0, values, order: 'free' }).at(-1)
    expect((await law?.check())?.notes).toEqual([])
    await expectCaught(stepLaws({ step: keep, initial, values, order: 'free' }), 'step-order')
  })

  it('begins anew after a state that was given back', async () => {
    for (const law of laws((state, n) => (n === 9 ? [undefined, 'gone'] : keep(state, n)))) await law.check()
  })
})

describe('a step is caught that', () => {
  it('changes its state in place', () =>
    expectCaught(
      laws((state, n) => {
        ;(state.last as number[]).push(n)
        return [state, n]
      }),
      'step-purity',
    ))
  it('changes the value', () => {
    const step = (count: number, value: { seen?: boolean }) => {
      value.seen = true
      return [count + 1, count] as const
    }
    const fresh = fc.constant(0).map(() => ({}))
    return expectCaught(stepLaws({ step, initial: 0, values: fresh }), 'step-purity')
  })
  it('asks the clock', () =>
    expectCaught(
      laws((state) => [state, Date.now()]),
      'step-determinism',
    ))
  it('asks what day it is', () =>
    expectCaught(
      laws((state) => [state, new Date()]),
      'step-determinism',
    ))
  it('draws a number', () =>
    expectCaught(
      laws((state, n) => keep(state, n + Math.random())),
      'step-determinism',
    ))
  it('remembers something beside its state', () => {
    let calls = 0
    return expectCaught(
      laws((state) => [state, (calls += 1)]),
      'step-determinism',
    )
  })
  it('keeps what no checkpoint can store', () =>
    expectCaught(
      stepLaws({
        step: (state: { readonly next: () => number }, n: number) => [{ next: () => state.next() + n }, 0],
        initial: { next: () => 0 },
        values,
      }),
      'step-storable',
    ))
})

it('the clock and the luck of the machine are its own again', () => {
  expect(new Date().getFullYear()).toBeLessThan(2100)
  expect(Math.random()).not.toBe(Math.random())
})
