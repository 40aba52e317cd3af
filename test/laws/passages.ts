import fc from 'fast-check'
import * as t from 'io-ts'
import { shortOrLong } from '../../laws/arbitraries/shortOrLong.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import type { Inputs } from '../../laws/simulation/simulatedJob.js'
import type { SurfaceFactory } from '../../laws/simulation/surface.js'
import type { Stream } from '../../lib/element.js'
import { emits, listState, mapState, unionListState, valueState } from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { keyBy } from '../../operators/keyBy.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { type CampaignJob, type Entry, jobs } from './jobs.js'
import { keyValueSurface } from './keyValueSurface.js'
import { directorySurface, memorySurface } from './surfaces.js'

/** Jobs that go on elsewhere. */
export interface PassagesOfJob {
  readonly name: string
  readonly job: CampaignJob['job']
  readonly inputs: fc.Arbitrary<Inputs>
  readonly surfaces: readonly SurfaceFactory[]
  readonly instancesMax: number
  readonly returns: boolean
}

/** Storages that retain older checkpoints. */
const retaining = [memorySurface, directorySurface(), keyValueSurface]
const everywhere = [plainSurface, ...retaining]

const keyed = (maxLength: number): fc.Arbitrary<readonly Entry[]> =>
  shortOrLong(fc.constantFrom(...'abcdefgh'), { maxLength }).map((keys) => keys.map((key, n) => ({ key, n, at: n })))

/** Rules that every instance has, known at the end of both inputs. */
const broadcast: Pick<CampaignJob, 'name' | 'job' | 'inputs'> = {
  name: 'broadcast state',
  job: {
    sources: ['records', 'rules'],
    sinks: ['out'],
    order: 'perKey',
    build: ({ source, sink }) => {
      const timed = assignTimestamps({ timestamp: ({ n }: Entry) => n, watermarks: boundedOutOfOrderness({ delayMs: 100 }) })
      return (source('records') as Stream<Entry>).pipe(
        timed,
        keyBy(({ key }) => key),
        connectBroadcast(
          'by-rules',
          (source('rules') as Stream<Entry>).pipe(timed),
          { broadcast: { rules: mapState(t.number, t.string) }, state: { sum: valueState(t.number, { initial: 0 }) }, emits: emits<object>() },
          {
            onBroadcast: ({ key, n }, { broadcast }) => broadcast.rules.put(n, key),
            onRecord({ key, n }: Entry, { state, timers, emit }) {
              state.sum.update(state.sum.value() + n)
              timers.eventTime(1_000_000)
              emit({ key, n, sum: state.sum.value() })
            },
            onTimer(_at, { key, broadcast, state, emit }) {
              emit({ key, sum: state.sum.value(), rules: [...broadcast.rules].sort(([a], [b]) => a - b) })
            },
          },
        ),
        sink('out'),
      )
    },
  },
  inputs: fc.record({ records: keyed(12), rules: keyed(5) }),
}

/** Every record once at the end, out of the list of whichever instance has it; and what all of them have. */
const lists: typeof broadcast = {
  name: 'lists of an operator',
  job: {
    sources: ['in'],
    sinks: ['out'],
    order: 'multiset',
    keeps: 'any',
    build: ({ source, sink }) =>
      (source('in') as Stream<Entry>).pipe(
        keyBy(({ key }) => key),
        processUnkeyed(
          'notes',
          { state: { own: listState(t.number), all: unionListState(t.number) }, emits: emits<Pick<Entry, 'key' | 'n'>>() },
          {
            onRecord({ n }: Entry, { state }) {
              state.own.add(n)
              state.all.add(n)
            },
            onEnd({ state, emit }) {
              const known = new Set(state.all)
              for (const n of state.own) emit({ key: known.has(n) ? 'known' : 'unknown', n })
            },
          },
        ),
        sink('out'),
      ),
  },
  inputs: fc.record({ in: keyed(16) }),
}

const named = (...names: readonly string[]): readonly CampaignJob[] =>
  names.map((name) => {
    const found = jobs.find((job) => job.name === name)
    if (found === undefined) throw new Error(`no job is called ${name}`)
    return found
  })

export type Way = 'through savepoints' | 'in more and fewer instances' | 'back to older checkpoints'

const moved = (all: readonly (typeof broadcast)[], way: Way, more: Pick<PassagesOfJob, 'surfaces' | 'instancesMax' | 'returns'>) =>
  all.map(({ name, job, inputs }): PassagesOfJob => ({ name: `${name}, ${way}`, job, inputs, ...more }))

/** Where records may be committed again, nothing is to be learned of what is done twice. */
const exactlyOnce = jobs.filter(({ job }) => job.guarantee !== 'atLeastOnce')

/** What can be split by key, and has its event time before that. */
const divided = named(
  'statefulMap',
  'flatMap and filter',
  'state that comes and goes',
  'two sinks',
  'window with lateness and a side output',
  'processKeyed with timers',
  'state that expires by event time',
  'timers of processing time',
  'asyncMap in any order',
  'sessions that emit early',
  'sliding windows, merged of slices and with an evictor',
  'connectKeyed',
  'intervalJoin',
)

export const passagesOfJobs: readonly PassagesOfJob[] = [
  ...moved([...exactlyOnce, broadcast, lists], 'through savepoints', { surfaces: everywhere, instancesMax: 1, returns: false }),
  ...moved([...divided, broadcast, lists], 'in more and fewer instances', { surfaces: everywhere, instancesMax: 5, returns: false }),
  ...moved([...exactlyOnce, broadcast, lists], 'back to older checkpoints', { surfaces: retaining, instancesMax: 1, returns: true }),
]
