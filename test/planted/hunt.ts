/**
 * Looks for the first violation: every law, campaign, life of a pipeline, power cut and damage in turn, in rounds that grow, so that what is
 * easily found is found soon; and one line of JSON that says what was found.
 *
 * It is bundled together with an engine that has a bug planted in it, and started as a process of its own.
 */
import fc from 'fast-check'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { backendLaws } from '../../laws/backendLaws.js'
import { codecLaws } from '../../laws/codecLaws.js'
import { CrashFs } from '../../laws/crashFs.js'
import type { Law } from '../../laws/law.js'
import { migrationLaws } from '../../laws/migrationLaws.js'
import { type StorageFactory, storageLaws } from '../../laws/storageLaws.js'
import { codec, json } from '../../lib/index.js'
import { heap } from '../../lib/state/heap.js'
import { lawsOfJunctionTime } from '../law/junctionTime.js'
import { operatorMatrix } from '../law/operatorMatrix.js'
import { lawsOfStates } from '../law/stateModel.js'
import { windowMatrix } from '../law/windowMatrix.js'
import { campaigns } from '../laws/campaigns.js'
import { runCampaign } from '../laws/runCampaign.js'
import { modelDirectory } from '../simulation/directoryModel.js'
import { journalPowerCuts } from '../simulation/journalPowerCuts.js'
import { damagedFormats } from '../simulation/mediaDamage.js'
import { plainLives } from '../simulation/plainLives.js'
import { lawsOfExpiry } from './expiring.js'

export interface Hunt {
  /** How many schedules, or cases, the law has had that found something. */
  readonly schedules: number
  /** How many all had. */
  readonly total: number
  /** The law that found something, what kind of violation, and how it tells. */
  readonly found: { readonly campaign: string; readonly kinds: readonly string[]; readonly failure: string } | undefined
}

/** One after the other: so many schedules has each law in each round, unless its schedules are long, or quick. No bug may need more than all of them. */
const [rounds = '25,100,400,1475', seeds = '1', msMax = '240000'] = process.argv.slice(2)
const sizes = rounds.split(',').map(Number)
const schedulesMax = sizes.reduce((sum, size) => sum + size, 0)
const seed = Number(seeds)
const endsAt = Date.now() + Number(msMax)

/** Something that is tried in every round. */
interface Hunted {
  readonly name: string
  /** Its schedules are so many times as long as a short one. What a round has no room for waits for a larger one. */
  readonly long?: number
  /** It has no chance in it: once is enough. */
  readonly once?: boolean
  try(runs: number, seed: number): Promise<Hunt['found']>
}

const ofLaws = (laws: { readonly [name: string]: readonly Law[] }, long = 1): readonly Hunted[] =>
  Object.entries(laws).flatMap(([name, all]) =>
    all.map((law) => ({
      name: `${law.name} of ${name}`,
      long,
      try: (runs: number, own: number) =>
        law.check({ runs, seed: own }).then(
          () => undefined,
          (error: unknown) => ({ campaign: `${law.name} of ${name}`, kinds: ['LAW'], failure: String(error) }),
        ),
    })),
  )

/** What is tried a seed at a time, and answers what was wrong. */
const ofSeeds = (name: string, kind: string, long: number, one: (seed: number) => Promise<{ readonly wrong: readonly string[] }>): Hunted => ({
  name,
  long,
  async try(runs, own) {
    for (let at = 0; at < runs; at += 1) {
      const { wrong } = await one(own + at)
      if (wrong.length > 0) return { campaign: name, kinds: [kind], failure: wrong.join('\n') }
    }
    return undefined
  },
})

/** The quick ones first: a campaign on the model of a file system takes longer than one on objects. */
const ofCampaigns: readonly Hunted[] = [...campaigns]
  .sort((a, b) => a.long - b.long)
  .map((campaign) => ({
    name: campaign.name,
    long: campaign.long,
    async try(runs, own) {
      const { name, violations, failure } = await runCampaign(campaign, { runs, seed: own, shrink: false })
      // That a few schedules have tried too little is nothing against the engine.
      return failure === undefined || failure.includes(' was not tried: ') ? undefined : { campaign: name, kinds: violations, failure }
    },
  }))

const ofDamage: readonly Hunted[] = Object.entries(damagedFormats).map(([name, damage]) => ({
  ...ofSeeds(`damage to ${name}`, 'SILENT', 25, () => damage({ bitStep: 37 })),
  once: true,
}))

/** What only a hand-fed operator sees: barriers that arrive at its inputs far apart, late records, the last moment of a time to live. */
const handFed = ['union', 'window', 'statefulMap', 'assignTimestamps', 'processKeyed', 'intervalJoin', 'asyncMap', 'connectKeyed']
const lawsOfOperators = Object.fromEntries(
  handFed.flatMap((name) => {
    const laws = operatorMatrix[name]
    return laws === undefined || 'none' in laws ? [] : [[name, laws] as const]
  }),
)

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, key: fc.constantFrom('__proto__', 'a', 'constructor') })
/** What few draws have, and somebody stores all the same. */
const seldom = fc.constantFrom<unknown>(
  -0,
  [-0],
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  JSON.parse('{"__proto__":{"a":1}}'),
  { a: -0 },
  '\ud800',
  2 ** 53,
)
const plain = fc.oneof({ weight: 3, arbitrary: anything }, { weight: 1, arbitrary: seldom })
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

const inMemory: StorageFactory = () => {
  const store = new MemoryStore()
  return { storage: memory({ store }), otherProcess: () => memory({ store }) }
}
const onFiles: StorageFactory = () => {
  const files = new CrashFs()
  return { storage: modelDirectory(files, 1) }
}
const lawsOfStorages = {
  'a storage in memory': storageLaws(inMemory, { twoProcesses: true }),
  'a storage of files': storageLaws(onFiles, { twoProcesses: false }),
}

/** Those of them that are of different machines. */
const lawsOfWindows = Object.fromEntries(
  Object.entries(windowMatrix).filter(([name]) =>
    ['tumbling, 15', 'sliding, in slices, 0', 'sliding, with gaps, 0', 'session, 15'].some((start) => name.startsWith(start)),
  ),
)

/** What is quick comes first. */
const all: readonly Hunted[] = [
  ...ofLaws(lawsOfCodecs, 1 / 4),
  ...ofLaws({ 'the heap': backendLaws(heap), 'states of every kind': lawsOfStates, 'several inputs': lawsOfJunctionTime }, 1 / 4),
  ...ofLaws({ 'a state that expires': lawsOfExpiry }),
  ...ofLaws(lawsOfWindows),
  ...ofLaws(lawsOfOperators, 2),
  ...ofLaws(lawsOfStorages, 4),
  ...ofCampaigns,
  ofSeeds('plain lives, immediate', 'LIVES', 1, (own) => plainLives(own, 'immediate')),
  ofSeeds('plain lives, withCheckpoint', 'LIVES', 1, (own) => plainLives(own, 'withCheckpoint')),
  ofSeeds('power cuts of a journal', 'LOST', 12, journalPowerCuts),
  ...ofDamage,
]

async function hunt(): Promise<Hunt> {
  const had = new Map<Hunted, number>()
  let total = 0
  for (const [round, size] of sizes.entries())
    for (const [index, hunted] of all.entries()) {
      const room = Math.min(Math.floor(size / (hunted.long ?? 1)), schedulesMax - (had.get(hunted) ?? 0))
      if (room === 0 || (hunted.once === true && had.has(hunted))) continue
      if (Date.now() > endsAt) return { schedules: 0, total, found: undefined }
      const runs = hunted.once === true ? 1 : room
      const found = await hunted.try(runs, (seed + 7_919 * (round * all.length + index)) % 2 ** 31)
      const schedules = (had.get(hunted) ?? 0) + runs
      had.set(hunted, schedules)
      total += runs
      if (process.env['HUNT_TIMES'] !== undefined) console.error(round, hunted.name, runs, Date.now() - endsAt + Number(msMax))
      if (found !== undefined) return { schedules, total, found }
    }
  return { schedules: 0, total, found: undefined }
}

process.on('unhandledRejection', (error) => {
  console.log(
    JSON.stringify({
      schedules: 0,
      total: 0,
      found: { campaign: 'any', kinds: ['HUNG'], failure: `a promise was rejected and nobody listened: ${String(error)}` },
    } satisfies Hunt),
  )
  process.exit(0)
})

console.log(JSON.stringify(await hunt()))
