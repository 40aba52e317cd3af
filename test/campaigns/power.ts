/** Real file systems that are shut down in the middle of a write, mounted again and recovered from, up to three deep. */
import type { Findings, Skipped } from './adversary.js'
import { histories } from './adversary.js'
import { cannotCut, cutHome, type FileSystem, fileSystems } from './cutHomes.js'
import type { CampaignOptions } from './main.js'
import { filePlaces, type Place } from './orders.js'

export interface PowerOptions extends CampaignOptions {
  /** Programs that sync nothing: what they lose has to be noticed. */
  readonly lies?: boolean
}

export async function power({ runs, seed, atOnce, places = filePlaces, report, lies = false }: PowerOptions): Promise<Findings | Skipped> {
  const usable: FileSystem[] = []
  const missing: string[] = []
  for (const system of fileSystems) {
    const why = await cannotCut(system)
    if (why === undefined) usable.push(system)
    else missing.push(`skipped: ${system.name}, because ${why}`)
  }
  const chosen = places.filter((place) => place !== 'postgres')
  if (usable.length === 0) return { skipped: missing.join('; ') }
  const found = await histories({
    crashes: runs,
    seed,
    atOnce,
    report,
    homeOf(number, draw) {
      const system = usable[number % usable.length] as FileSystem
      const place = chosen[Math.floor(number / usable.length) % chosen.length] as Place
      return cutHome(place, system, { draw, lies })
    },
  })
  return { ...found, notes: [...missing, ...found.notes] }
}
