import * as t from 'io-ts'

/** A line of flights.jsonl. */
export const Flight = t.type({
  /** The number of its line. */
  id: t.number,
  scheduled: t.string,
  /** In minutes; below zero it left early. */
  delay: t.number,
  distance: t.number,
  origin: t.string,
  destination: t.string,
})
export type Flight = t.TypeOf<typeof Flight>

/** Flights and the sum of their delays: the state of one airport, and of one airport's day. */
export const Delays = t.type({ flights: t.number, sum: t.number })
export type Delays = t.TypeOf<typeof Delays>

/** A line of running/: an airport as it stands after one flight. */
export interface RunningMean {
  readonly id: number
  readonly airport: string
  readonly flights: number
  readonly meanDelay: number
}

/** A line of daily/: an airport's day. */
export interface DailyMean {
  readonly airport: string
  readonly day: string
  readonly flights: number
  readonly meanDelay: number
}

export const dayMs = 86_400_000
/** Flights that come more than this behind the latest one seen may find their day closed. */
export const outOfOrderMs = 30 * 60_000

/** When it really left. The file is in the order of the schedule, so these times are out of order. */
export const leftAt = ({ scheduled, delay }: Flight): number => Date.parse(scheduled) + delay * 60_000
export const dayOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10)
