/**
 * Looks for the first violation: all campaigns in turns, a few schedules each, then laws of operators, and one line of JSON that says what was found.
 *
 * It is bundled together with an engine that has a bug planted in it, and started as a process of its own.
 */

import { operatorMatrix } from '../law/operatorMatrix.js'
import { campaigns } from '../laws/campaigns.js'
import { runCampaign } from '../laws/runCampaign.js'
import { journalPowerCuts } from '../simulation/journalPowerCuts.js'
import { plainLives } from '../simulation/plainLives.js'

export interface Hunt {
  readonly schedules: number
  /** The campaign that found something, what kind of violation, and how it tells. */
  readonly found: { readonly campaign: string; readonly kinds: readonly string[]; readonly failure: string } | undefined
}

const [runs = 4_000, seed = 1] = process.argv.slice(2).map(Number)
const rounds = 8
const handFed = ['union', 'window', 'statefulMap', 'assignTimestamps', 'processKeyed']
const lawRuns = 20
const livesOfPipelines = 60
const journals = 6
const weights = campaigns.reduce((sum, { weight }) => sum + weight, 0)

async function hunt(): Promise<Hunt> {
  let schedules = 0
  for (let round = 0; round < rounds; round += 1)
    for (const [index, campaign] of campaigns.entries()) {
      const mine = Math.max(1, Math.floor((runs * campaign.weight) / weights / rounds))
      const { name, statistics, violations, failure } = await runCampaign(campaign, {
        runs: mine,
        seed: (seed + 7_919 * (round * campaigns.length + index)) % 2 ** 31,
        shrink: false,
      })
      schedules += statistics.runs
      if (failure !== undefined) return { schedules, found: { campaign: name, kinds: violations, failure } }
    }
  // What only a hand-fed operator sees: barriers that arrive at its inputs far apart.
  for (const name of handFed) {
    const laws = operatorMatrix[name]
    if (laws === undefined || 'none' in laws) continue
    for (const law of laws)
      try {
        await law.check({ runs: lawRuns, seed })
        schedules += lawRuns
      } catch (error) {
        return { schedules: schedules + lawRuns, found: { campaign: `${law.name} of ${name}`, kinds: ['LAW'], failure: String(error) } }
      }
  }
  // What stands between plain Observables, and the journal of what comes in.
  for (const delivery of ['immediate', 'withCheckpoint'] as const)
    for (let at = 0; at < livesOfPipelines; at += 1) {
      schedules += 1
      const { wrong } = await plainLives(seed + at, delivery)
      if (wrong.length > 0) return { schedules, found: { campaign: `plain lives, ${delivery}`, kinds: ['LIVES'], failure: wrong.join('\n') } }
    }
  for (let at = 0; at < journals; at += 1) {
    const { images, wrong } = await journalPowerCuts(seed + at)
    schedules += images
    if (wrong.length > 0) return { schedules, found: { campaign: 'power cuts of a journal', kinds: ['LOST'], failure: wrong.join('\n') } }
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
