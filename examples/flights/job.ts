import type { Observable } from 'rxjs'
import {
  type Aggregate,
  assignTimestamps,
  boundedOutOfOrderness,
  defineJob,
  fromSide,
  type Job,
  type JobScope,
  type KeyedOperatorOn,
  type KeyedStream,
  keyBy,
  type ReplayableSource,
  type Sunk,
  sideOutput,
  statefulMap,
  tumbling,
  window,
} from 'rxweir'
import { directory, jsonLines, jsonLinesSink } from 'rxweir/backends/directory'
import { arriving } from './arriving.js'
import { Delays, dayMs, dayOf, Flight, leftAt, outOfOrderMs, type RunningMean } from './flight.js'

export interface FlightsJob {
  /** Has flights.jsonl, and gets checkpoints/, running/, daily/ and late/. */
  readonly folder: string
  readonly checkpointMs: number
  readonly perSecond: number
  /** Told the flights that arrive, a batch at a time. */
  readonly arrived: (flights: readonly Flight[]) => void
}

const perDay: Aggregate<Flight, Delays, Delays> = {
  create: () => ({ flights: 0, sum: 0 }),
  add: ({ flights, sum }, { delay }) => ({ flights: flights + 1, sum: sum + delay }),
  result: (delays) => delays,
}

const delays = statefulMap('delays', { state: Delays, initial: { flights: 0, sum: 0 } }, (before, { id, origin, delay }: Flight) => {
  const after = { flights: before.flights + 1, sum: before.sum + delay }
  return [after, { id, airport: origin, flights: after.flights, meanDelay: after.sum / after.flights } satisfies RunningMean]
})

export interface FlightsGraph {
  readonly from: ReplayableSource<Flight>
  /** Gets running/, daily/ and late/. */
  readonly to: string
  /** The operator with the uid `delays`; a later release has another one. */
  readonly running?: KeyedOperatorOn<Flight, string, RunningMean>
  /** What a later release does beside. */
  readonly beside?: (flights: KeyedStream<Flight, string>) => readonly Observable<Sunk>[]
}

/** Per airport a mean delay that runs along, per airport and day another one, and aside what came too late for its day. */
export function flightsGraph(
  { source, sink }: JobScope,
  { from, to, running = delays, beside = () => [] }: FlightsGraph,
): readonly Observable<Sunk>[] {
  const flights = source('flights', from).pipe(
    assignTimestamps({ timestamp: leftAt, watermarks: boundedOutOfOrderness({ delayMs: outOfOrderMs }) }),
    keyBy((flight) => flight.origin),
  )
  const late = sideOutput<Flight>('late')
  const daily = flights.pipe(
    window('days', {
      assigner: tumbling({ sizeMs: dayMs }),
      late,
      aggregate: perDay,
      state: Delays,
      result: ({ flights, sum }, { key, start }) => ({ airport: key, day: dayOf(start), flights, meanDelay: sum / flights }),
    }),
  )
  return [
    flights.pipe(running, sink('running', jsonLinesSink(`${to}/running`))),
    daily.pipe(sink('daily', jsonLinesSink(`${to}/daily`))),
    daily.pipe(fromSide(late), sink('late', jsonLinesSink(`${to}/late`))),
    ...beside(flights),
  ]
}

export function flightsJob({ folder, checkpointMs, ...live }: FlightsJob): Job {
  return defineJob('flights', { storage: directory(`${folder}/checkpoints`), checkpoints: { intervalMs: checkpointMs } }, (scope) =>
    flightsGraph(scope, { from: arriving(jsonLines(`${folder}/flights.jsonl`, Flight), live), to: folder }),
  )
}
