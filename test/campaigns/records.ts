/** The source of the campaigns: what a record is follows from its place, so that anybody can say what should have come of it. */
import { either as E, option as O } from 'fp-ts'
import type { ReplayableSource, SourceRead } from 'rxweir'

export interface CampaignRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly hash: number
  /** Event time: later records happened later, but for a little disorder. */
  readonly at: number
}

const keysPerPartition = 13
export const eventStepMs = 10
/** No record is more than this behind one before it. */
export const disorderMs = 24

/** Two numbers of 32 bits make one. */
export function mixed(a: number, b: number): number {
  let all = Math.imul(a ^ (a >>> 15) ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b)
  all = Math.imul(all ^ (all >>> 13), 0xc2b2ae35)
  return (all ^ (all >>> 16)) >>> 0
}

export function recordAt(seed: number, partition: number, offset: number): CampaignRecord {
  const hash = mixed(mixed(seed, partition + 1), offset)
  return {
    partition,
    offset,
    key: `${partition}:${hash % keysPerPartition}`,
    hash,
    at: Math.max(0, eventStepMs * offset - ((hash >>> 8) % (disorderMs + 1))),
  }
}

export interface RecordSourceOptions {
  readonly seed: number
  readonly partition: number
  /** Behind which record it ends, when it starts there. */
  endOf(start: number): number
}

export const recordSource = ({ seed, partition, endOf }: RecordSourceOptions): ReplayableSource<CampaignRecord> => ({
  offsets: 'replayable',
  open:
    ({ from }) =>
    async () => {
      const start = O.isSome(from) ? (from.value as number) : 0
      const end = endOf(start)
      let next = start
      const read = (recordsMax: number): SourceRead<CampaignRecord> => {
        const first = next
        next = Math.min(end, first + recordsMax)
        if (next <= first) return { kind: 'end' }
        const values = Array.from({ length: next - first }, (_, index) => recordAt(seed, partition, first + index))
        return { kind: 'batch', batch: { values, offsetAfter: (index) => first + index + 1 } }
      }
      return E.right({ start, read: (recordsMax) => async () => E.right(read(recordsMax)), close: () => async () => undefined })
    },
})
