/**
 * `npm run laws -- --runs 20000 --seed 1`: all campaigns, so many schedules in total, and one line that says how it went.
 *
 * `--campaign NAME` takes only those whose name contains NAME; with `--path P` it replays one schedule. `--self-test` plants bugs
 * in the engine and sees each of them caught. `--processes N` shares the work; 2 unless told.
 *
 * `--campaign kill`, `disk`, `power`, `images`, `media` and `soak` are no simulations: real processes, real file systems, real bytes. There `--runs` are
 * crashes, images, cases or records; `--minutes` is for soak, and `--place level` takes one place of those in which programs are killed.
 * `--leak 100` plants a leak in a soak, about so many bytes of every thousand records: it has to be noticed.
 *
 * `--ledger FILE` adds the last line to a file of such lines, as docs/campaigns.ndjson, which `npm run campaigns` sums up.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { append, triedNow } from '../campaigns/ledger.js'
import { realCampaigns, runReal } from '../campaigns/main.js'
import { isPlace, places } from '../campaigns/orders.js'
import { campaigns, type NamedCampaign } from './campaigns.js'
import { type CampaignReport, runCampaign } from './runCampaign.js'
import { Verdict } from './verdict.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    campaign: { type: 'string', default: '' },
    processes: { type: 'string', default: '2' },
    part: { type: 'string' },
    minutes: { type: 'string', default: '3' },
    place: { type: 'string' },
    leak: { type: 'string' },
    ledger: { type: 'string' },
    'self-test': { type: 'boolean', default: false },
  },
})

const whole = (name: string, text: string, least: number): number => {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= least) return number
  console.error(`--${name} takes a whole number from ${least}, not ${JSON.stringify(text)}`)
  return process.exit(2)
}
const runs = whole('runs', values.runs ?? '2000', 1)
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : whole('seed', values.seed, 0)
const processes = values.path === undefined ? whole('processes', values.processes, 1) : 1
/** What to type to have the same again; who keeps the ledger is no part of it. */
const command = process.argv.slice(2).filter((word, at, words) => !/^--ledger/.test(word) && words[at - 1] !== '--ledger')
if (values.seed === undefined) command.push('--seed', String(seed))
const tried = values.ledger === undefined ? undefined : triedNow()
const note = (campaign: string, line: string): void => {
  if (values.ledger !== undefined && tried !== undefined) append(values.ledger, { ...tried, campaign, command: command.join(' '), verdict: line })
}

const real = realCampaigns[values.campaign]
if (real !== undefined) {
  if (values.place !== undefined && !isPlace(values.place)) {
    console.error(`--place takes one of ${places.join(', ')}, not ${JSON.stringify(values.place)}`)
    process.exit(2)
  }
  if (values.leak !== undefined && values.ledger !== undefined) {
    console.error('what came of a planted leak does not belong into the ledger')
    process.exit(2)
  }
  const { line, exitCode } = await runReal(real, {
    runs: values.runs === undefined ? real.runs : runs,
    seed,
    atOnce: processes,
    minutes: whole('minutes', values.minutes, 1),
    ...(values.place === undefined ? {} : { places: [values.place] }),
    ...(values.leak === undefined ? {} : { leakBytes: whole('leak', values.leak, 1) }),
    report: (text) => console.error(text),
  })
  if (line !== undefined) note(values.campaign, line)
  process.exit(exitCode)
}

const chosen = campaigns.filter(({ name }) => name.includes(values.campaign))
if (chosen.length === 0) {
  console.error(
    `no campaign has a name that contains ${JSON.stringify(values.campaign)}; there are:\n${campaigns.map(({ name }) => name).join('\n')}`,
  )
  process.exit(2)
}

/** A promise that nobody waits for must not fail in silence. */
process.on('unhandledRejection', (error) => {
  console.error('a promise was rejected and nobody listened:', error)
  process.exit(3)
})

const weights = chosen.reduce((sum, { weight }) => sum + weight, 0)
const shareOf = ({ weight }: NamedCampaign): number => Math.max(1, Math.round((runs * weight) / weights))

async function runOne(campaign: NamedCampaign, mine: number): Promise<CampaignReport> {
  const path = values.path
  // Each campaign has schedules of its own; a replay names the seed of its campaign.
  const own = path === undefined ? (seed + 7_919 * campaigns.indexOf(campaign)) % 2 ** 31 : seed
  return runCampaign(campaign, { runs: path === undefined ? mine : runs, seed: own, path, shrink: true })
}

/** A child takes every so-manieth campaign and reports it. */
async function runPart(part: number): Promise<void> {
  for (const [index, campaign] of chosen.entries()) if (index % processes === part) process.send?.(await runOne(campaign, shareOf(campaign)))
}

const verdict = new Verdict()
const failures: string[] = []
const started = Date.now()

function take(report: CampaignReport): void {
  verdict.add(report)
  if (report.failure !== undefined) failures.push(report.failure)
  const { runs: done, crashes, checkpoints } = report.statistics
  console.error(
    `${report.failure === undefined ? 'holds' : 'FAILS'}  ${report.name}: ${done} schedules, ${crashes} crashes, ${checkpoints} checkpoints`,
  )
}

const child = (part: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const forked = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--seed', String(seed), '--part', String(part)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    forked.on('message', (report) => take(report as CampaignReport))
    forked.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process of the campaign ended with ${code}`))))
    forked.on('error', reject)
  })

async function main(): Promise<void> {
  if (values.part !== undefined) return runPart(Number(values.part))
  if (values['self-test']) {
    const { selfTest } = await import('../planted/selfTest.js')
    process.exitCode = (await selfTest({ seed })) ? 0 : 1
    return
  }
  if (processes === 1) for (const campaign of chosen) take(await runOne(campaign, shareOf(campaign)))
  else await Promise.all(Array.from({ length: processes }, (_, part) => child(part)))
  for (const failure of failures) console.error(`\n${failure}`)
  const { statistics } = verdict
  console.error(
    `${Math.round((Date.now() - started) / 1_000)} s, ${statistics.restored} checkpoints restored, ${statistics.crashesInCheckpoint} crashes inside a checkpoint, ${statistics.concurrent} checkpoints beside others, ${statistics.faults} calls failed, ${statistics.states} states compared, ${statistics.moves} starts from elsewhere, ${statistics.returns} of them from older checkpoints, ${statistics.refusals} refused, ${statistics.zombies} zombies`,
  )
  console.error(verdict.coverage())
  const line = verdict.line(seed)
  console.log(line)
  note('simulation', line)
  process.exitCode = verdict.clean && failures.length === 0 ? 0 : 1
}

await main()
