/** Damaged media and hostile bytes: whatever is stored is read again with every bit flipped, cut, swapped or older, and every decoder is fed. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { noStatistics } from '../../laws/simulation/statistics.js'
import type { Findings } from './adversary.js'
import type { CampaignOptions } from './main.js'
import { damagePart, type MediaFound, type MediaOrders } from './mediaPart.js'

/** All bits of a reference. */
const flipsMax = 16 * 1024 * 8

/** `runs` inputs are fed to the decoders, and as many bits flip in each format, if it has so many. */
export async function media({ runs, seed, atOnce, report }: CampaignOptions): Promise<Findings> {
  const statistics = noStatistics()
  const failures: string[] = []
  let noticed = 0
  let formats = 0
  const take = (found: MediaFound): void => {
    statistics.runs += found.cases
    statistics.records += found.hostile
    noticed += found.noticed
    if (found.cases > 0) formats += 1
    failures.push(...found.wrong.map((what) => `${found.format}: ${what}`))
    report(
      `${found.wrong.length === 0 ? 'holds' : 'FAILS'}  ${found.format}: ${found.cases} damages, ${found.noticed} noticed, ${found.hostile} inputs`,
    )
  }
  const ordersOf = (part: number): MediaOrders => ({ seed, flips: Math.min(runs, flipsMax), hostile: runs, part, parts: atOnce })
  if (atOnce === 1) await damagePart(ordersOf(0), take)
  else await Promise.all(Array.from({ length: atOnce }, (_, part) => inChild(ordersOf(part), take)))
  if (noticed === 0 || statistics.records === 0) failures.push('nothing was tried: no damage was noticed, or no decoder was fed')
  return {
    statistics,
    violations: failures.length > 0 ? ['SILENT'] : [],
    failures: failures.slice(0, 10),
    notes: [
      `${formats} formats, ${statistics.runs} damages, of which ${noticed} were told and the others changed nothing; ${statistics.records} hostile inputs`,
    ],
  }
}

const inChild = (orders: MediaOrders, take: (found: MediaFound) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('mediaPart.ts', import.meta.url)), [JSON.stringify(orders)])
    child.on('message', (found) => take(found as MediaFound))
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process of the campaign ended with ${code}`))))
  })
