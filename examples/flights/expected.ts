/** What should come out, computed by plain loops in memory: nothing here knows of rxweir. */
import { type DailyMean, type Delays, dayMs, dayOf, type Flight, leftAt, outOfOrderMs, type RunningMean } from './flight.js'

export interface Results {
  readonly running: readonly RunningMean[]
  readonly daily: readonly DailyMean[]
  readonly late: readonly Flight[]
}

export function expected(flights: readonly Flight[]): Results {
  const running: RunningMean[] = []
  const late: Flight[] = []
  const airports = new Map<string, Delays>()
  const days = new Map<string, Delays & { readonly airport: string; readonly start: number }>()
  let newest = Number.NEGATIVE_INFINITY
  for (const flight of flights) {
    const airport = flight.origin
    const so = airports.get(airport) ?? { flights: 0, sum: 0 }
    const far = { flights: so.flights + 1, sum: so.sum + flight.delay }
    airports.set(airport, far)
    running.push({ id: flight.id, airport, flights: far.flights, meanDelay: far.sum / far.flights })

    const left = leftAt(flight)
    const start = Math.floor(left / dayMs) * dayMs
    if (start + dayMs <= newest - outOfOrderMs) late.push(flight)
    else {
      const name = `${airport} ${start}`
      const day = days.get(name) ?? { airport, start, flights: 0, sum: 0 }
      days.set(name, { airport, start, flights: day.flights + 1, sum: day.sum + flight.delay })
    }
    newest = Math.max(newest, left)
  }
  const daily = [...days.values()].map(({ airport, start, flights, sum }) => ({ airport, day: dayOf(start), flights, meanDelay: sum / flights }))
  return { running, daily, late }
}
