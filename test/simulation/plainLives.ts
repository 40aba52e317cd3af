import { Subject } from 'rxjs'
import { directory } from '../../backends/directory/directory.js'
import { CrashFs } from '../../laws/crashFs.js'
import { biased, type Chance, chance } from '../../laws/crashFsChoices.js'
import { asProcess } from '../../laws/crashFsProcess.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { counting, Findings } from '../support/countedValues.js'
import { manualClock } from '../support/manualClock.js'

export interface PlainVerdict {
  deaths: number
  powerCuts: number
  results: number
  repeated: number
  readonly wrong: string[]
}

const never = new Promise<never>(() => {})

interface Mortal {
  /** It dies at this operation, of those on these files. */
  readonly dieAt: number
  readonly on: (path: string) => boolean
  /** Whether that one has its effect. */
  readonly effect: boolean
  /** How long an operation takes. */
  readonly turns: () => number
}

/** The files of a process that dies at one of its operations: that one may have had its effect, and none after it has. */
function mortal(files: FileLayer, { dieAt, on, effect, turns }: Mortal): { readonly files: FileLayer; died(): boolean } {
  let operations = 0
  let dead = false
  const step = async <A>(path: string, work: () => Promise<A>): Promise<A> => {
    if (dead) return never
    if (on(path)) operations += 1
    if (operations < dieAt) {
      for (let left = turns(); left > 0 && !dead; left -= 1) await Promise.resolve()
      const answer = dead ? await never : await work()
      return dead ? never : answer
    }
    dead = true
    if (effect) await work().catch(() => undefined)
    return never
  }
  const opened = (path: string, file: OpenFile): OpenFile => ({
    write: (bytes, position) => step(path, () => file.write(bytes, position)),
    read: (into, position) => step(path, () => file.read(into, position)),
    sync: () => step(path, () => file.sync()),
    size: () => step(path, () => file.size()),
    identify: () => step(path, () => file.identify()),
    truncate: (bytes) => step(path, () => file.truncate(bytes)),
    close: () => step(path, () => file.close()),
  })
  return {
    died: () => dead,
    files: {
      create: async (path) => opened(path, await step(path, () => files.create(path))),
      open: async (path) => opened(path, await step(path, () => files.open(path))),
      link: (from, to) => step(from, () => files.link(from, to)),
      rename: (from, to) => step(from, () => files.rename(from, to)),
      unlink: (path) => step(path, () => files.unlink(path)),
      makeDirectory: (path) => step(path, () => files.makeDirectory(path)),
      list: (path) => step(path, () => files.list(path)),
      size: (path) => step(path, () => files.size(path)),
      identify: (path) => step(path, () => files.identify(path)),
      syncDirectory: (path) => step(path, () => files.syncDirectory(path)),
    },
  }
}

const everywhere = (): boolean => true
const inTheJournal = (path: string): boolean => /entries-|temporary-/.test(path)

/** Lives of one pipeline over a hot source: each ends in a death, a power cut, an unsubscription or well. */
export async function plainLives(seed: number, delivery: 'immediate' | 'withCheckpoint', lives = 5): Promise<PlainVerdict> {
  const random = chance(seed)
  const disks = chance(seed ^ 0x51ed270b)
  const findings = new Findings()
  const verdict: PlainVerdict = { deaths: 0, powerCuts: 0, results: 0, repeated: 0, wrong: findings.wrong }
  let disk = new CrashFs()
  let next = 0
  for (let life = 1; life <= lives && verdict.wrong.length === 0; life += 1) {
    next = await live({ disk, random, delivery, last: life === lives, next, token: life, findings, verdict, disks })
    if (life < lives && random() < 0.3) {
      verdict.powerCuts += 1
      disk = disk.cutAt(disk.cuts).image(biased(random))
    } else disk = disk.afterProcessDeath()
  }
  findings.close()
  return { ...verdict, results: findings.results, repeated: findings.repeated }
}

interface OneLife {
  readonly disk: CrashFs
  readonly random: Chance
  readonly delivery: 'immediate' | 'withCheckpoint'
  readonly last: boolean
  readonly next: number
  readonly token: number
  readonly findings: Findings
  readonly verdict: PlainVerdict
  /** Chance for what disks do. */
  readonly disks: Chance
}

async function live({ disk, random, delivery, last, next, token, findings, verdict, disks }: OneLife): Promise<number> {
  const clock = manualClock(token * 1_000_000)
  const dieAt = last ? Number.POSITIVE_INFINITY : 1 + Math.floor(random() ** 2 * 160)
  const effect = random() < 0.5
  const files = asProcess(disk, () => Math.floor(random() * 3))
  const [slow, aimed] = [disks() < 0.5, disks() < 0.4]
  const process = mortal(files, {
    dieAt: aimed ? Math.ceil(dieAt / 8) : dieAt,
    on: aimed ? inTheJournal : everywhere,
    effect,
    // The rest of the process gets far ahead of a slow disk.
    turns: () => (slow ? Math.floor(disks() * 300) : 0),
  })
  const storage = directory('/state', { files: process.files, clock, token: () => token.toString(16).padStart(8, '0') })
  const options = { storage, journal: true, clock, atEnd: 'suspend', checkpoints: { intervalMs: 10 } } as const
  const source = new Subject<number>()
  let ended = false
  const observer = {
    error: (error: unknown) => {
      ended = true
      if (!process.died()) verdict.wrong.push(`life ${token} failed: ${String(error)}`)
    },
    complete: () => {
      ended = true
    },
  }
  const alive = (): boolean => !process.died()
  const subscription =
    delivery === 'immediate'
      ? source.pipe(checkpointed('counting', options, counting)).subscribe({ ...observer, next: (result) => alive() && findings.saw(result) })
      : source
          .pipe(checkpointed('counting', { ...options, delivery: 'withCheckpoint' }, counting))
          .subscribe({ ...observer, next: (result) => alive() && findings.delivered(result) })
  let value = next
  const steps = last ? 6 : 2 + Math.floor(random() * 12)
  for (let step = 0; step < steps && alive() && !ended; step += 1) {
    for (let count = Math.floor(random() * 4); count > 0; count -= 1) source.next(value++)
    await clock.advance(Math.floor(random() * 15))
  }
  if (last || random() < 0.4) source.complete()
  else if (random() < 0.5) subscription.unsubscribe()
  for (let turn = 0; turn < 60 && !ended && alive(); turn += 1) await clock.advance(5)
  if (last && !ended) verdict.wrong.push('the last life does not end')
  if (!alive()) verdict.deaths += 1
  // What is left of a dead process does nothing any more.
  subscription.unsubscribe()
  return value
}
