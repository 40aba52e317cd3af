import * as t from 'io-ts'
import { type Observable, Subject } from 'rxjs'
import type { Stream } from '../../lib/element.js'
import type { JobEvent } from '../../lib/events.js'
import type { Delivered } from '../../lib/intake/delivered.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import type { TestDatabase } from '../postgres/database.js'
import { manualClock } from '../support/manualClock.js'
import type { DeliveryName } from './cells.js'
import { type Death, processOf, stateOf, storageOf } from './processes.js'
import { type Counted, type Reading, readings, type Seen } from './records.js'
import { type Made, Rig, type StorageOf } from './rig.js'

export interface HotLives {
  readonly storage: Made<StorageOf>
  readonly journal: boolean
  readonly delivery: DeliveryName
  /** The storage is in the memory of a process only. */
  readonly ends?: boolean
  readonly database?: TestDatabase | undefined
}

/** What happens in one process: values that come, and how it ends. Behind the values a checkpoint is asked for, unless it dies before. */
interface Script {
  readonly values: readonly Reading[]
  /** `atOnce`: before the checkpoint that would have kept the values. */
  readonly death: Death | 'atOnce' | 'afterwards' | undefined
}

const script: readonly Script[] = [
  { values: readings.slice(0, 4), death: 'afterwards' },
  { values: readings.slice(4, 6), death: 'atOnce' },
  { values: readings.slice(6, 8), death: { at: 'storage publish begins', after: 0 } },
  { values: readings.slice(8, 9), death: { at: 'storage publish ends', after: 0 } },
  { values: readings.slice(9), death: undefined },
]

/** The values that a complete checkpoint has, wherever they came from. */
export const keptWithoutJournal: readonly Reading[] = [...readings.slice(0, 4), ...readings.slice(8)]

export interface HotOutcome {
  readonly seen: readonly Seen[]
  /** What the last process handed out of values that came in it. */
  readonly last: readonly Counted[]
  readonly restored: readonly number[]
}

/** An Observable whose values cannot be had again, in one process after the other. */
export async function hotOutcomeOf({ storage, journal, delivery, ends = false, database }: HotLives): Promise<HotOutcome> {
  const rig = new Rig(database)
  try {
    let made = await storage(rig)
    const seen: Seen[] = []
    const restored: number[] = []
    for (const { values, death } of script) {
      if (ends) made = await storage(rig)
      await lived(rig, made, { values, death, journal, delivery, seen, restored })
      await rig.ended()
    }
    const [first] = (script.at(-1) as Script).values
    const last = seen.map(({ value }) => value).filter(({ n }) => n >= (first as Reading).n)
    return { seen, last, restored }
  } finally {
    await rig.close()
  }
}

interface Living extends Script, Pick<HotLives, 'journal' | 'delivery'> {
  readonly seen: Seen[]
  readonly restored: number[]
}

async function lived(rig: Rig, made: StorageOf, { values, death, journal, delivery, seen, restored }: Living): Promise<void> {
  const { life, died } = processOf(typeof death === 'object' ? death : undefined)
  const clock = manualClock()
  const { storage, state, closes } = made(life)
  const atEnd = closes ? rig.atEnd : () => {}
  const waiting = new Map<string, () => void>()
  const told = (what: string): void => waiting.get(what)?.()
  const heard = (what: string): Promise<unknown> => Promise.race([died, new Promise<void>((resolve) => waiting.set(what, resolve))])
  const events = (event: JobEvent): void => {
    if (event.kind === 'restored') restored.push(event.checkpointId ?? 0)
    told(event.kind)
  }
  const options = {
    storage: storageOf(life, storage, atEnd),
    ...(state === undefined ? {} : { state: stateOf(state, atEnd) }),
    clock,
    checkpoints: { intervalMs: 1_000 },
    journal,
    atEnd: 'suspend' as const,
    events,
  }
  const counted = (stream: Stream<Reading>) =>
    stream.pipe(
      keyBy(({ who }) => who),
      statefulMap('count', { state: t.number, initial: 0 }, (count, reading: Reading) => [count + 1, { ...reading, count: count + 1 }]),
      tapValues(({ n }) => told(`processed ${n}`)),
    )
  const hot = new Subject<Reading>()
  const results: Observable<Counted | Delivered<Counted>> =
    delivery === 'immediate'
      ? hot.pipe(checkpointed<Reading, Counted>('hot', options, counted))
      : hot.pipe(checkpointed<Reading, Counted>('hot', { ...options, delivery }, counted))
  const ended = new Promise<void>((resolve, reject) => {
    results.subscribe({
      next(result) {
        if (!life.dead) seen.push('id' in result ? { key: result.id, value: result.value } : { value: result })
      },
      error: reject,
      complete: resolve,
    })
  })
  for (const value of values) {
    const processed = heard(`processed ${value.n}`)
    hot.next(value)
    // An error ends it, too.
    await Promise.race([processed, ended])
  }
  if (death === 'atOnce') return life.die()
  if (death === undefined) {
    hot.complete()
    return ended
  }
  const committed = heard('checkpointCommitted')
  clock.advance(1_000)
  await Promise.race([committed, ended])
  life.die()
}
