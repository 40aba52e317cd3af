/** What a soak computes: keys that come and go for ever, and with them state, timers, windows and what expires. */
import * as t from 'io-ts'
import {
  assignTimestamps,
  boundedOutOfOrderness,
  countRecords,
  defineJob,
  emits,
  type Job,
  type JobOptions,
  keyBy,
  listState,
  mapState,
  processKeyed,
  type ReplayableSource,
  type TransactionalSink,
  tumbling,
  union,
  valueState,
  window,
} from 'rxweir'
import { type CampaignRecord, disorderMs, eventStepMs, mixed, recordAt } from './records.js'
import { type Line, partitions } from './workload.js'

/** So many records, and their keys never come again. */
const periodRecords = 20_000
const keysPerPeriod = 50
const windowMs = 60_000
const windowKeys = 8
/** Of what expires by the machine's time there is as much on a fast machine as on a slow one: so much a millisecond, at most. */
const todayEveryMs = 1

const periodOf = (offset: number): number => Math.floor(offset / periodRecords)
const keyOf = ({ partition, offset, hash }: CampaignRecord): string => `${partition}:${periodOf(offset)}:${hash % keysPerPeriod}`
const windowKeyOf = ({ partition, hash }: CampaignRecord): string => `${partition}:${hash % windowKeys}`

export interface SoakParts extends JobOptions {
  source(partition: number): ReplayableSource<CampaignRecord>
  sink(uid: 'chains' | 'sums'): TransactionalSink<Line>
  /** A record has come as far as the first state. */
  saw(record: CampaignRecord): void
}

export const soakWork = ({ source, sink, saw, ...options }: SoakParts): Job =>
  defineJob('soak', options, (job) => {
    const timed = (partition: number) =>
      job
        .source(`partition-${partition}`, source(partition))
        .pipe(assignTimestamps({ timestamp: ({ at }) => at, watermarks: boundedOutOfOrderness({ delayMs: disorderMs + 1 }) }))
    const records = timed(0).pipe(union(timed(1)))
    let todayMs = 0
    const chains = processKeyed(
      'chained',
      {
        state: {
          count: valueState(t.number, { initial: 0 }),
          chain: valueState(t.number, { initial: 0 }),
          // Nobody removes these but time.
          lately: mapState(t.number, t.number, { ttl: { afterMs: 20_000, time: 'event' } }),
          today: listState(t.number, { ttl: { afterMs: 2_000, time: 'processing' } }),
        },
        emits: emits<Line>(),
      },
      {
        onRecord(record: CampaignRecord, { state, timers }) {
          saw(record)
          if (state.count.value() === 0) timers.eventTime((periodOf(record.offset) + 1) * periodRecords * eventStepMs + 1_000)
          state.count.update(state.count.value() + 1)
          state.chain.update(mixed(state.chain.value(), record.hash))
          if (record.hash % 16 === 0) state.lately.put(record.hash % 7, record.offset)
          if (record.hash % 64 === 0 && timers.processingMs >= todayMs) {
            todayMs = timers.processingMs + todayEveryMs
            state.today.add(record.offset)
          }
        },
        // The key has had its last record.
        onTimer(_at, { key, state, emit }) {
          emit({ key: key as string, count: state.count.value(), chain: state.chain.value() })
          state.count.clear()
          state.chain.clear()
        },
      },
    )
    return [
      records.pipe(keyBy(keyOf), chains, job.sink('chains', sink('chains'))),
      records.pipe(
        keyBy(windowKeyOf),
        window('summed', {
          assigner: tumbling({ sizeMs: windowMs }),
          aggregate: countRecords(),
          result: (count, { key, start }): Line => ({ key: key as string, start, count }),
        }),
        job.sink('sums', sink('sums')),
      ),
    ]
  })

/** What the sinks must hold in the end. */
export function expectedOfSoak(seed: number, ends: readonly number[]): { readonly chains: readonly Line[]; readonly sums: readonly Line[] } {
  const chains = new Map<string, { count: number; chain: number }>()
  const sums = new Map<string, { key: string; start: number; count: number }>()
  for (const partition of partitions)
    for (let offset = 0; offset < (ends[partition] ?? 0); offset += 1) {
      const record = recordAt(seed, partition, offset)
      const key = keyOf(record)
      let chain = chains.get(key)
      if (chain === undefined) chains.set(key, (chain = { count: 0, chain: 0 }))
      chain.count += 1
      chain.chain = mixed(chain.chain, record.hash)
      const start = record.at - (record.at % windowMs)
      const name = `${windowKeyOf(record)} ${start}`
      let sum = sums.get(name)
      if (sum === undefined) sums.set(name, (sum = { key: windowKeyOf(record), start, count: 0 }))
      sum.count += 1
    }
  return {
    chains: [...chains].map(([key, { count, chain }]) => ({ key, count, chain })),
    sums: [...sums.values()].sort((a, b) => a.start - b.start),
  }
}
