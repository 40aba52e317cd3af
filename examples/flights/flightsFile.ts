import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dayMs, type Flight } from './flight.js'

/** A flight as the data set has it, such as `{"date":"2001/01/01 00:47","delay":66,"distance":1750,"origin":"DTW","destination":"LAS"}`. */
type Listed = Omit<Flight, 'id' | 'scheduled'> & { readonly date: string }

const dataSet = new URL('../../node_modules/vega-datasets/data/flights-20k.json', import.meta.url)
/** The data set covers the first 90 days of 2001; each repetition is that much later. */
const spanDays = 90

/** The flights of the data set in the order of the schedule, repeated up to a number. */
export async function flights(count: number): Promise<readonly Flight[]> {
  const listed = JSON.parse(await readFile(dataSet, 'utf8')) as readonly Listed[]
  return Array.from({ length: count }, (_, index) => {
    const { date, ...flight } = listed[index % listed.length]!
    const laterMs = Math.floor(index / listed.length) * spanDays * dayMs
    return { id: index + 1, scheduled: new Date(Date.parse(`${date.replaceAll('/', '-').replace(' ', 'T')}Z`) + laterMs).toISOString(), ...flight }
  })
}

export async function writeLines(path: string, values: readonly unknown[]): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 })
  for (const value of values) if (!file.write(`${JSON.stringify(value)}\n`)) await once(file, 'drain')
  file.end()
  await once(file, 'close')
}
