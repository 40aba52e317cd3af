import { performance } from 'node:perf_hooks'
import { median } from './report.js'

/** What one run of one of several ways took and made. */
export interface Timed {
  readonly ms: number
  /** Processor time of all threads: steadier where the machine is shared. */
  readonly cpuMs: number
  /** What was made, as text: all ways make the same. */
  readonly made: string
}

/** Measures the time between `begin` and `end`. */
export class Stopwatch {
  private startMs = 0
  private cpu = process.cpuUsage()
  private taken: Pick<Timed, 'ms' | 'cpuMs'> | undefined

  begin(): void {
    this.cpu = process.cpuUsage()
    this.startMs = performance.now()
  }

  end(): void {
    const ms = performance.now() - this.startMs
    const { user, system } = process.cpuUsage(this.cpu)
    this.taken = { ms, cpuMs: (user + system) / 1_000 }
  }

  timed(made: string): Timed {
    if (this.taken === undefined) throw new Error('a way ended before its time was taken')
    return { ...this.taken, made }
  }
}

export interface Compared {
  /** Of the first way. */
  readonly recordsPerSecond: number
  /** For each way behind the first: its time over that of the first, which is the first's speed over its own, the median of all repetitions. */
  readonly ratios: { readonly [way: string]: Ratio }
}

export interface Ratio {
  readonly byClock: number
  readonly byCpu: number
  readonly from: number
  readonly to: number
}

/**
 * Runs ways of doing the same in turns, one of each a repetition and every second time the other way round, so that whatever else
 * the machine does befalls all of them. Throws where they do not make the same.
 */
export async function sideBySide(
  what: string,
  ways: { readonly [way: string]: () => Timed | Promise<Timed> },
  { records, repetitions }: { readonly records: number; readonly repetitions: number },
): Promise<Compared> {
  const names = Object.keys(ways)
  const runs = new Map<string, Timed[]>(names.map((name) => [name, []]))
  for (let repetition = 0; repetition < repetitions; repetition += 1)
    for (const name of repetition % 2 === 0 ? names : [...names].reverse()) {
      ;(globalThis as { gc?: () => void }).gc?.()
      const timed = await ways[name]?.()
      if (timed !== undefined) runs.get(name)?.push(timed)
    }
  const made = new Set([...runs.values()].flat().map((run) => run.made))
  if (made.size > 1) throw new Error(`the ways of ${what} do not agree: ${[...made].join(' / ')}`)
  const [first = '', ...others] = names
  const firsts = runs.get(first) ?? []
  const ratios = others.map((name): [string, Ratio] => {
    const own = runs.get(name) ?? []
    const byClock = own.map(({ ms }, index) => ms / (firsts[index]?.ms ?? Number.NaN))
    const byCpu = own.map(({ cpuMs }, index) => cpuMs / (firsts[index]?.cpuMs ?? Number.NaN))
    return [name, { byClock: median(byClock), byCpu: median(byCpu), from: Math.min(...byClock), to: Math.max(...byClock) }]
  })
  return { recordsPerSecond: (records / median(firsts.map(({ ms }) => ms))) * 1_000, ratios: Object.fromEntries(ratios) }
}
