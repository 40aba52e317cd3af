import { inChild } from '../inChild.js'
import { markdown, type Section } from '../section.js'
import type { JournalMeasurement, JournalRequest } from './measureJournal.js'

const rounded = (value: number): number => Number(value.toPrecision(3))

/** The journal against lines that are appended by hand, and what noting down and checkpoints cost a plain pipeline. */
export const journalSection: Section = {
  name: 'journal',
  async run({ quick, rounds }) {
    const request: JournalRequest = quick
      ? { records: 30_000, keys: 1_000, repetitions: 3, groups: [100] }
      : { records: 500_000, keys: 10_000, repetitions: Math.max(5, rounds), groups: [1, 100, 1_000, 8_000] }
    const { appending, pipelines } = await inChild<JournalMeasurement>('journal', request)
    const plainPerSecond = pipelines.recordsPerSecond
    return {
      tables: [
        markdown(
          'The journal of a directory over lines appended by hand, written and synced in the same groups',
          ['group', 'M records/s', 'over by hand', 'by processor time', 'from-to', 'bytes over by hand'],
          appending.map(({ group, compared: { recordsPerSecond, ratios }, bytesRatio }) => [
            `${group}`,
            (recordsPerSecond / 1e6).toFixed(3),
            ...(ratios.hand === undefined
              ? []
              : [`${rounded(ratios.hand.byClock)}`, `${rounded(ratios.hand.byCpu)}`, `${rounded(ratios.hand.from)}-${rounded(ratios.hand.to)}`]),
            `${rounded(bytesRatio)}`,
          ]),
        ),
        markdown(
          `A keyed mean of rxjs, ${(plainPerSecond / 1e6).toFixed(2)} M records/s, and what it takes to make it recoverable`,
          ['way', 'time over plain', 'by processor time', 'from-to'],
          Object.entries(pipelines.ratios).map(([way, { byClock, byCpu, from, to }]) => [
            way,
            `${rounded(byClock)}`,
            `${rounded(byCpu)}`,
            `${rounded(from)}-${rounded(to)}`,
          ]),
        ),
      ],
      figures: {
        appending: appending.map(({ group, compared, bytesRatio }) => ({
          group,
          vsHand: rounded(compared.ratios.hand?.byClock ?? Number.NaN),
          bytesVsHand: rounded(bytesRatio),
        })),
        timeOverPlain: Object.fromEntries(Object.entries(pipelines.ratios).map(([way, { byClock }]) => [way, rounded(byClock)])),
      },
    }
  },
}
