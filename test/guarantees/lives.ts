import { taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { sinkIn } from '../../laws/simulation/sinkIn.js'
import { sourceIn } from '../../laws/simulation/sourceIn.js'
import { defineJob, type JobRunHandle } from '../../lib/job.js'
import type { ReplayableSource, SourceReader } from '../../lib/ports/replayableSource.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import type { TestDatabase } from '../postgres/database.js'
import { type Death, processOf, stateOf, storageOf } from './processes.js'
import { countedOf, type Reading, readings, type Verdict, verdictOf } from './records.js'
import type { Made, SourceOf, StorageOf, Target } from './rig.js'
import { Rig } from './rig.js'

/** What a cell is made of. */
export interface Parts {
  readonly source: Made<SourceOf>
  readonly storage: Made<StorageOf>
  readonly target: Made<Target>
}

export interface Lives {
  /** The ends of the processes, one after the other; behind them one lives to the end of the input. */
  readonly deaths: readonly Death[]
  /** What is in the memory of a process only. */
  readonly ends?: readonly (keyof Parts)[]
  readonly database?: TestDatabase | undefined
}

/** Before a checkpoint is decided, and after it was committed when nobody has heard so yet. */
export const twoDeaths: readonly Death[] = [
  { at: 'storage publish begins', after: 1 },
  { at: 'sink commit ends', after: 1 },
]

/** Wherever the protocol changes hands, while state is restored too. */
export const everyDeath: readonly Death[] = [
  ...twoDeaths,
  { at: 'sink commit begins', after: 1 },
  { at: 'sink commit begins', after: 0 },
  { at: 'record written', after: 2 },
  { at: 'storage takeOver ends', after: 0 },
]

export interface Outcome {
  readonly verdict: Verdict
  /** How many processes died where the plan says. */
  readonly died: number
  readonly deaths: number
  /** From which checkpoint each began; 0 for none. */
  readonly restored: readonly number[]
}

/** Runs one pipeline in one process after the other, and looks at what a reader of the target has seen then. */
export async function outcomeOf(parts: Parts, { deaths, ends = [], database }: Lives): Promise<Outcome> {
  const rig = new Rig(database)
  try {
    let made = { source: await parts.source(rig), storage: await parts.storage(rig), target: await parts.target(rig) }
    const restored: number[] = []
    let died = 0
    for (const death of [...deaths, undefined]) {
      if (restored.length > 0)
        made = {
          source: ends.includes('source') ? await parts.source(rig) : made.source,
          storage: ends.includes('storage') ? await parts.storage(rig) : made.storage,
          target: ends.includes('target') ? await parts.target(rig) : made.target,
        }
      const end = await lived(rig, made, death, (checkpointId) => restored.push(checkpointId))
      if (end === 'ended') continue
      died += 1
      await rig.ended()
    }
    return { verdict: verdictOf(await made.target.seen(), countedOf(readings)), died, deaths: deaths.length, restored }
  } finally {
    await rig.close()
  }
}

/** The life of one process. Every two records a checkpoint is complete. */
async function lived(
  rig: Rig,
  made: { readonly source: SourceOf; readonly storage: StorageOf; readonly target: Target },
  death: Death | undefined,
  restored: (checkpointId: number) => void,
): Promise<'died' | 'ended'> {
  const { life, died } = processOf(death)
  const { storage, state, closes } = made.storage(life)
  const atEnd = closes ? rig.atEnd : () => {}
  const options = {
    storage: storageOf(life, storage, atEnd),
    ...(state === undefined ? {} : { state: stateOf(state, atEnd) }),
    clock: life,
    checkpoints: { intervalMs: Number.POSITIVE_INFINITY },
    limits: { sourceBatchMax: 2 },
  }
  const job = defineJob('guaranteed', options, ({ source, sink }) =>
    source(
      'in',
      betweenCheckpoints(sourceIn(life, made.source(life)), async () => committed.reached(await run.checkpoint())),
    ).pipe(
      mapValues((read) => (typeof read === 'string' ? (JSON.parse(read) as Reading) : read)),
      keyBy(({ who }) => who),
      statefulMap('count', { state: t.number, initial: 0 }, (count, reading) => [count + 1, { ...reading, count: count + 1 }]),
      tapValues((value) => made.target.tapped?.(life, value)),
      sink('out', sinkIn(life, made.target.sink(life, storage) as TransactionalSink<unknown>, { committed() {} })),
    ),
  )
  const committed = new Reached()
  const run: JobRunHandle = job.run()
  run.events$.subscribe({
    next(event) {
      if (event.kind === 'restored') restored(event.checkpointId ?? 0)
      if (event.kind === 'checkpointCommitted') committed.reach(event.checkpointId)
    },
    error: () => undefined,
  })
  return Promise.race([run.done.then(() => 'ended' as const), died])
}

/** How far something has come, for who waits for it. */
class Reached {
  #at = 0
  #waiting: (() => void)[] = []

  reach(at: number): void {
    this.#at = at
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async reached(at: number): Promise<void> {
    while (this.#at < at) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

/** Before each read but the first a checkpoint is complete, and committed: so processes die where the plan says, however slow a sink is. */
const betweenCheckpoints = <T>(source: ReplayableSource<T>, checkpoint: () => Promise<void>): ReplayableSource<T> => ({
  ...source,
  open: (context) =>
    TE.map((reader: SourceReader<T>) => {
      let reads = 0
      const read: SourceReader<T>['read'] = (recordsMax) => async () => {
        if (reads > 0) await checkpoint()
        reads += 1
        return reader.read(recordsMax)()
      }
      return { ...reader, read }
    })(source.open(context)),
})
