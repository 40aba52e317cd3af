import type { Results } from './expected.js'
import type { RunningMean } from './flight.js'

export const shown = (number: number): string => number.toLocaleString('en-US')

/** The largest airports at the end: as the job committed them, and as a plain loop has them. */
export function airportTable(committed: Results, expected: Results, rows = 6): string {
  const found = newest(committed.running)
  const wanted = [...newest(expected.running).values()].sort((a, b) => b.flights - a.flights)
  const cells = (line: RunningMean | undefined): string =>
    `${(line === undefined ? '-' : shown(line.flights)).padStart(9)}${(line === undefined ? '-' : line.meanDelay.toFixed(3)).padStart(13)}`
  return [
    `  airport    flights   mean delay      flights   mean delay   (${shown(wanted.length)} airports)`,
    `             committed by the job      by a plain loop`,
    ...wanted.slice(0, rows).map((line) => `  ${line.airport.padEnd(7)} ${cells(found.get(line.airport))}    ${cells(line)}`),
  ].join('\n')
}

function newest(running: readonly RunningMean[]): ReadonlyMap<string, RunningMean> {
  return new Map(running.map((line) => [line.airport, line]))
}
