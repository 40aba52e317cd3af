import { describe, expect, it } from 'vitest'
import { feed, hostileInputs } from '../simulation/hostileInputs.js'
import { mutated } from '../support/mutated.js'

const runs = Number(process.env.RXWEIR_HOSTILE_RUNS ?? 200)

describe('what somebody else wrote is refused or understood:', () => {
  for (const input of hostileInputs) it(`${input.kind}, ${input.name}`, () => feed(input, { runs }))

  it('there are decoders of every kind', () => {
    expect(new Set(hostileInputs.map(({ kind }) => kind))).toEqual(new Set(['JSON', 'bytes', 'texts', 'kept']))
    expect(hostileInputs.length).toBeGreaterThan(25)
  })
})

describe('a decoder is caught that', () => {
  const caught = (decode: (hostile: never) => unknown): Promise<void> =>
    expect(feed({ kind: 'JSON', name: 'broken', hostile: mutated({ a: { b: 1 } }), decode }, { runs: 200, seed: 1 })).rejects.toThrow()

  it('throws something without a code', () => caught((stored: { readonly a: { readonly b: number } }) => stored.a.b))
  it('assigns names that it was given', () =>
    caught((stored: { readonly [name: string]: { readonly polluted: number } }) => {
      const kept: { [name: string]: { [name: string]: unknown } } = {}
      for (const [name, value] of Object.entries(stored ?? {})) {
        kept[name] ??= {}
        for (const inner of Object.keys(value ?? {})) (kept[name] as { [name: string]: unknown })[inner] = 1
      }
      const left = Reflect.deleteProperty(Object.prototype, 'polluted') && ({} as { polluted?: number }).polluted
      if (left !== undefined) throw new Error('polluted')
    }))
})
