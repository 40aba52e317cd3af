import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { arbitraryOf } from '../../laws/arbitraries/arbitraryOf.js'
import { type Happening, histories } from '../../laws/arbitraries/histories.js'

interface Tree {
  readonly value: number
  readonly children: readonly Tree[] | null
}
const Tree: t.Type<Tree> = t.recursion('Tree', () => t.type({ value: t.number, children: t.union([t.null, t.readonlyArray(Tree)]) }))
const Link: t.Type<unknown> = t.recursion('Link', () => t.union([t.null, t.type({ next: Link })]) as never)
const Endless: t.Type<unknown> = t.recursion('Endless', () => t.type({ next: Endless }) as never)

describe('an arbitrary of an io-ts type', () => {
  const types: { readonly [name: string]: t.Mixed } = {
    record: t.type({ a: t.string, b: t.Int, c: t.union([t.literal('x'), t.boolean]) }),
    partial: t.partial({ a: t.number }),
    both: t.intersection([t.type({ a: t.null }), t.partial({ b: t.undefined })]),
    exact: t.exact(t.type({ a: t.readonly(t.type({ b: t.bigint })) })),
    lists: t.tuple([t.array(t.number), t.readonlyArray(t.string), t.UnknownArray]),
    names: t.record(t.string, t.number),
    keys: t.record(t.keyof({ a: null, b: null }), t.unknown),
    even: t.refinement(t.Int, (n) => n % 2 === 0),
    link: Link,
  }
  it.each(Object.keys(types))('of %s makes what the type takes', (name) => {
    const type = types[name] as t.Mixed
    fc.assert(fc.property(arbitraryOf(type), (value) => type.is(value)))
  })

  it('ends where a type that contains itself may end, and says where it cannot', () => {
    expect(() => fc.sample(arbitraryOf(Endless), 20)).toThrow('has no end')
  })

  it('says that it does not know a type of its own kind', () => {
    const date = new t.Type<Date>('date', (value): value is Date => value instanceof Date, t.failure as never, t.identity)
    expect(() => arbitraryOf(date)).toThrow('the type date is no structure of other types')
  })
})

describe('histories', () => {
  const all = (options: Parameters<typeof histories>[2]): readonly Happening<unknown>[][] =>
    fc.sample(histories(fc.nat(), undefined, options), { numRuns: 200, seed: 1 }) as Happening<unknown>[][]

  it('have late records and silences, as often as they are told', () => {
    const drawn = all({ lateEvery: 4, idleEvery: 5, idleMs: 500 }).flat()
    const late = drawn.filter((each) => each.late).length / drawn.length
    expect(late).toBeGreaterThan(0.1)
    expect(late).toBeLessThan(0.35)
    const never = all({ lateEvery: Number.POSITIVE_INFINITY, idleEvery: Number.POSITIVE_INFINITY, gapMs: 3, outOfOrderMs: 0 })
    expect(never.flat().some((each) => each.late)).toBe(false)
    for (const history of never) for (const [index, { at }] of history.entries()) expect(at - (history[index - 1]?.at ?? at)).toBeLessThanOrEqual(3)
  })

  it('call late only what is behind what is out of order', () => {
    for (const history of all({ outOfOrderMs: 5 })) {
      let newest = 0
      for (const { at, late } of history) {
        expect(late).toBe(newest - at > 5 || late)
        newest = Math.max(newest, at)
      }
    }
  })

  it('have keys of which one has more than the next', () => {
    const counts = new Map<string, number>()
    for (const { key } of all({ keys: 3, skew: 4 }).flat()) counts.set(key, (counts.get(key) ?? 0) + 1)
    const [first = 0, second = 0, third = 0] = ['key0', 'key1', 'key2'].map((key) => counts.get(key))
    expect(first).toBeGreaterThan(2.5 * second)
    expect(second).toBeGreaterThan(2 * third)
  })

  it('make records of what happened', () => {
    const [history] = fc
      .sample(
        histories(fc.constant('v'), ({ value, key, at, n }) => `${value} ${key} ${at >= 0} ${n}`),
        { numRuns: 20, seed: 2 },
      )
      .filter(({ length }) => length > 1)
    expect(history?.[1]).toMatch(/^v key\d true 1$/)
  })
})
