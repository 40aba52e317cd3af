/** File systems of their own, on loop devices, which are shut down: what was not synced is gone when they are mounted again. */
import { execFile, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Home } from './history.js'
import { leftoversIn } from './killHomes.js'
import type { Life } from './life.js'
import { partsIn } from './observer.js'
import type { Orders } from './orders.js'

const run = promisify(execFile)

export interface FileSystem {
  readonly name: string
  readonly make: readonly string[]
  readonly mount: string
  readonly bytes: number
}

const mebibyte = 1024 * 1024
export const fileSystems: readonly FileSystem[] = [
  { name: 'ext4', make: ['mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,nodiscard'], mount: 'loop', bytes: 96 * mebibyte },
  // Without its habit of writing data out before a rename that replaces.
  {
    name: 'ext4 without auto_da_alloc',
    make: ['mkfs.ext4', '-q', '-E', 'lazy_itable_init=0,nodiscard'],
    mount: 'loop,noauto_da_alloc',
    bytes: 96 * mebibyte,
  },
  { name: 'xfs', make: ['mkfs.xfs', '-q', '-K'], mount: 'loop', bytes: 320 * mebibyte },
]

/** What a cut leaves of what was logged in memory: nothing, or the log and not the data. */
export type Cut = 'nothing flushed' | 'log flushed'

/** One that is mounted. */
export class Mounted {
  readonly path: string
  #mounted = false

  private constructor(
    private readonly folder: string,
    private readonly system: FileSystem,
  ) {
    this.path = `${folder}/mnt`
  }

  static async make(system: FileSystem): Promise<Mounted> {
    const mounted = new Mounted(await mkdtemp(join(tmpdir(), 'rxweir-cut-')), system)
    try {
      await mkdir(mounted.path)
      await writeFile(mounted.#image, '')
      await truncate(mounted.#image, system.bytes)
      const [program = '', ...options] = system.make
      await run(program, [...options, mounted.#image])
      process.once('exit', mounted.#atExit)
      await mounted.#mount()
      return mounted
    } catch (error) {
      await mounted.remove()
      throw error
    }
  }

  /** The file system stops at once, as if the power had gone: every later write and sync of whoever uses it fails. */
  async cut(how: Cut): Promise<void> {
    await run('xfs_io', ['-x', '-c', how === 'log flushed' ? 'shutdown -f' : 'shutdown', this.path])
  }

  /** Nobody uses it any more: mounts it anew, which replays its journal. */
  async again(): Promise<void> {
    await this.#unmount()
    await this.#mount()
  }

  async remove(): Promise<void> {
    await this.#unmount()
    process.off('exit', this.#atExit)
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Where the campaign ends before it has removed it, nothing stays mounted. */
  readonly #atExit = (): void => {
    if (this.#mounted) spawnSync('umount', ['--lazy', this.path])
    rmSync(this.folder, { recursive: true, force: true })
  }

  get #image(): string {
    return `${this.folder}/image`
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', this.system.mount, this.#image, this.path])
    this.#mounted = true
  }

  async #unmount(): Promise<void> {
    // A process that has just ended may not have let go of it yet.
    for (let attempts = 1; this.#mounted; attempts += 1)
      try {
        await run('umount', [this.path])
        this.#mounted = false
      } catch (error) {
        if (attempts >= 50) throw error
        await after(20)
      }
  }
}

const tried = new Map<FileSystem, Promise<string | undefined>>()

/** Why power can not be cut here, if so. Where it says nothing, what was not synced really was gone, and what was synced was there. */
export function cannotCut(system: FileSystem): Promise<string | undefined> {
  const known = tried.get(system) ?? tryCut(system)
  tried.set(system, known)
  return known
}

async function tryCut(system: FileSystem): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux can shut a file system down'
  if (process.getuid?.() !== 0) return 'only root can mount a file system'
  let mounted: Mounted
  try {
    mounted = await Mounted.make(system)
  } catch (error) {
    return `${system.name} can not be made and mounted on a loop device: ${String((error as Error).message).trim()}`
  }
  try {
    for (const name of ['synced', 'not-synced']) {
      const file = await open(`${mounted.path}/${name}`, 'w')
      await file.writeFile('all of it')
      if (name === 'synced') await file.sync()
      await file.close()
    }
    await mounted.cut('nothing flushed')
    await mounted.again()
    const there = (name: string): Promise<string> => readFile(`${mounted.path}/${name}`, 'utf8').catch(() => '')
    if ((await there('synced')) !== 'all of it') return `${system.name} loses what was synced: it is no disk to try anything on`
    if ((await there('not-synced')) === 'all of it') return `${system.name} keeps what was not synced: a cut would prove nothing`
    return undefined
  } catch (error) {
    return `${system.name} can not be shut down: ${String((error as Error).message).trim()}`
  } finally {
    await mounted.remove()
  }
}

/** A folder of a file system whose power is cut at each crash. */
export async function cutHome(
  place: Orders['place'],
  system: FileSystem,
  { draw, lies = false }: { readonly draw: () => number; readonly lies?: boolean },
): Promise<Home> {
  const mounted = await Mounted.make(system)
  const folder = `${mounted.path}/job`
  await mkdir(folder)
  await run('sync', ['-f', folder])
  return {
    name: `${place} on ${system.name}`,
    orders: { place, folder, lies },
    read: partsIn(folder),
    async crash({ child, ended }: Life) {
      await mounted.cut(draw() < 0.7 ? 'nothing flushed' : 'log flushed')
      child.kill('SIGKILL')
      await ended
      await mounted.again()
    },
    losesDisk: true,
    leftovers: () => leftoversIn(folder),
    remove: () => mounted.remove(),
  }
}
