import { describe, expect, it } from 'vitest'
import { damaged } from './damages.js'
import { damagedFormats, damagedJournal, damagedKeyValueJournal, damageEveryFormat } from './mediaDamage.js'

/** `RXWEIR_EVERY_BIT=1`: every bit instead of some. */
const bitStep = process.env.RXWEIR_EVERY_BIT === '1' ? 1 : 10

describe('damage is told by a code, or changes nothing:', () => {
  for (const [format, damage] of Object.entries(damagedFormats))
    it(format, async () => {
      // Keys are derived for each file of those that are sealed.
      const { cases, noticed, wrong } = await damage({ bitStep: format.endsWith('sealed') ? 5 * bitStep : bitStep })
      expect(wrong.slice(0, 3)).toEqual([])
      // What is visible already is read by nobody here.
      expect(noticed).toBeGreaterThan(cases / (format.startsWith('parts') ? 10 : 3))
    })

  it('every bit of a journal of files', async () => expect((await damagedJournal({ bitStep: 1 })).wrong.slice(0, 3)).toEqual([]))
  it('every bit of a journal in keys and values', async () => {
    const { wrong, noticed, cases } = await damagedKeyValueJournal({ bitStep: 1 })
    expect(wrong.slice(0, 3)).toEqual([])
    expect(noticed).toBe(cases)
  })
  it('every format in one call, in references that are as large as they are asked to be', async () => {
    const { flips, cases, formats, hostile, wrong } = await damageEveryFormat({ seed: 1, flips: 20, hostile: 500, bytes: 1_500 })
    expect(wrong.slice(0, 3)).toEqual([])
    expect(flips).toBeGreaterThanOrEqual(20 * formats)
    expect(cases).toBeGreaterThan(flips)
    expect(hostile).toBeGreaterThanOrEqual(500)
  })
})

describe('damage that a reader takes for something else is told:', () => {
  const contents = new Map([['a file', Uint8Array.from({ length: 200 }, (_, index) => index)]])

  it('a reader without a checksum', async () => {
    const read = async (_: string, instead?: Uint8Array) => (instead?.length === 200 ? 'it was read silently' : ('the same' as const))
    const { wrong, flips } = await damaged({ contents, older: new Map(), read }, {})
    expect(flips).toBe(1_600)
    expect(wrong.length).toBeGreaterThan(1_600)
  })

  it('a reader that fails without a code', async () => {
    const read = async () => Promise.reject(new TypeError('no property of undefined'))
    const { wrong, cases } = await damaged({ contents, older: new Map(), read }, {})
    expect(wrong.length).toBe(cases)
  })
})
