import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, it } from 'vitest'
import * as z from 'zod'
import { codecLaws } from '../../laws/codecLaws.js'
import { codec, json } from '../../lib/index.js'
import { expectCaught } from '../support/caught.js'

describe('codecs keep their laws:', () => {
  const plain = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    key: fc.constantFrom('__proto__', 'a', '$map', 'constructor'),
  })
  for (const law of codecLaws({ codec: json<unknown>(), values: plain })) it(`json(): ${law.statement}`, () => law.check({ runs: 300 }))
  for (const law of codecLaws({ codec: t.record(t.string, t.number), values: fc.dictionary(fc.string(), fc.double()) }))
    it(`io-ts: ${law.statement}`, () => law.check())
  for (const law of codecLaws({ codec: z.object({ name: z.string() }), values: fc.record({ name: fc.string() }) }))
    it(`zod: ${law.statement}`, () => law.check())
  const reversed = codec({ encode: (text: string) => [...text].reverse(), decode: (stored) => (stored as string[]).slice().reverse().join('') })
  for (const law of codecLaws({ codec: reversed, values: fc.string({ unit: 'grapheme' }) }))
    if (law.name !== 'hostile-bytes') it(`a codec: ${law.statement}`, () => law.check())
})

describe('a codec is caught that', () => {
  const text = fc.string()
  const numbers = fc.array(fc.nat(), { minLength: 2 })

  it('loses something', () =>
    expectCaught(codecLaws({ codec: codec({ encode: (s: string) => s.trim(), decode: String }), values: text }), 'round-trip'))
  it('stores minus zero as zero', () =>
    expectCaught(codecLaws({ codec: codec({ encode: (n: number) => n + 0, decode: Number }), values: fc.constantFrom(1, 0, -0) }), 'round-trip'))
  it('makes a name that it reads the prototype of an object', () =>
    expectCaught(
      codecLaws({
        codec: codec({ encode: (value: object) => value, decode: (stored) => Object.assign({}, stored) }),
        values: fc.object({ key: fc.constantFrom('__proto__', 'a') }),
      }),
      'round-trip',
      { seed: 1, runs: 100 },
    ))
  it('sorts what it is given', () =>
    expectCaught(
      codecLaws({ codec: codec({ encode: (all: number[]) => all.sort((a, b) => b - a), decode: (all) => all as number[] }), values: numbers }),
      'encode-purity',
    ))
  it('stores when it was stored', () =>
    expectCaught(
      codecLaws({ codec: codec({ encode: (s: string) => [s, (stamp += 1)], decode: (stored) => (stored as [string])[0] }), values: text }),
      'one-text',
    ))
  let stamp = 0
  it('writes names that it reads onto an object', () =>
    expectCaught(
      codecLaws({
        codec: codec({
          encode: (value: object) => value,
          decode: (stored) => {
            const all = Object.entries(stored as object)
            for (const [name, value] of all) if (typeof value === 'object' && name === '__proto__') Object.assign(Object.prototype, { polluted: 1 })
            Reflect.deleteProperty(Object.prototype, 'never')
            return stored as object
          },
        }),
        values: fc.constant({}),
      }),
      'hostile-bytes',
      { seed: 1, runs: 300 },
    ).finally(() => Reflect.deleteProperty(Object.prototype, 'polluted')))
})
