import { inChild } from '../inChild.js'
import { markdown, type Section } from '../section.js'
import type { ExpiryMeasurement, ExpiryRequest } from './measureExpiry.js'
import { operators } from './oneTimeKeys.js'

/** A key is forgotten when so many others have come. */
const keptKeys = 10_000

/** What is kept of keys that come once and never again, with the option that lets them expire and without. */
export const expirySection: Section = {
  name: 'expiry',
  async run({ quick, progress }) {
    const keys = quick ? 50_000 : 1_000_000
    const rows: string[][] = []
    const figures: { [operator: string]: unknown } = {}
    const peakMb = async (operator: string, kept: number | null): Promise<number> => {
      const request: ExpiryRequest = { operator, keys, keptKeys: kept }
      const { peakMb: found } = await inChild<ExpiryMeasurement>('expiry', request)
      progress(`expiry: ${operator}${kept === null ? '' : ' bounded'}: ${found.toFixed(1)} MB`)
      return Number(found.toFixed(1))
    }
    for (const operator of Object.keys(operators)) {
      const bounded = await peakMb(operator, keptKeys)
      const unbounded = await peakMb(operator, null)
      rows.push([operator, `${bounded} MB`, `${unbounded} MB`])
      figures[operator] = { boundedMb: bounded, unboundedMb: unbounded }
    }
    const title = `${keys.toLocaleString('en')} keys that come once, each forgotten after ${keptKeys.toLocaleString('en')} others: the peak of the heap, above the start`
    return { tables: [markdown(title, ['operator', 'bounded', 'without'], rows)], figures }
  },
}
