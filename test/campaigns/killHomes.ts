import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Home } from './history.js'
import type { Life } from './life.js'
import { partsIn } from './observer.js'
import type { Orders } from './orders.js'
import { outputs } from './workload.js'

/** A folder below another one. */
export async function folderHome(place: Orders['place'], base = tmpdir()): Promise<Home> {
  const folder = await mkdtemp(join(base, 'rxweir-kill-'))
  return {
    name: place,
    orders: { place, folder },
    read: partsIn(folder),
    crash: killed,
    leftovers: () => leftoversIn(folder),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function killed({ child, ended }: Life): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

/** Parts that nobody will finish, and files of checkpoints that were never named. */
export async function leftoversIn(folder: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const output of outputs)
    for (const name of await readdir(`${folder}/${output}`, { recursive: true }).catch(() => []))
      if (/(^|\/)\.(part|temporary)-/.test(name)) found.push(`${output}/${name}`)
  for (const name of await readdir(`${folder}/state`, { recursive: true })) if (/(^|\/)temporary-/.test(name)) found.push(`state/${name}`)
  return found
}
