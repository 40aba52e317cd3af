/**
 * The same results in every way that people write them, on the same readings, side by side: a keyed running mean, windows, timers,
 * joins, rules that change, the recoverable twins of RxJS's operators (`twins`), and lines that are noted down (`journal`). Beside
 * that, what is kept of keys that never come again (`expiry`), and each backend beside its driver, with state that is larger than the
 * heap (`backends`).
 *
 *     npm run bench                       some minutes
 *     npm run bench -- --quick            within 90 s on 2 cores: one round, fewer readings, less time each
 *     npm run bench -- --only chain5      one scenario, or `twins`, `journal`, `expiry`, `backends`
 *     npm run bench -- --rounds 5
 *     npm run bench -- --postgres URL    measures that server, too
 *
 * Each measurement has a process of its own, but for the twins in a quick run. In each round every variant has its turn, so that
 * whatever else the machine does befalls all of them; the figures are medians over the rounds. Progress goes to stderr. The last line
 * is for programs.
 */
import { parseArgs } from 'node:util'
import { backendsSection } from './backends/backendsSection.js'
import { expirySection } from './expiry/expirySection.js'
import { inChild } from './inChild.js'
import { journalSection } from './journal/journalSection.js'
import type { Measurement, Request } from './measure.js'
import { assertSameResults, figuresOf, type Rounds, tableOf } from './report.js'
import { type Scenario, scenarios, variantsOf } from './scenarios.js'
import type { Section } from './section.js'
import { twinsSection } from './twins/twinsSection.js'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, rounds: { type: 'string' }, postgres: { type: 'string' } },
})
const quick = options.quick
const roundsCount = Number(options.rounds ?? (quick ? 1 : 3))
/** Each key occurs. */
const recordsOf = ({ keys }: Scenario): number => (quick ? Math.max(200_000, keys) : 2_000_000)
/** What takes checkpoints once a second is measured for so long that several of them fall into the time; in a quick run one barrier does. */
const measuredMs = (variant: string): number => (/-(1s|100ms)$/.test(variant) ? (quick ? 1_200 : 5_500) : quick ? 200 : 1_500)

async function run(scenario: Scenario): Promise<Rounds> {
  const variants = variantsOf(scenario, quick)
  const rounds = new Map<string, Measurement[]>(variants.map((variant) => [variant, []]))
  for (let round = 1; round <= roundsCount; round += 1)
    for (const variant of variants) {
      const request: Request = { variant, records: recordsOf(scenario), keys: scenario.keys, measuredMs: measuredMs(variant) }
      const measurement = await inChild<Measurement>('variant', request)
      process.stderr.write(
        `${scenario.name} round ${round}/${roundsCount} ${variant}: ${(measurement.recordsPerSecond / 1e6).toFixed(2)} M records/s\n`,
      )
      rounds.get(variant)?.push(measurement)
    }
  return rounds
}

const sections: readonly Section[] = [twinsSection, journalSection, expirySection, backendsSection]
const isChosen = ({ name }: { readonly name: string }): boolean => options.only === undefined || name === options.only
const chosen = scenarios.filter(isChosen)
const names = [...scenarios, ...sections].map(({ name }) => name)
if (options.only !== undefined && !names.includes(options.only))
  throw new RangeError(`nothing is named ${options.only}; there are ${names.join(', ')}`)

const figures: { [scenario: string]: unknown } = {}
const tables: string[] = []
for (const scenario of chosen) {
  const rounds = await run(scenario)
  assertSameResults(scenario, rounds)
  tables.push(tableOf(scenario, recordsOf(scenario), rounds))
  figures[scenario.name] = figuresOf(scenario, rounds)
}
const told: string[] = []
for (const section of sections.filter(isChosen)) {
  const made = await section.run({ quick, rounds: roundsCount, postgres: options.postgres, progress: (line) => process.stderr.write(`${line}\n`) })
  told.push(...made.tables)
  figures[section.name] = made.figures
}
if (tables.length > 0)
  process.stdout.write(`${tables.join('\n')}
Each variant: a first pass over the readings, in which keys come into being, then pass after pass for ${measuredMs('') / 1_000} s or, with periodic
checkpoints, ${measuredMs('-1s') / 1_000} s: that is what counts. M/s of CPU: per second of processor time of all threads. Longest turn of the event
loop: the maximum of perf_hooks.monitorEventLoopDelay. Barrier: from the start of a checkpoint until its barrier has passed every
operator. Bytes: what operators handed to the storage.

`)
process.stdout.write(told.map((table) => `${table}\n`).join(''))
process.stdout.write(`BENCH ${JSON.stringify(figures)}\n`)
