/** Real processes and SIGKILL: at any instant, while they work and while they recover, up to three deep. */
import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { hasPostgres, type PostgresServer, postgresServer } from '../support/postgresServer.js'
import { type Findings, histories } from './adversary.js'
import { folderHome } from './killHomes.js'
import type { CampaignOptions } from './main.js'
import { filePlaces, type Place } from './orders.js'
import { postgresHome } from './postgresHome.js'

/** What a process has written is there when it dies, synced or not: so disks need not slow it down, and every other history has one. */
function fastFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

export async function kill({ runs, seed, atOnce, places = [...filePlaces, 'postgres'], report }: CampaignOptions): Promise<Findings> {
  const withDatabase = places.includes('postgres') && hasPostgres()
  const chosen: readonly Place[] = places.filter((place) => place !== 'postgres' || withDatabase)
  const missing = places.includes('postgres') && !withDatabase ? ['skipped: postgres, because there is none to start'] : []
  const server: PostgresServer | undefined = withDatabase ? await postgresServer() : undefined
  const memory = fastFolder()
  try {
    const found = await histories({
      crashes: runs,
      seed,
      atOnce,
      report,
      homeOf(number, _draw) {
        const place = chosen[number % chosen.length] as Place
        if (place === 'postgres') return postgresHome(server as PostgresServer, `history${number}`)
        return folderHome(place, Math.floor(number / chosen.length) % 2 === 0 ? memory : tmpdir())
      },
    })
    return { ...found, notes: [...missing, ...found.notes] }
  } finally {
    await server?.remove()
  }
}
