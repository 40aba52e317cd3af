import { describe, expect, it } from 'vitest'
import { type DamageVerdict, damagedDirectory, damagedFileSink, damagedJournal, damagedJsonLines } from './mediaDamage.js'

/** `RXWEIR_EVERY_BIT=1`: every bit instead of some. */
const bitStep = process.env.RXWEIR_EVERY_BIT === '1' ? 1 : 5

const expectSound = ({ cases, noticed, wrong }: DamageVerdict): void => {
  expect(wrong.slice(0, 3)).toEqual([])
  expect(noticed).toBeGreaterThan(cases / 3)
}

describe('damage is told by a code, or changes nothing:', () => {
  it('segments and manifests', async () => expectSound(await damagedDirectory({ bitStep: 2 * bitStep })))
  it('files of a journal', async () => expectSound(await damagedJournal({ bitStep })))
  it('parts of lines that wait for their commit', async () => expect((await damagedJsonLines({ bitStep })).wrong.slice(0, 3)).toEqual([]))
  it('parts that roll, and go on in a later process', async () => expect((await damagedFileSink({ bitStep })).wrong.slice(0, 3)).toEqual([]))
})
