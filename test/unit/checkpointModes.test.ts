import { option } from 'fp-ts'
import { asapScheduler, type Observable, observeOn } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { readBody } from '../../lib/checkpointBody.js'
import type { CheckpointOptions } from '../../lib/coordinator.js'
import type { Stream } from '../../lib/element.js'
import { jobName } from '../../lib/identity.js'
import { defineJob } from '../../lib/job.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { mapValues } from '../../operators/mapValues.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'

/** What outlives a run. */
interface Kept {
  readonly storage: CheckpointStorage
  readonly out: ReturnType<typeof memorySink<string>>
}

const left = ['l1', 'l2', 'l3', 'l4']
const right = ['r1', 'r2']

/** So many microtasks late that a checkpoint has begun meanwhile. */
const late = <T>(stream: Observable<T>): Observable<T> =>
  Array.from({ length: 10 }).reduce<Observable<T>>((before) => before.pipe(observeOn(asapScheduler)), stream)

/**
 * Two sources, of which one comes late: where a checkpoint begins, its records are still on their way to the junction, and the
 * barrier of the other one is there before them. `at` is a record of the late one at which a checkpoint is asked for.
 */
function unionJob({
  at,
  checkpoints,
  storage = memory(),
  out = memorySink<string>(),
}: Partial<Kept> & { at?: string; checkpoints: CheckpointOptions }) {
  let ask = (): void => undefined
  const { job } = testJob(
    ({ source, sink }) =>
      (
        source('left', memorySource(left)).pipe(
          tapValues((value) => {
            if (value === at) ask()
          }),
          late,
        ) as Stream<string>
      ).pipe(union(source('right', memorySource(right))), sink('out', out)),
    { checkpoints, storage },
  )
  const asks = (work: () => void): void => {
    ask = work
  }
  return { job, out, storage, asks }
}

const newest = async (storage: CheckpointStorage) => {
  const session = await unwrap(storage.open(jobName('job')))
  const stored = option.toUndefined(await unwrap(session.latest()))
  await session.close()()
  return stored === undefined ? undefined : readBody(stored.body)
}

/** Runs until the checkpoint that is asked for on the way is complete, and dies. */
async function died({ checkpoints, at = 'l2' }: { checkpoints: CheckpointOptions; at?: string }) {
  const { job, out, storage, asks } = unionJob({ at, checkpoints })
  const run = watched(job)
  asks(() => void run.checkpoint().catch(() => undefined))
  run.events$.subscribe(({ kind }) => {
    if (kind === 'checkpointCompleted') run.cancel()
  })
  await settled()
  return { out, storage }
}

describe('checkpoints whose barriers overtake', () => {
  test('keep what is in flight, and nothing is lost or doubled', async () => {
    const checkpoints = { unaligned: true }
    const { out, storage } = await died({ checkpoints })
    const { operators } = (await newest(storage)) as NonNullable<Awaited<ReturnType<typeof newest>>>
    expect(operators['union']).toMatchObject({
      derived: false,
      meta: { inFlight: { elements: left.map((value) => [0, 'record', `"${value}"`, null, null]) } },
    })
    await unionJob({ checkpoints, storage, out }).job.run().done
    expect([...out.committed].sort()).toEqual([...left, ...right].sort())
  })

  test('are aligned while a timeout has not passed', async () => {
    const { storage } = await died({ checkpoints: { unaligned: true, alignmentTimeoutMs: 1_000 } })
    expect((await newest(storage))?.operators['union']).toMatchObject({ derived: true, meta: { inputs: expect.anything() } })
  })

  test('refuse a restore without the operator that records are in flight to', async () => {
    const { out, storage } = await died({ checkpoints: { unaligned: true } })
    const job = defineJob('job', { storage }, ({ source, sink }) => [
      source('left', memorySource(left)).pipe(sink('out', out)),
      source('right', memorySource(right)).pipe(sink('other', memorySink())),
    ])
    expect(await failed(job)).toMatchObject({ code: 'STATE_UNCLAIMED', details: { uid: 'union' } })
  })

  test('refuse a restore where another operator stands before the same input', async () => {
    const { out, storage } = await died({ checkpoints: { unaligned: true } })
    const job = defineJob('job', { storage }, ({ source, sink }) =>
      source('left', memorySource(left)).pipe(
        mapValues((value) => value),
        union(source('right', memorySource(right))),
        sink('out', out),
      ),
    )
    expect(await failed(job)).toMatchObject({ code: 'STATE_UNCLAIMED', details: { uid: 'union', kind: 'records in flight' } })
  })
})

describe('checkpoints whose barriers are counted', () => {
  test('lose nothing, and may read records again', async () => {
    const checkpoints: CheckpointOptions = { mode: 'at-least-once' }
    const { out, storage } = await died({ checkpoints })
    await unionJob({ checkpoints, storage, out }).job.run().done
    expect(new Set(out.committed)).toEqual(new Set([...left, ...right]))
  })
})

test.each([
  [{ mode: 'once' as never }, 'checkpoints.mode'],
  [{ mode: 'at-least-once' as const, unaligned: true }, 'checkpoints.unaligned'],
  [{ alignmentTimeoutMs: 5 }, 'checkpoints.alignmentTimeoutMs'],
  [{ unaligned: true, alignmentTimeoutMs: -5 }, 'checkpoints.alignmentTimeoutMs'],
])('%j is refused when the job is defined', (checkpoints, option) => {
  expect(() => defineJob('job', { storage: memory(), checkpoints }, () => [])).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) }),
  )
})

test('a codec that is none is refused when the job is defined', () => {
  expect(() => defineJob('job', { storage: memory(), checkpoints: { unaligned: true, inFlight: {} as never } }, () => [])).toThrow(
    expect.objectContaining({ code: 'CODEC_INVALID' }),
  )
})
