/** Real processes whose calls to the system fail: what is done about it is up to libuv, Node, the drivers and us. */
import { spawnSync } from 'node:child_process'
import { type Findings, histories, type Skipped } from './adversary.js'
import type { Home } from './history.js'
import { folderHome } from './killHomes.js'
import type { CampaignOptions } from './main.js'
import { filePlaces, type Place } from './orders.js'

/** Calls that fail together, and how. Nothing that a program says to its parent is among them. */
const faults = [
  ['fsync,fdatasync', 'EIO'],
  ['fsync,fdatasync', 'ENOSPC'],
  ['pwrite64', 'ENOSPC'],
  ['pwrite64', 'EIO'],
  ['rename,renameat,renameat2,link,linkat', 'EIO'],
  ['unlink,unlinkat', 'EIO'],
  ['ftruncate', 'EIO'],
] as const

/** The first one, one in three, or all of them from some call on. Threads count for themselves. */
const repeats = ['', '+3', '+'] as const
const firstMax = 24

const pick = <A>(of: readonly A[], draw: () => number): A => of[Math.floor(draw() * of.length)] as A

function failing(draw: () => number): readonly string[] {
  const [calls, code] = pick(faults, draw)
  const when = `${1 + Math.floor(draw() ** 2 * firstMax)}${pick(repeats, draw)}`
  // The tracer is a child of the traced one, which is so the one that a signal reaches.
  return ['strace', '-D', '-f', '--seccomp-bpf', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${code}:when=${when}`]
}

/** Why calls cannot be made to fail here, if so. */
function cannotFail(): string | undefined {
  const words = ['-D', '-f', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=1']
  const program = "try { require('node:fs').fsyncSync(1) } catch (error) { console.log(error.code) }"
  const { stdout, error } = spawnSync('strace', [...words, process.execPath, '-e', program], { encoding: 'utf8' })
  if (error !== undefined) return 'there is no strace'
  return stdout.includes('EIO') ? undefined : 'strace may not make calls fail'
}

export async function disk({ runs, seed, atOnce, places = filePlaces, report }: CampaignOptions): Promise<Findings | Skipped> {
  const why = cannotFail()
  if (why !== undefined) return { skipped: `no call fails, because ${why}` }
  const chosen = places.filter((place) => place !== 'postgres')
  return histories({
    crashes: runs,
    seed,
    atOnce,
    faulty: true,
    report,
    async homeOf(number, draw): Promise<Home> {
      const place = chosen[number % chosen.length] as Place
      // That of LMDB ends the process with SIGSEGV where the first write to a new store fails. Nothing is lost by that.
      return { ...(await folderHome(place)), failing: () => failing(draw), driverMayDie: place === 'lmdb' }
    },
  })
}
