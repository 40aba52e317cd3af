/**
 * One process for minutes: memory, descriptors and timers must not grow with time, whatever comes, goes, expires and starts again; nor how far
 * its sources are apart, with which grows what waits for the slower one.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare } from '../../laws/simulation/compare.js'
import { noStatistics } from '../../laws/simulation/statistics.js'
import type { Violation } from '../../laws/simulation/violation.js'
import type { Findings } from './adversary.js'
import { bundled } from './bundled.js'
import { growthOf } from './growth.js'
import { leftoversIn } from './killHomes.js'
import type { CampaignOptions } from './main.js'
import { partsIn } from './observer.js'
import type { SoakOrders, SoakSaid } from './soakProgram.js'
import { expectedOfSoak } from './soakWork.js'
import { type Line, outputs } from './workload.js'

export interface SoakOptions extends CampaignOptions {
  /** How often the job is started. */
  readonly lives?: number
  readonly samples?: number
  /** By so many bytes the heap may grow: more than usual in a short one, in which code is compiled to the end. */
  readonly heapMax?: number
}

const mebibyte = 1024 * 1024
/** More than this over the whole soak is a leak: the state has one size, whatever the machine is doing. */
const growthMax = { heap: mebibyte, descriptors: 4, timers: 4, apart: 20_000 }
/** One a second. */
const samplesPerMinute = 60
/** What may be open or waiting when the last run has completed: the process's own. */
const descriptorsAtEndMax = 40
const patienceMs = 10 * 60_000

export async function soak({
  runs,
  seed,
  minutes,
  report,
  leakBytes = 0,
  lives = 12,
  samples = samplesPerMinute * minutes,
  heapMax = growthMax.heap,
}: SoakOptions): Promise<Findings> {
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-soak-'))
  const program = await bundled('test/campaigns/soakProgram.ts')
  try {
    const leastMs = minutes * 60_000
    const orders: SoakOrders = { folder, seed, leastMs, leastRecords: runs, lives, samples, leakBytes }
    const { said, hung, errors } = await soaked(program.path, orders, report)
    const of = <K extends SoakSaid['kind']>(kind: K) => said.filter((each): each is Extract<SoakSaid, { kind: K }> => each.kind === kind)
    const statistics = { ...noStatistics(), runs: 1 }
    for (const { restored, checkpoints, inCheckpoint } of of('life')) {
      statistics.checkpoints += checkpoints
      statistics.restored += restored ? 1 : 0
      statistics.crashesInCheckpoint += inCheckpoint ? 1 : 0
    }
    statistics.crashes = of('life').length - 1
    statistics.records = of('sample').at(-1)?.records ?? 0
    const violations: Violation[] = []
    for (const { what } of of('failed')) violations.push({ kind: 'HUNG', what })
    // Node says of what it finds in the garbage that it is still open.
    for (const what of errors.split('\n').filter((line) => /on garbage collection$/.test(line))) violations.push({ kind: 'LEAKED', what })
    if (hung) violations.push({ kind: 'HUNG', what: 'the process did not come to its end' })
    const figures = of('sample')
    const grew = (Object.keys(growthMax) as (keyof typeof growthMax)[]).map((name) => {
      const growth = growthOf(figures.map((figure) => [figure.atMs, figure[name]]))
      const most = name === 'heap' ? heapMax : growthMax[name]
      if (growth > most) violations.push({ kind: 'LEAKED', what: `${name} grew by ${Math.round(growth)} at least, and ${most} may be` })
      const values = figures.map((figure) => figure[name])
      return `${name} ${Math.min(...values)} to ${Math.max(...values)}, growth ${Math.round(growth)} at least`
    })
    const done = of('done')[0]
    if (done !== undefined) {
      if (done.descriptors > descriptorsAtEndMax)
        violations.push({ kind: 'LEAKED', what: `${done.descriptors} descriptors are open behind the last run` })
      if (done.timers > 0) violations.push({ kind: 'LEAKED', what: `${done.timers} timers wait behind the last run` })
      const ends = [0, 1].map((partition) => of('ends').find((each) => each.partition === partition)?.end ?? 0)
      violations.push(...(await judged(folder, seed, ends)))
      for (const name of await leftoversIn(folder)) violations.push({ kind: 'LEAKED', what: `${name} is left` })
    }
    const vacuous = statistics.restored === 0 ? 'no checkpoint was restored' : statistics.records < runs ? `${statistics.records} records` : undefined
    if (vacuous !== undefined && violations.length === 0) violations.push({ kind: 'SILENT', what: `nothing was tried: ${vacuous}` })
    return {
      statistics,
      violations: [...new Set(violations.map(({ kind }) => kind))],
      failures: violations.slice(0, 10).map(({ kind, what }) => `${kind}: ${what}`),
      notes: [
        ...grew,
        `resident up to ${Math.max(...figures.map(({ resident }) => resident))}`,
        `${figures.length} samples, ${statistics.crashesInCheckpoint} crashes inside a checkpoint`,
      ],
    }
  } finally {
    program.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Soaked {
  readonly said: readonly SoakSaid[]
  readonly hung: boolean
  /** What it has written to its standard error. */
  readonly errors: string
}

async function soaked(program: string, orders: SoakOrders, report: CampaignOptions['report']): Promise<Soaked> {
  const child = spawn(process.execPath, ['--expose-gc', program, JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const said: SoakSaid[] = []
  let rest = ''
  child.stdout.on('data', (text) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const words = JSON.parse(line) as SoakSaid
      said.push(words)
      if (words.kind === 'sample' && said.length % 10 === 0)
        report(
          `${(words.atMs / 1_000).toFixed(0)} s: ${words.records} records, heap ${words.heap}, ${words.descriptors} descriptors, ${words.timers} timers`,
        )
    }
  })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  let hung = false
  const late = setTimeout(
    () => {
      hung = true
      kill()
    },
    2 * orders.leastMs + patienceMs,
  )
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(late)
  process.off('exit', kill)
  return { said, hung, errors }
}

async function judged(folder: string, seed: number, ends: readonly number[]): Promise<readonly Violation[]> {
  const expected = expectedOfSoak(seed, ends)
  const read = partsIn(folder)
  const violations: Violation[] = []
  for (const output of outputs) {
    const found = [...(await read(output, new Set())).values()].flatMap((lines) => lines ?? [])
    const seen = (line: Line) => ({ key: line.key, text: JSON.stringify(line) })
    const lines = found.map((text) => ({ key: (JSON.parse(text) as Line).key, text }))
    violations.push(...compare(output, lines, expected[output].map(seen), 'perKey'))
  }
  return violations
}
