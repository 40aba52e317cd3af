import { readdir } from 'node:fs/promises'
import * as t from 'io-ts'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { BackendError, type JobOptions, SinkError } from '../../lib/index.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { sinkWith, storageWith } from '../support/adversaries.js'
import { settled, testJob, type Watched, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

interface Setting extends Omit<Partial<JobOptions>, 'clock'> {
  readonly storage: CheckpointStorage
  readonly to?: TransactionalSink<string>
  readonly words?: readonly string[]
}

/** Counts words from an input that stays open; what it is cancelled with is `delete` unless told. */
function counting({ words = ['a', 'b', 'a'], to = memorySink<string>(), checkpoints = { onCancel: 'delete' }, ...options }: Setting) {
  const input = memorySource<string>(words, { bounded: false })
  const { job, clock } = testJob(
    ({ source, sink }) =>
      source('in', input).pipe(
        keyBy((word) => word),
        statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`]),
        sink('out', to),
      ),
    { ...options, checkpoints },
  )
  return { job, clock, input }
}

const restoredIn = (run: Watched) => firstValueFrom(run.events$.pipe(filter((event) => event.kind === 'restored')))

/** Runs until a checkpoint is complete and, unless the sink is down, everything in it is committed. */
async function begun(setting: Setting, restart?: Parameters<typeof watched>[1]) {
  const { job, clock, input } = counting(setting)
  const run = watched(job, restart)
  await restoredIn(run)
  await settled()
  await run.checkpoint()
  await settled()
  return { job, run, clock, input }
}

/** What the next start finds. */
async function nextStart(setting: Setting) {
  const run = watched(counting(setting).job)
  const restored = await restoredIn(run)
  await run.cancel().catch(() => undefined)
  return restored
}

describe('a job that is cancelled', () => {
  test('keeps its checkpoints unless told otherwise, however it ends', async () => {
    for (const checkpoints of [{}, { onCancel: 'retain' }] as const) {
      const storage = memory()
      const to = memorySink<string>()
      const { run } = await begun({ storage, to, checkpoints })
      await run.cancel()
      expect(await nextStart({ storage, to, checkpoints: {} })).toMatchObject({ checkpointId: 1 })
    }
  })

  test('deletes them where it is told to: the next start begins anew, with a higher epoch', async () => {
    const storage = memory()
    const { run } = await begun({ storage })
    await run.cancel()
    const to = memorySink<string>()
    const { run: again } = await begun({ storage, to })
    expect(again.of('restored')).toMatchObject([{ checkpointId: undefined, epoch: 2, rows: 0 }])
    expect(to.committed).toEqual(['a 1', 'b 1', 'a 2'])
    await again.cancel()
  })

  test('leaves nothing of them in a directory but that there are none', async () => {
    const path = await temporaryDirectory()
    const { run } = await begun({ storage: directory(path) })
    expect((await readdir(`${path}/job`)).some((name) => name.startsWith('segment-'))).toBe(true)
    await run.cancel()
    const left = (await readdir(`${path}/job`)).filter((name) => /^(manifest|segment|temporary)-/.test(name))
    expect(left.map((name) => name.replace(/-.*/, ''))).toEqual(['manifest', 'manifest'])
    expect(await nextStart({ storage: directory(path) })).toMatchObject({ checkpointId: undefined, epoch: 2 })
  })

  test.each([
    ['in memory', async () => memorySink<string>()],
    ['in files', async () => jsonLinesSink(await temporaryDirectory()) as TransactionalSink<string>],
  ])('has a sink %s that remembers more than there is: the next start is refused unless it is allowed, once', async (_, target) => {
    const storage = memory()
    const to = await target()
    const { run } = await begun({ storage, to })
    await run.cancel()
    await expect(counting({ storage, to }).job.run().done).rejects.toMatchObject({ code: 'SINK_AHEAD' })
    const { run: allowed } = await begun({ storage, to, restore: { allowSinkAhead: true }, checkpoints: {} })
    await allowed.cancel()
    // From then on the sink and the checkpoints know the same.
    const { run: on } = await begun({ storage, to, checkpoints: {}, words: ['a', 'b', 'a', 'a'] })
    expect(on.of('restored')).toMatchObject([{ checkpointId: 1 }])
    await on.cancel()
  })

  test('commits first what was decided, and nothing else', async () => {
    const storage = memory()
    const out = memorySink<string>()
    let down = true
    const to = sinkWith(out, {
      commit: () => {
        if (down) throw new SinkError('SINK_IO', { reason: 'down' })
      },
    })
    const { run, clock, input } = await begun({ storage, to })
    expect(out.committed).toEqual([])
    input.push('c')
    await settled()
    const cancelled = run.cancel()
    down = false
    await clock.advance(1_000)
    await cancelled
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2'])
    expect(await nextStart({ storage })).toMatchObject({ checkpointId: undefined })
  })

  test('waits for the checkpoint that is being published: its records are committed', async () => {
    let publish: () => void = () => undefined
    const published = new Promise<void>((resolve) => {
      publish = resolve
    })
    const inner = memory()
    const out = memorySink<string>()
    const { job } = counting({ storage: storageWith(inner, { publish: () => published }), to: out })
    const run = watched(job)
    await settled()
    void run.checkpoint().catch(() => undefined)
    await settled()
    const cancelled = run.cancel()
    await settled()
    publish()
    await cancelled
    // Whether it came about or not, the sink has what was decided, and the storage has nothing.
    expect([0, 3]).toContain(out.committed.length)
    expect(out.pending.length === 0 || out.committed.length === 0).toBe(true)
    expect(await nextStart({ storage: inner })).toMatchObject({ checkpointId: undefined })
  })

  test('keeps them where a sink does not confirm in time what was decided: nothing of it is lost', async () => {
    const storage = memory()
    const out = memorySink<string>()
    const to = sinkWith(out, {
      commit: () => {
        throw new SinkError('SINK_IO', { reason: 'down' })
      },
    })
    const { run, clock } = await begun({ storage, to })
    const cancelled = run.cancel()
    await clock.advance(9_999)
    await clock.advance(1)
    await expect(cancelled).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT', details: { uids: ['out'] } })
    expect(await nextStart({ storage, to: out, checkpoints: {} })).toMatchObject({ checkpointId: 1, committedAgain: 1 })
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2'])
  })

  test('keeps them where the storage fails, or somebody else has taken over', async () => {
    const refusing = memory()
    const refuse = () => {
      throw new BackendError('BACKEND_IO', { reason: 'down' })
    }
    const to = memorySink<string>()
    const { run } = await begun({ storage: storageWith(refusing, { discard: refuse }), to })
    await expect(run.cancel()).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT', cause: { code: 'BACKEND_IO' } })
    expect(await nextStart({ storage: refusing, to, checkpoints: {} })).toMatchObject({ checkpointId: 1 })

    const store = new MemoryStore()
    const shared = memorySink<string>()
    const { run: old } = await begun({ storage: memory({ store }), to: shared })
    const { run: newer } = await begun({ storage: memory({ store }), to: shared, checkpoints: {} })
    await expect(old.cancel()).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT', cause: { code: 'BACKEND_FENCED' } })
    await newer.stop()
    expect(await nextStart({ storage: memory({ store }), to: shared, checkpoints: {} })).toMatchObject({ checkpointId: 3 })
  })

  test('keeps them where it has not begun, or waits for its restart', async () => {
    const storage = memory()
    const out = memorySink<string>()
    const { run } = await begun({ storage, to: out })
    const starting = counting({ storage: memory() }).job.run()
    await expect(starting.cancel()).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT', details: { reason: 'the run had not begun' } })
    await run.stop()
    const refusing = sinkWith(out, {
      commit: () => {
        throw new SinkError('SINK_REFUSED', {})
      },
    })
    const { job, clock } = counting({ storage, to: refusing, words: ['a', 'b', 'a', 'c'] })
    const waiting = watched(job, { restart: { count: 5, delayMs: 60_000 } })
    await settled()
    await waiting.checkpoint().catch(() => undefined)
    await settled()
    expect(waiting.kinds()).toContain('failed')
    await expect(waiting.cancel()).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT', details: { reason: 'the run had ended' } })
    expect(clock.pendingCount).toBe(0)
    expect(await nextStart({ storage, to: out, checkpoints: {}, words: ['a', 'b', 'a', 'c'] })).toMatchObject({ checkpointId: 3, committedAgain: 1 })
  })
})

describe('checkpoints that go when a job is cancelled', () => {
  test('stay when it stops, or comes to its end', async () => {
    const endings: readonly ((begin: Awaited<ReturnType<typeof begun>>) => Promise<unknown>)[] = [
      ({ run }) => run.stop(),
      ({ run }) => run.stop({ drain: true, savepoint: memory() }),
      async ({ run, input }) => {
        input.end()
        await run.done
        // A job that has ended is not cancelled any more.
        await run.cancel()
      },
    ]
    for (const end of endings) {
      const storage = memory()
      const to = memorySink<string>()
      await end(await begun({ storage, to }))
      expect((await nextStart({ storage, to, checkpoints: {} }))?.checkpointId).toBeGreaterThan(0)
    }
  })

  test('stay when a subscriber lets go, or the run fails', async () => {
    const storage = memory()
    const to = memorySink<string>()
    const { job, clock } = counting({ storage, to, checkpoints: { onCancel: 'delete', intervalMs: 1_000 } })
    const subscription = job.subscribe()
    await settled()
    await clock.advance(1_000)
    subscription.unsubscribe()
    await settled()
    expect(await nextStart({ storage, to, checkpoints: {} })).toMatchObject({ checkpointId: 1 })
    const refusing = sinkWith(to, {
      commit: () => {
        throw new SinkError('SINK_REFUSED', {})
      },
    })
    const run = watched(counting({ storage, to: refusing, words: ['a', 'b', 'a', 'c'] }).job)
    await expect(run.done).rejects.toMatchObject({ code: 'SINK_REFUSED' })
    // What has failed is not cancelled any more.
    await run.cancel()
    expect(await nextStart({ storage, to, checkpoints: {} })).toMatchObject({ checkpointId: 1 })
  })

  test('need a storage that can delete them, and a word that says so', () => {
    const { manifest, open } = memory()
    const { discards, ...without } = manifest
    expect(discards).toBe(true)
    expect(() => counting({ storage: { manifest: without, open } })).toThrow(expect.objectContaining({ code: 'STORAGE_WITHOUT_DISCARD' }))
    expect(() => counting({ storage: memory(), checkpoints: { onCancel: 'DELETE_ON_CANCELLATION' as never } })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  test('are told to be there where the sessions of a storage cannot do what it says', async () => {
    const inner = memory()
    const lying: CheckpointStorage = {
      manifest: inner.manifest,
      open: (job) => async () => {
        const opened = await inner.open(job)()
        if (opened._tag === 'Left') return opened
        const { right } = opened
        return { _tag: 'Right', right: Object.assign(Object.create(right) as typeof right, { discard: undefined }) }
      },
    }
    const { run } = await begun({ storage: lying })
    await expect(run.cancel()).rejects.toMatchObject({ code: 'CHECKPOINTS_KEPT' })
  })
})
