import type { Measurement } from './measure.js'
import type { Scenario } from './scenarios.js'
import { markdown } from './section.js'

/** The measurements of each variant, one a round. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle)
    ? ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
    : (sorted[Math.floor(middle)] ?? Number.NaN)
}

const columns = [
  'variant',
  'M records/s',
  'from-to',
  'M/s of CPU',
  'first pass',
  'longest turn',
  'heap',
  'checkpoints',
  'rows each',
  'bytes each',
  'took',
  'barrier',
]
const millions = (value: number): string => (value / 1e6).toFixed(2)

function rowOf(variant: string, measured: readonly Measurement[]): string[] {
  const speeds = measured.map(({ recordsPerSecond }) => recordsPerSecond)
  const completed = measured.flatMap(({ checkpoints }) => checkpoints?.completed ?? [])
  const barriers = measured.flatMap(({ checkpoints }) => checkpoints?.barrierUs ?? [])
  const firsts = measured.flatMap(({ firstPassRecordsPerSecond }) => firstPassRecordsPerSecond ?? [])
  const asynchronous = measured.some(({ checkpoints }) => checkpoints !== undefined)
  const figures = (unit: string, values: readonly number[]): string =>
    values.length === 0 ? '' : `${Math.round(median(values)).toLocaleString('en')}${unit}`
  return [
    variant,
    millions(median(speeds)),
    `${millions(Math.min(...speeds))}-${millions(Math.max(...speeds))}`,
    millions(median(measured.map(({ recordsPerCpuSecond }) => recordsPerCpuSecond))),
    firsts.length === 0 ? '' : millions(median(firsts)),
    asynchronous ? `${median(measured.map(({ loopBlockMs }) => loopBlockMs)).toFixed(1)} ms` : '',
    figures(
      ' MB',
      measured.map(({ heapMb }) => heapMb),
    ),
    completed.length === 0 ? '' : (completed.length / measured.length).toFixed(1),
    figures(
      '',
      completed.map(({ rows }) => rows),
    ),
    figures(
      '',
      completed.map(({ bytes }) => bytes),
    ),
    figures(
      ' ms',
      completed.map(({ durationMs }) => durationMs),
    ),
    figures(' µs', barriers),
  ]
}

/** A scenario as a Markdown table. */
export function tableOf(scenario: Scenario, records: number, rounds: Rounds): string {
  const rows = [...rounds].map(([variant, measured]) => rowOf(variant, measured))
  return markdown(`${scenario.name}, ${scenario.keys.toLocaleString('en')} keys, ${records.toLocaleString('en')} readings`, columns, rows)
}

const rounded = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(3)) : null)

export interface Figures {
  /** The subject's speed over that of each peer, and `checkpointCost`: 1 - with / without. */
  readonly [name: string]: number | null | { readonly [name: string]: number | null }
  /** The same by processor time, which says more where the machine is shared. */
  readonly perCpu: { readonly [name: string]: number | null }
}

/** The figures of a scenario for the last line; null for what was not measured. */
export function figuresOf(scenario: Scenario, rounds: Rounds): Figures {
  const measured = rounds.get(scenario.subject) ?? []
  return {
    ...comparedBy(scenario, rounds, ({ recordsPerSecond }) => recordsPerSecond),
    maxLoopBlockMs: rounded(median(measured.map(({ loopBlockMs }) => loopBlockMs))),
    barrierUs: rounded(median(measured.flatMap(({ checkpoints }) => checkpoints?.barrierUs ?? []))),
    bytesPerCheckpoint: rounded(median(measured.flatMap(({ checkpoints }) => (checkpoints?.completed ?? []).map(({ bytes }) => bytes)))),
    perCpu: comparedBy(scenario, rounds, ({ recordsPerCpuSecond }) => recordsPerCpuSecond),
  }
}

function comparedBy(
  { subject, without, ratios }: Scenario,
  rounds: Rounds,
  speed: (measurement: Measurement) => number,
): { readonly [name: string]: number | null } {
  const speedOf = (variant: string): number => median((rounds.get(variant) ?? []).map(speed))
  return {
    ...Object.fromEntries(Object.entries(ratios).map(([name, peer]) => [name, rounded(speedOf(subject) / speedOf(peer))])),
    checkpointCost: rounded(1 - speedOf(subject) / speedOf(without)),
  }
}

/** All variants do the same: what they made of the first pass is equal, to the last digit. */
export function assertSameResults(scenario: Scenario, rounds: Rounds): void {
  const found = new Set([...rounds.values()].flat().map(({ results, checksum }) => `${results} results, ${checksum} in sum`))
  if (found.size > 1) throw new Error(`the variants of ${scenario.name} do not agree: ${[...found].join(' / ')}`)
}
