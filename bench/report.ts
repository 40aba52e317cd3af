import type { Measurement } from './measure.js'
import type { Scenario } from './scenarios.js'

/** The measurements of each variant, one a round. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle)
    ? ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
    : (sorted[Math.floor(middle)] ?? Number.NaN)
}

const speedOf = (measured: readonly Measurement[] | undefined): number => median((measured ?? []).map(({ recordsPerSecond }) => recordsPerSecond))

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
  const rows = [columns, ...[...rounds].map(([variant, measured]) => rowOf(variant, measured))]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return [`${scenario.name}, ${scenario.keys.toLocaleString('en')} keys, ${records.toLocaleString('en')} readings`, '', ...lines, ''].join('\n')
}

const rounded = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(3)) : null)

/** The figures of a scenario for the last line; null for what was not measured. */
export function figuresOf({ subject, without, ratios }: Scenario, rounds: Rounds): { readonly [name: string]: number | null } {
  const speed = speedOf(rounds.get(subject))
  const measured = rounds.get(subject) ?? []
  return {
    ...Object.fromEntries(Object.entries(ratios).map(([name, peer]) => [name, rounded(speed / speedOf(rounds.get(peer)))])),
    checkpointCost: rounded(1 - speed / speedOf(rounds.get(without))),
    maxLoopBlockMs: rounded(median(measured.map(({ loopBlockMs }) => loopBlockMs))),
    barrierUs: rounded(median(measured.flatMap(({ checkpoints }) => checkpoints?.barrierUs ?? []))),
    bytesPerCheckpoint: rounded(median(measured.flatMap(({ checkpoints }) => (checkpoints?.completed ?? []).map(({ bytes }) => bytes)))),
  }
}

/** All variants do the same: what they made of the first pass is equal, to the last digit. */
export function assertSameResults(scenario: Scenario, rounds: Rounds): void {
  const found = new Set([...rounds.values()].flat().map(({ results, checksum }) => `${results} results, ${checksum} in sum`))
  if (found.size > 1) throw new Error(`the variants of ${scenario.name} do not agree: ${[...found].join(' / ')}`)
}
