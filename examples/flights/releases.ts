/** The job of the flights in two releases, each in several instances. */
import * as t from 'io-ts'
import { codec, defineJob, filterValues, type Job, type JobInstance, type JobOptions, statefulMap } from 'rxweir'
import { jsonLines, jsonLinesSink } from 'rxweir/backends/directory'
import { Delays, Flight, type RunningMean } from './flight.js'
import { flightsGraph } from './job.js'

export interface ReleaseOptions extends Pick<JobOptions, 'storage' | 'state' | 'restore'> {
  readonly instance: JobInstance
  /** The lines of all flights. */
  readonly flights: string
  /** Where this instance writes. */
  readonly to: string
}

const checkpoints = { intervalMs: 25 }

export function firstRelease({ flights, to, ...options }: ReleaseOptions): Job {
  return defineJob('flights', { ...options, checkpoints }, (scope) => flightsGraph(scope, { from: jsonLines(flights, Flight), to }))
}

/** A new field: the longest delay since the release. What the first release stored has none. */
const Delays2 = t.intersection([Delays, t.type({ longest: t.union([t.number, t.null]) })])
type Delays2 = t.TypeOf<typeof Delays2>

const delays = statefulMap(
  'delays',
  {
    state: codec<Delays2>({
      version: 2,
      encode: (state) => state,
      decode: (stored) => {
        if (!Delays2.is(stored)) throw new Error('no delays')
        return stored
      },
      migrations: { 1: (stored) => ({ ...(stored as Delays), longest: null }) },
    }),
    initial: { flights: 0, sum: 0, longest: null },
  },
  (before, { id, origin, delay }: Flight) => {
    const after = { flights: before.flights + 1, sum: before.sum + delay, longest: Math.max(delay, before.longest ?? delay) }
    return [after, { id, airport: origin, flights: after.flights, meanDelay: after.sum / after.flights } satisfies RunningMean]
  },
)

/** A line of alerts/: a flight that left very late, and the how-manieth of its airport since the release. */
export interface Alert {
  readonly id: number
  readonly airport: string
  readonly number: number
}

/** From so many minutes on. */
export const veryLate = 120

/** A new operator. */
const alerts = statefulMap('veryLate', { state: t.number, initial: 0 }, (before, { id, origin }: Flight) => [
  before + 1,
  { id, airport: origin, number: before + 1 } satisfies Alert,
])

export function secondRelease({ flights, to, ...options }: ReleaseOptions): Job {
  return defineJob('flights', { ...options, checkpoints }, (scope) =>
    flightsGraph(scope, {
      from: jsonLines(flights, Flight),
      to,
      running: delays,
      beside: (stream) => [
        stream.pipe(
          filterValues(({ delay }) => delay >= veryLate),
          alerts,
          scope.sink('alerts', jsonLinesSink(`${to}/alerts`)),
        ),
      ],
    }),
  )
}
