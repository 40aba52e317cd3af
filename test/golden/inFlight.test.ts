import { asapScheduler, type Observable, observeOn } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { callbackSink } from '../../backends/functions/callbackSink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { jobName } from '../../lib/identity.js'
import { defineJob } from '../../lib/index.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { keyBy } from '../../operators/keyBy.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { settled, watched } from '../support/jobs.js'
import { manualClock } from '../support/manualClock.js'
import { recorded } from './recorded.js'
import { checkpointIn, storageWith, type WholeCheckpoint } from './wholeCheckpoint.js'

/** A checkpoint with what its barriers have overtaken, and what is handed out behind it. */
interface Record extends WholeCheckpoint {
  readonly after: readonly string[]
}

interface Sale {
  readonly who: string
  readonly at: number
}

const job = jobName('overtaking')
const left: readonly Sale[] = [
  { who: 'ada', at: 1 },
  { who: '\ud800', at: 5 },
  { who: 'zoë', at: 9 },
  { who: 'bob', at: 14 },
]
const right: readonly Sale[] = [
  { who: 'eve', at: 2 },
  { who: 'ada', at: 7 },
]

/** So many microtasks late that a checkpoint has begun meanwhile. */
const late = <A extends Observable<unknown>>(stream: A): A =>
  Array.from({ length: 10 }).reduce<Observable<unknown>>((before) => before.pipe(observeOn(asapScheduler)), stream) as A

/** Two streams become one, of which one comes late; `at` is called with each of its records before that. */
function made(storage: CheckpointStorage, at: (sale: Sale) => void) {
  const seen: string[] = []
  const times = { timestamp: ({ at }: Sale) => at, watermarks: boundedOutOfOrderness({ delayMs: 2 }) }
  const defined = defineJob(
    job,
    { storage, clock: manualClock(), checkpoints: { intervalMs: Number.POSITIVE_INFINITY, unaligned: true } },
    ({ source, sink }) => {
      const keyed = (side: string, sales: readonly Sale[]) =>
        source(side, memorySource(sales)).pipe(
          assignTimestamps(times),
          keyBy(({ who }) => who),
        )
      return late(keyed('left', left).pipe(tapValues(at))).pipe(
        union(keyed('right', right)),
        sink('out', callbackSink<Sale>({ deliver: ({ value }) => void seen.push(JSON.stringify(value)) })),
      )
    },
  )
  return { defined, seen }
}

/** Runs until a checkpoint is complete that was asked for while records were on their way. */
async function overtaken(): Promise<WholeCheckpoint> {
  const storage = memory()
  let ask = (): void => undefined
  const { defined } = made(storage, ({ at }) => {
    if (at === 5) ask()
  })
  const run = watched(defined)
  ask = () => void run.checkpoint().catch(() => undefined)
  run.events$.subscribe(({ kind }) => {
    if (kind === 'checkpointCompleted') run.cancel()
  })
  await settled()
  return checkpointIn(storage, job)
}

async function goneOn(checkpoint: WholeCheckpoint): Promise<readonly string[]> {
  const { defined, seen } = made(await storageWith(job, checkpoint), () => {})
  await defined.run().done
  return seen.sort()
}

const written = async (): Promise<Record> => {
  const checkpoint = await overtaken()
  return { ...checkpoint, after: await goneOn(checkpoint) }
}

describe('a checkpoint with records in flight', () => {
  it('that an earlier release took is restored, and they arrive', async () => {
    const record = await recorded('inFlight', written)
    expect(record.body).toMatchObject({
      format: 2,
      operators: { union: { meta: { inFlight: { elements: expect.arrayContaining([[0, 'record', '{"who":"zoë","at":9}', 9, '"zoë"']]) } } } },
    })
    expect(await goneOn(record)).toEqual(record.after)
    expect(record.after).toEqual([...left, ...right].map((sale) => JSON.stringify(sale)).sort())
  })

  it('has the same body as ever', async () => {
    expect(JSON.parse(JSON.stringify(await written()))).toEqual(await recorded('inFlight', written))
  })

  it('that a newer release took is refused by name', async () => {
    const { body, ...record } = await recorded('inFlight', written)
    await expect(goneOn({ ...record, body: { ...(body as object), format: 3 } as Json })).rejects.toMatchObject({
      code: 'FORMAT_NEWER',
      details: { found: 3, supported: 2 },
    })
  })
})
