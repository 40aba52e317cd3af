import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directory } from 'rxweir/backends/directory'
import { memory } from 'rxweir/backends/memory'
import { makeReadings } from '../readings.js'
import { type Compared, sideBySide, type Timed } from '../sideBySide.js'
import { type Appended, appendByHand, appendToJournal } from './appending.js'
import { behindHandJournal, checkpointedOver, plainly } from './pipelines.js'

export interface JournalRequest {
  readonly records: number
  readonly keys: number
  readonly repetitions: number
  readonly groups: readonly number[]
}

export interface JournalMeasurement {
  /** The journal against lines by hand, for each size of a group, and its bytes over those of the lines. */
  readonly appending: readonly { readonly group: number; readonly compared: Compared; readonly bytes: number; readonly bytesRatio: number }[]
  /** A plain pipeline against the same one made recoverable. */
  readonly pipelines: Compared
}

export async function measureJournal({ records, keys, repetitions, groups }: JournalRequest): Promise<JournalMeasurement> {
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  let runs = 0
  const fresh = (): string => {
    runs += 1
    return join(folder, `${runs}`)
  }
  try {
    const readings = makeReadings(records, keys)
    const few = readings.slice(0, Math.min(records, 10_000))
    const lines = readings.map((reading) => JSON.stringify(reading))
    const appending: JournalMeasurement['appending'][number][] = []
    for (const group of groups) {
      // Small groups take long: each is a sync.
      const some = lines.slice(0, Math.min(lines.length, group * 300))
      const grouped = Array.from({ length: Math.ceil(some.length / group) }, (_, index) => some.slice(index * group, (index + 1) * group))
      const bytes = { journal: 0, hand: 0 }
      const noted = async (way: keyof typeof bytes, run: Promise<Appended>): Promise<Timed> => {
        const appended = await run
        bytes[way] = appended.bytes
        return appended
      }
      const ways = {
        journal: () => noted('journal', appendToJournal(grouped, fresh())),
        hand: () => noted('hand', appendByHand(grouped, fresh())),
      }
      const compared = await sideBySide(`groups of ${group}`, ways, { records: some.length, repetitions })
      appending.push({ group, compared, bytes: bytes.journal, bytesRatio: bytes.journal / bytes.hand })
    }
    const ways = (values: typeof readings) => ({
      plain: () => plainly(values),
      'a journal by hand': () => behindHandJournal(values, fresh()),
      'checkpointed, no journal': () => checkpointedOver(values, memory(), false),
      'checkpointed, journal in memory': () => checkpointedOver(values, memory(), true),
      'checkpointed, journal in a directory': () => checkpointedOver(values, directory(fresh()), true),
    })
    for (const way of Object.values(ways(few))) await way()
    return { appending, pipelines: await sideBySide('pipelines', ways(readings), { records, repetitions }) }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
