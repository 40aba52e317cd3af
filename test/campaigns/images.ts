/** Power cuts of the model of a file system: behind every operation, all that a disk may hold then, recovered from and cut again. */
import { noStatistics } from '../../laws/simulation/statistics.js'
import { type PowerCutOptions, powerCuts } from '../simulation/directoryPowerCuts.js'
import { encryption } from '../support/sealingKeys.js'
import type { Findings } from './adversary.js'
import type { CampaignOptions } from './main.js'

const variants: readonly PowerCutOptions[] = [
  { storage: { encryption: encryption(1), compression: 'zlib' }, steps: 4 },
  {},
  { retainedCheckpoints: 1, files: { staleByte: 0xa5 } },
  { files: { mode: 'ordered' } },
  { discards: true, steps: 5 },
]

export async function images({ runs, seed, report }: CampaignOptions): Promise<Findings> {
  const statistics = noStatistics()
  const failures: string[] = []
  let nested = 0
  const startedMs = performance.now()
  for (let number = 0; statistics.runs < runs; number += 1) {
    const found = await powerCuts(seed + number, variants[number % variants.length] as PowerCutOptions)
    statistics.runs += found.images
    // Each image is what a crash has left, and was recovered from.
    statistics.crashes += found.images
    statistics.restored += found.images
    statistics.checkpoints += found.checkpoints
    nested += found.nested
    failures.push(...found.wrong)
    if (number % 100 === 99) report(`${statistics.runs} images of ${number + 1} histories`)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const vacuous = statistics.checkpoints === 0 || nested === 0
  if (vacuous) failures.push('nothing was tried: no checkpoint, or no recovery that was cut')
  return {
    statistics,
    violations: failures.length > 0 ? ['LOST'] : [],
    failures,
    notes: [`${nested} images of recoveries that were cut themselves; ${Math.round(statistics.runs / seconds)} images a second`],
  }
}
