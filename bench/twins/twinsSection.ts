import { inChild } from '../inChild.js'
import { markdown, type Section } from '../section.js'
import { type Form, type TwinMeasurement, type TwinsRequest, twinsThere } from './measureTwins.js'

/** Each recoverable twin against the operator of RxJS on the same values. */
export const twinsSection: Section = {
  name: 'twins',
  async run({ quick, rounds, progress }) {
    const shape = quick ? { records: 20_000, keys: 1_000, measuredMs: 20 } : { records: 200_000, keys: 10_000, measuredMs: 1_500 }
    const request = (names: TwinsRequest['names']): TwinsRequest => ({ names, ...shape, repetitions: quick ? 3 : rounds })
    const measured: TwinMeasurement[] = []
    // A process for each takes longer than a quick run may.
    for (const names of quick ? [twinsThere] : twinsThere.map((each) => [each])) {
      measured.push(...(await inChild<readonly TwinMeasurement[]>('twins', request(names))))
      progress(`twins: ${measured.length} of ${twinsThere.length}`)
    }
    return { tables: [tableOf(measured, shape)], figures: figuresOf(measured) }
  },
}

const forms: readonly Form[] = ['without keys', 'with keys', 'without a job']
const rounded = (value: number): number => Number(value.toPrecision(3))

function tableOf(measured: readonly TwinMeasurement[], { records, keys }: { readonly records: number; readonly keys: number }): string {
  const rows = measured.map(({ name, form, recordsPerSecond, ratios: { rxjs } }) => [
    name,
    form,
    (recordsPerSecond / 1e6).toFixed(2),
    ...(rxjs === undefined ? [] : [rxjs.byClock, rxjs.byCpu].map((ratio) => `${rounded(ratio)}`)),
    rxjs === undefined ? '' : `${rounded(rxjs.from)}-${rounded(rxjs.to)}`,
  ])
  const title = `Recoverable twins over rxjs, ${records.toLocaleString('en')} readings again and again, ${keys.toLocaleString('en')} keys`
  return markdown(title, ['twin', 'form', 'M records/s', 'over rxjs', 'by processor time', 'from-to'], rows)
}

/** By processor time, for each form the ratio of each twin. */
const figuresOf = (measured: readonly TwinMeasurement[]): unknown =>
  Object.fromEntries(
    forms.map((form) => [
      form,
      Object.fromEntries(measured.filter((each) => each.form === form).map(({ name, ratios }) => [name, rounded(ratios.rxjs?.byCpu ?? Number.NaN)])),
    ]),
  )
