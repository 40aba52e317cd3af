/**
 * Looks for the first violation: campaigns, lives of pipelines, power cuts, damage and laws in turns, so many schedules in all; and one
 * line of JSON that says what was found.
 *
 * It is bundled together with an engine that has a bug planted in it, and started as a process of its own.
 */
import fc from 'fast-check'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { codecLaws } from '../../laws/codecLaws.js'
import type { Law } from '../../laws/law.js'
import { migrationLaws } from '../../laws/migrationLaws.js'
import { storageLaws } from '../../laws/storageLaws.js'
import { codec, json } from '../../lib/index.js'
import { operatorMatrix } from '../law/operatorMatrix.js'
import { windowMatrix } from '../law/windowMatrix.js'
import { campaigns } from '../laws/campaigns.js'
import { runCampaign } from '../laws/runCampaign.js'
import { journalPowerCuts } from '../simulation/journalPowerCuts.js'
import { damagedFormats } from '../simulation/mediaDamage.js'
import { plainLives } from '../simulation/plainLives.js'
import { lawsOfExpiry } from './expiring.js'

export interface Hunt {
  readonly schedules: number
  /** The campaign that found something, what kind of violation, and how it tells. */
  readonly found: { readonly campaign: string; readonly kinds: readonly string[]; readonly failure: string } | undefined
}

/** No bug may need more schedules than this. */
const [runs = 2_000, seed = 1] = process.argv.slice(2).map(Number)

/** One part of a hunt: how many schedules it took, and what it found. */
type Tried = readonly [schedules: number, found?: Hunt['found']]

const weights = campaigns.reduce((sum, { weight }) => sum + weight, 0)

/** All campaigns, in a share of the schedules. */
async function* tryCampaigns(round: number, share: number): AsyncGenerator<Tried> {
  for (const [index, campaign] of campaigns.entries()) {
    const mine = Math.max(1, Math.floor((runs * share * campaign.weight) / weights))
    const { name, statistics, violations, failure } = await runCampaign(campaign, {
      runs: mine,
      seed: (seed + 7_919 * (round * campaigns.length + index)) % 2 ** 31,
      shrink: false,
    })
    yield [statistics.runs, failure === undefined ? undefined : { campaign: name, kinds: violations, failure }]
  }
}

async function* tryLaws(laws: { readonly [name: string]: readonly Law[] }, lawRuns: number): AsyncGenerator<Tried> {
  for (const [name, all] of Object.entries(laws))
    for (const law of all)
      yield await law.check({ runs: lawRuns, seed }).then(
        (): Tried => [lawRuns],
        (error: unknown): Tried => [lawRuns, { campaign: `${law.name} of ${name}`, kinds: ['LAW'], failure: String(error) }],
      )
}

/** What stands between plain Observables. */
async function* tryLives(delivery: 'immediate' | 'withCheckpoint', lives: number): AsyncGenerator<Tried> {
  for (let at = 0; at < lives; at += 1) {
    const { wrong } = await plainLives(seed + at, delivery)
    yield [1, wrong.length === 0 ? undefined : { campaign: `plain lives, ${delivery}`, kinds: ['LIVES'], failure: wrong.join('\n') }]
  }
}

async function* tryJournals(journals: number): AsyncGenerator<Tried> {
  for (let at = 0; at < journals; at += 1) {
    const { wrong } = await journalPowerCuts(seed + at)
    yield [1, wrong.length === 0 ? undefined : { campaign: 'power cuts of a journal', kinds: ['LOST'], failure: wrong.join('\n') }]
  }
}

async function* tryDamage(): AsyncGenerator<Tried> {
  for (const [name, damage] of Object.entries(damagedFormats)) {
    const { wrong } = await damage({ bitStep: 37 })
    yield [1, wrong.length === 0 ? undefined : { campaign: `damage to ${name}`, kinds: ['SILENT'], failure: wrong.join('\n') }]
  }
}

/** What only a hand-fed operator sees: barriers that arrive at its inputs far apart, late records, the last moment of a time to live. */
const handFed = ['union', 'window', 'statefulMap', 'assignTimestamps', 'processKeyed', 'intervalJoin', 'asyncMap', 'connectKeyed']
const lawsOfOperators = Object.fromEntries(
  handFed.flatMap((name) => {
    const laws = operatorMatrix[name]
    return laws === undefined || 'none' in laws ? [] : [[name, laws] as const]
  }),
)

const plain = fc.anything({ withBigInt: true, withDate: true, withMap: true, key: fc.constantFrom('__proto__', 'a', 'constructor') })
const renamed = codec<{ readonly n: number }>({
  version: 3,
  encode: ({ n }) => ({ n }),
  decode: (stored) => stored as { n: number },
  migrations: { 1: (n) => [n], 2: (stored) => ({ n: (stored as [number])[0] }) },
})
const lawsOfCodecs = {
  'json()': codecLaws({ codec: json<unknown>(), values: plain }),
  'a codec that migrates': migrationLaws({
    codec: renamed,
    values: fc.record({ n: fc.nat() }),
    olds: { 1: { stored: fc.nat(), means: (n: number) => ({ n }) }, 2: { stored: fc.tuple(fc.nat()), means: ([n]: [number]) => ({ n }) } },
  }),
}

const lawsOfStorages = {
  'a storage in memory': storageLaws(
    () => {
      const store = new MemoryStore()
      return { storage: memory({ store }), otherProcess: () => memory({ store }) }
    },
    { twoProcesses: true },
  ),
}

/** Those of them that are of different machines. */
const lawsOfWindows = Object.fromEntries(
  Object.entries(windowMatrix).filter(([name]) =>
    ['tumbling, 15', 'sliding, in slices, 0', 'sliding, with gaps, 0', 'session, 15'].some((start) => name.startsWith(start)),
  ),
)

/** What is quick comes first. */
async function* parts(): AsyncGenerator<Tried> {
  yield* tryLaws(lawsOfCodecs, 20)
  yield* tryLaws(lawsOfWindows, 12)
  yield* tryLaws({ 'a state that expires': lawsOfExpiry }, 200)
  yield* tryLaws(lawsOfStorages, 5)
  yield* tryLaws(lawsOfOperators, 4)
  yield* tryDamage()
  yield* tryJournals(6)
  yield* tryCampaigns(0, 0.2)
  yield* tryCampaigns(1, 0.2)
  yield* tryLives('immediate', 100)
  yield* tryLives('withCheckpoint', 30)
  for (let round = 2; ; round += 1) yield* tryCampaigns(round, 0.1)
}

async function hunt(): Promise<Hunt> {
  let schedules = 0
  for await (const [tried, found] of parts()) {
    schedules += tried
    if (found !== undefined) return { schedules, found }
    if (schedules >= runs) break
  }
  return { schedules, found: undefined }
}

process.on('unhandledRejection', (error) => {
  console.log(
    JSON.stringify({
      schedules: 0,
      found: { campaign: 'any', kinds: ['HUNG'], failure: `a promise was rejected and nobody listened: ${String(error)}` },
    } satisfies Hunt),
  )
  process.exit(0)
})

console.log(JSON.stringify(await hunt()))
