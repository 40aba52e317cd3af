import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { migrationLaws } from '../../laws/migrationLaws.js'
import { codec } from '../../lib/index.js'
import { expectCaught } from '../support/caught.js'

interface Name {
  readonly first: string
  readonly last: string
}
const name = fc.record({ first: fc.stringMatching(/^[a-z]{1,5}$/), last: fc.stringMatching(/^[a-z]{1,5}$/) })
const whole = name.map(({ first, last }) => `${first} ${last}`)
const split = (text: string): Name => ({ first: text.split(' ')[0] as string, last: text.split(' ')[1] as string })
const migrations = {
  1: (stored: unknown) => ({ whole: stored }),
  2: (stored: unknown) => split((stored as { whole: string }).whole),
}
const names = codec<Name>({ version: 3, encode: ({ first, last }) => ({ first, last }), decode: (stored) => stored as Name, migrations })
const olds = {
  1: { stored: whole, means: split },
  2: { stored: whole.map((text) => ({ whole: text })), means: ({ whole: text }: { whole: string }) => split(text) },
}
const laws = (more: object = {}, known: object = olds) =>
  migrationLaws<Name>({ codec: { ...names, ...more } as never, values: name, olds: known as never })

describe('a codec whose shape has changed twice', () => {
  for (const law of laws()) it(`${law.name}: ${law.statement}`, () => law.check())
})

describe('a migration is caught that', () => {
  it('loses something', () =>
    expectCaught(laws({ migrations: { ...migrations, 1: (stored: string) => ({ whole: stored.slice(1) }) } }), 'old-values-decode'))
  it('nobody tries', () => expectCaught(laws({}, { 2: olds[2] }), 'old-values-decode'))
  it('changes what it is given', () =>
    expectCaught(
      laws({
        migrations: {
          ...migrations,
          2: (stored: { whole: string }) => {
            const { whole: text } = stored
            stored.whole = ''
            return split(text)
          },
        },
      }),
      'migration-purity',
    ))
  it('asks the clock', () =>
    expectCaught(laws({ migrations: { ...migrations, 1: (stored: string) => ({ whole: `${stored}${Date.now()}` }) } }), 'migration-purity'))
  it('is repeated by the decoder', () =>
    expectCaught(laws({ decode: (stored: Name) => ({ first: `${stored.first}!`, last: stored.last }) }), 'migrated-once'))
})

it('a codec without a past is a mistake of the caller', () => {
  expect(() => laws({}, {})).toThrow(RangeError)
})
