import {
  type Aggregate,
  assignTimestamps,
  boundedOutOfOrderness,
  defineJob,
  fromSide,
  type Job,
  keyBy,
  sideOutput,
  statefulMap,
  tumbling,
  window,
} from 'rxweir'
import { directory, jsonLines, jsonLinesSink } from 'rxweir/backends/directory'
import { arriving } from './arriving.js'
import { Delays, dayMs, dayOf, Flight, leftAt, outOfOrderMs } from './flight.js'

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

/** Per airport a mean delay that runs along, per airport and day another one, and aside what came too late for its day. */
export function flightsJob({ folder, checkpointMs, ...live }: FlightsJob): Job {
  return defineJob('flights', { storage: directory(`${folder}/checkpoints`), checkpoints: { intervalMs: checkpointMs } }, ({ source, sink }) => {
    const flights = source('flights', arriving(jsonLines(`${folder}/flights.jsonl`, Flight), live)).pipe(
      assignTimestamps({ timestamp: leftAt, watermarks: boundedOutOfOrderness({ delayMs: outOfOrderMs }) }),
      keyBy((flight) => flight.origin),
    )
    const running = flights.pipe(
      statefulMap('delays', { state: Delays, initial: { flights: 0, sum: 0 } }, (before, { id, origin, delay }: Flight) => {
        const delays = { flights: before.flights + 1, sum: before.sum + delay }
        return [delays, { id, airport: origin, flights: delays.flights, meanDelay: delays.sum / delays.flights }]
      }),
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
      running.pipe(sink('running', jsonLinesSink(`${folder}/running`))),
      daily.pipe(sink('daily', jsonLinesSink(`${folder}/daily`))),
      daily.pipe(fromSide(late), sink('late', jsonLinesSink(`${folder}/late`))),
    ]
  })
}
