import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { root } from '../tidy/sourceFiles.js'
import { type PlantedBug, plantedBugs } from './bugs.js'
import type { Hunt } from './hunt.js'
import { bundleHunt } from './plant.js'

export interface SelfTestOptions {
  readonly seed: number
  /** So many schedules has each law in each round, unless its schedules are long. */
  readonly rounds?: readonly number[]
  /** The engine as it is has to pass so many of the rounds. */
  readonly soundRounds?: number
  readonly bugs?: readonly PlantedBug[]
  /** Processes at once. */
  readonly processes?: number
  report?(line: string): void
}

/** After so long nothing further is tried: a busy machine gets through two rounds of all laws in it. */
const huntMs = 420_000
/** No single law takes so long. */
const hangsMs = huntMs + 180_000

/**
 * Plants each bug, one at a time, and sees whether so many schedules of a law find it; the engine as it is has to pass the rounds in which most
 * are found.
 */
export async function selfTest({
  seed,
  rounds = [25, 100, 400, 1_475],
  soundRounds = 2,
  bugs = plantedBugs,
  processes = 2,
  report = console.log,
}: SelfTestOptions): Promise<boolean> {
  mkdirSync(`${root}/.tmp`, { recursive: true })
  const folder = mkdtempSync(`${root}/.tmp/planted-`)
  const waiting: (PlantedBug | undefined)[] = [undefined, ...bugs]
  let caught = 0
  let sound = false
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const bug = waiting.shift()
      const at = `${folder}/${waiting.length}`
      const program = await bundleHunt(bug, at)
      const { schedules, total, found } = await hunt(program, bug === undefined ? rounds.slice(0, soundRounds) : rounds, seed)
      if (bug === undefined) {
        sound = found === undefined
        report(sound ? `sound   the engine as it is: ${total} schedules` : `FAILS   the engine as it is, after ${total} schedules: ${found?.failure}`)
      } else if (found === undefined) report(`MISSED  ${bug.name} (${bug.rule}, ${bug.file}): ${total} schedules`)
      else {
        caught += 1
        report(`caught  ${bug.name} (${bug.rule}): ${found.kinds.join(' ')} within ${schedules} schedules of ${found.campaign}, ${total} of all`)
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
const endless: Hunt = { schedules: 0, total: 0, found: { campaign: 'any', kinds: ['HUNG'], failure: `the process did not end within ${hangsMs} ms` } }

const hunt = (program: string, rounds: readonly number[], seed: number): Promise<Hunt> =>
  new Promise((resolve, reject) => {
    const words = [program, rounds.join(), String(seed), String(huntMs)]
    execFile(process.execPath, words, { timeout: hangsMs, maxBuffer: 2 ** 26 }, (error, out, errors) => {
      const line = out.trim().split('\n').at(-1) ?? ''
      if (line.startsWith('{')) resolve(JSON.parse(line) as Hunt)
      else if (error?.killed === true) resolve(endless)
      else reject(new Error(`the hunt broke off: ${errors || String(error)}`))
    })
  })
