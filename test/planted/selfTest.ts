import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { root } from '../tidy/sourceFiles.js'
import { type PlantedBug, plantedBugs } from './bugs.js'
import type { Hunt } from './hunt.js'
import { bundleHunt } from './plant.js'

export interface SelfTestOptions {
  readonly seed: number
  readonly runs?: number
  readonly bugs?: readonly PlantedBug[]
  /** Processes at once. */
  readonly processes?: number
  report?(line: string): void
}

const huntMs = 300_000

/** Plants each bug, one at a time, and sees whether so many schedules find it; the engine as it is has to pass the same ones. */
export async function selfTest({ seed, runs = 2_000, bugs = plantedBugs, processes = 2, report = console.log }: SelfTestOptions): Promise<boolean> {
  mkdirSync(`${root}/.tmp`, { recursive: true })
  const folder = mkdtempSync(`${root}/.tmp/planted-`)
  const waiting: (PlantedBug | undefined)[] = [undefined, ...bugs]
  let caught = 0
  let sound = false
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const bug = waiting.shift()
      const at = `${folder}/${waiting.length}`
      const { schedules, found } = await hunt(await bundleHunt(bug, at), runs, seed)
      if (bug === undefined) {
        sound = found === undefined
        report(
          sound
            ? `sound   the engine as it is: ${schedules} schedules`
            : `FAILS   the engine as it is, after ${schedules} schedules: ${found?.failure}`,
        )
      } else if (found === undefined) report(`MISSED  ${bug.name} (${bug.rule}, ${bug.file}): ${schedules} schedules`)
      else {
        caught += 1
        report(`caught  ${bug.name} (${bug.rule}): ${found.kinds.join(' ')} after ${schedules} schedules, by ${found.campaign}`)
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: processes }, work))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  report(`planted: ${caught} of ${bugs.length} caught`)
  return sound && caught === bugs.length
}

/** A hunt that never ends was caught by the clock. */
const endless: Hunt = { schedules: 0, found: { campaign: 'any', kinds: ['HUNG'], failure: `the process did not end within ${huntMs} ms` } }

const hunt = (program: string, runs: number, seed: number): Promise<Hunt> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [program, String(runs), String(seed)], { timeout: huntMs, maxBuffer: 2 ** 26 }, (error, out, errors) => {
      const line = out.trim().split('\n').at(-1) ?? ''
      if (line.startsWith('{')) resolve(JSON.parse(line) as Hunt)
      else if (error?.killed === true) resolve(endless)
      else reject(new Error(`the hunt broke off: ${errors || String(error)}`))
    })
  })
