/** What the programs under test compute, and the same once more as a plain loop. */
import * as t from 'io-ts'
import {
  type Aggregate,
  assignTimestamps,
  boundedOutOfOrderness,
  defineJob,
  emits,
  type Job,
  type JobOptions,
  keyBy,
  mapState,
  processKeyed,
  type ReplayableSource,
  type TransactionalSink,
  tumbling,
  union,
  valueState,
  window,
} from 'rxweir'
import { type CampaignRecord, disorderMs, mixed, recordAt } from './records.js'

export const partitions = [0, 1] as const
/** The sinks, by uid. */
export const outputs = ['chains', 'sums'] as const
export type Output = (typeof outputs)[number]

/** What a sink is given: the key first, because order is looked at by key. */
export interface Line {
  readonly key: string
  readonly [name: string]: string | number
}

const windowMs = 200
const places = 5

export interface Parts extends JobOptions {
  source(partition: number): ReplayableSource<CampaignRecord>
  sink(output: Output): TransactionalSink<Line>
}

const sum: Aggregate<CampaignRecord, readonly [number, number], readonly [number, number]> = {
  create: () => [0, 0],
  add: ([count, total], { hash }) => [count + 1, mixed(total ^ hash, 0)],
  result: (all) => all,
}

/** Two sources, state of two kinds, windows, two sinks. What comes out per key does not depend on how the sources interleave. */
export const workload = ({ source, sink, ...options }: Parts): Job =>
  defineJob('campaign', options, (job) => {
    const timed = (partition: number) =>
      job
        .source(`partition-${partition}`, source(partition))
        .pipe(assignTimestamps({ timestamp: ({ at }) => at, watermarks: boundedOutOfOrderness({ delayMs: disorderMs + 1 }) }))
    const keyed = timed(0).pipe(
      union(timed(1)),
      keyBy(({ key }) => key),
    )
    return [
      keyed.pipe(
        processKeyed(
          'chained',
          {
            state: { count: valueState(t.number, { initial: 0 }), chain: valueState(t.number, { initial: 0 }), places: mapState(t.number, t.number) },
            emits: emits<Line>(),
          },
          {
            onRecord({ key, offset, hash }: CampaignRecord, { state, emit }) {
              const count = state.count.value() + 1
              const chain = mixed(state.chain.value(), hash)
              const before = state.places.get(hash % places) ?? -1
              state.count.update(count)
              state.chain.update(chain)
              if (hash % 3 === 0) state.places.remove(hash % places)
              else state.places.put(hash % places, offset)
              emit({ key, offset, hash, count, chain, before })
            },
          },
        ),
        job.sink('chains', sink('chains')),
      ),
      keyed.pipe(
        window('summed', {
          assigner: tumbling({ sizeMs: windowMs }),
          aggregate: sum,
          result: ([count, total], { key, start }): Line => ({ key: key as string, start, count, total }),
        }),
        job.sink('sums', sink('sums')),
      ),
    ]
  })

/** What the sinks must hold in the end, per output in an order that is right for each key. */
export function expectedLines(seed: number, ends: readonly number[]): { readonly [O in Output]: readonly Line[] } {
  const chains: Line[] = []
  const windows = new Map<string, { readonly key: string; readonly start: number; readonly hashes: number[] }>()
  for (const partition of partitions) {
    const known = new Map<string, { count: number; chain: number; places: Map<number, number> }>()
    for (let offset = 0; offset < (ends[partition] ?? 0); offset += 1) {
      const { key, hash, at } = recordAt(seed, partition, offset)
      const state = known.get(key) ?? { count: 0, chain: 0, places: new Map<number, number>() }
      known.set(key, state)
      state.count += 1
      state.chain = mixed(state.chain, hash)
      chains.push({ key, offset, hash, count: state.count, chain: state.chain, before: state.places.get(hash % places) ?? -1 })
      if (hash % 3 === 0) state.places.delete(hash % places)
      else state.places.set(hash % places, offset)
      const start = at - (at % windowMs)
      const open = windows.get(`${key} ${start}`) ?? { key, start, hashes: [] }
      windows.set(`${key} ${start}`, open)
      open.hashes.push(hash)
    }
  }
  const sums = [...windows.values()]
    .sort((a, b) => a.start - b.start)
    .map(({ key, start, hashes }) => ({ key, start, count: hashes.length, total: hashes.reduce((total, hash) => mixed(total ^ hash, 0), 0) }))
  return { chains, sums }
}
