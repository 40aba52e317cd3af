/** The campaigns with real processes, real file systems and real bytes, by name. */
import { Verdict } from '../laws/verdict.js'
import type { Findings, Skipped } from './adversary.js'
import type { Place } from './orders.js'

export interface CampaignOptions {
  readonly runs: number
  readonly seed: number
  /** How much goes on at the same time. */
  readonly atOnce: number
  /** Of a campaign that goes by time. */
  readonly minutes: number
  readonly places?: readonly Place[]
  /** So many bytes of every thousand records leak in a soak, which has to notice. */
  readonly leakBytes?: number
  report(line: string): void
}

interface RealCampaign {
  /** How much is tried unless told. */
  readonly runs: number
  run(options: CampaignOptions): Promise<Findings | Skipped>
}

/** Loaded when it is run: each needs other drivers. */
export const realCampaigns: { readonly [name: string]: RealCampaign } = {
  kill: { runs: 200, run: async (options) => (await import('./kill.js')).kill(options) },
  disk: { runs: 100, run: async (options) => (await import('./disk.js')).disk(options) },
  power: { runs: 100, run: async (options) => (await import('./power.js')).power(options) },
  images: { runs: 100_000, run: async (options) => (await import('./images.js')).images(options) },
  media: { runs: 200_000, run: async (options) => (await import('./media.js')).media(options) },
  soak: { runs: 10_000_000, run: async (options) => (await import('./soak.js')).soak(options) },
}

export interface Ended {
  /** The line that says how it went; none where it was not tried. */
  readonly line: string | undefined
  readonly exitCode: number
}

/** Runs one, and says how it went. What could not be tried is no failure, unless services are required; and never a success. */
export async function runReal(campaign: RealCampaign, options: CampaignOptions): Promise<Ended> {
  // Whoever is interrupted cleans up as it exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const required = process.env['RXWEIR_REQUIRE_SERVICES'] === '1'
  const found = await campaign.run(options)
  if ('skipped' in found) {
    console.log(`skipped: ${found.skipped}`)
    return { line: undefined, exitCode: required ? 1 : 0 }
  }
  const { statistics, violations, failures, notes } = found
  const verdict = new Verdict()
  verdict.add({ statistics, violations, faultPoints: {} })
  for (const failure of failures) console.error(`\n${failure}`)
  for (const note of notes) console.error(note)
  const line = verdict.line(options.seed)
  console.log(line)
  const skipped = notes.some((note) => note.startsWith('skipped:'))
  return { line, exitCode: verdict.clean && failures.length === 0 && !(required && skipped) ? 0 : 1 }
}
