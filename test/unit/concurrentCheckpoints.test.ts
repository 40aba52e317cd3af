import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { lmdb } from '../../backends/lmdb/lmdb.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { CheckpointOptions } from '../../lib/coordinator.js'
import { BackendError, SinkError } from '../../lib/errors.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import type { Limits } from '../../lib/limits.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { type SinkAmbushes, type StorageAmbushes, sinkWith, storageWith } from '../support/adversaries.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'
import { manualClock } from '../support/manualClock.js'

interface Setting {
  readonly checkpoints?: NonNullable<JobOptions['checkpoints']>
  readonly storage?: StorageAmbushes
  readonly sink?: SinkAmbushes
  readonly limits?: Partial<Limits>
}

/** A job that counts words, three checkpoints at a time unless told, over a storage and a sink that do as they are told. */
function counting({ checkpoints, storage = {}, sink: ambushes = {}, limits = {} }: Setting = {}, clock = manualClock()) {
  const input = memorySource<string>([], { bounded: false })
  const out = memorySink<string>()
  const { job } = testJob(
    ({ source, sink }) =>
      source('in', input).pipe(
        keyBy((word) => word.slice(0, 1)),
        statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`]),
        sink('out', sinkWith(out, ambushes)),
      ),
    { storage: storageWith(memory({ retainedCheckpoints: 3 }), storage), checkpoints: { concurrentMax: 3, ...checkpoints }, limits, clock },
  )
  const run = watched(job)
  const push = async (...words: string[]) => {
    input.push(...words)
    await settled(3)
  }
  const ids = (kind: 'checkpointStarted' | 'checkpointCompleted' | 'checkpointAborted') => run.of(kind).map(({ checkpointId }) => checkpointId)
  return { job, run, clock, input, out, push, ids }
}

/** Waits that are ended one by one, by the number of the checkpoint. */
function gates() {
  const waiting = new Map<number, { readonly wait: Promise<void>; readonly open: () => void; readonly fail: (error: Error) => void }>()
  const at = (id: number) => {
    const known = waiting.get(id)
    if (known !== undefined) return known
    let open = (): void => {}
    let fail = (_error: Error): void => {}
    const wait = new Promise<void>((resolve, reject) => {
      open = resolve
      fail = reject
    })
    const made = { wait, open, fail }
    waiting.set(id, made)
    return made
  }
  return { wait: (id: number) => at(id).wait, open: (id: number) => at(id).open(), fail: (id: number, error: Error) => at(id).fail(error) }
}

const down = (): BackendError => new BackendError('BACKEND_IO', { reason: 'down' })

describe('several checkpoints under way', () => {
  test('a barrier passes while older ones are written; they complete in their order, whichever is ready first', async () => {
    const { wait, open } = gates()
    const { run, out, push, ids } = counting({ storage: { write: wait } })
    await settled()
    const asked: Promise<number>[] = []
    for (const word of ['a', 'aa', 'aaa']) {
      await push(word)
      asked.push(run.checkpoint())
      await settled(3)
    }
    expect(ids('checkpointStarted')).toEqual([1, 2, 3])
    open(3)
    open(2)
    await settled()
    expect([ids('checkpointCompleted'), out.committed]).toEqual([[], []])
    open(1)
    expect(await Promise.all(asked)).toEqual([1, 2, 3])
    await settled()
    expect(ids('checkpointCompleted')).toEqual([1, 2, 3])
    expect(out.committed).toEqual(['a 1', 'aa 2', 'aaa 3'])
    await run.stop()
  })

  test('no more than that: what is asked for beyond shares the next', async () => {
    const { wait, open } = gates()
    const { run, ids } = counting({ storage: { publish: wait } })
    await settled()
    const asked = [0, 1, 2, 3, 4].map(() => run.checkpoint())
    await settled()
    // All that is asked for between two records is one checkpoint.
    expect(ids('checkpointStarted')).toEqual([1])
    const more: Promise<number>[] = []
    for (let each = 0; each < 4; each += 1) {
      more.push(run.checkpoint())
      await settled(2)
    }
    expect(ids('checkpointStarted')).toEqual([1, 2, 3])
    for (const id of [1, 2, 3, 4]) open(id)
    expect(await Promise.all([...asked, ...more])).toEqual([1, 1, 1, 1, 1, 2, 3, 4, 4])
    run.cancel()
  })

  test('the interval begins another while there is room, and goes on when one has ended', async () => {
    const { wait, open } = gates()
    const { run, clock, ids } = counting({ checkpoints: { intervalMs: 100, concurrentMax: 2 }, storage: { publish: wait } })
    await settled()
    for (let ms = 0; ms < 500; ms += 100) await clock.advance(100)
    expect(ids('checkpointStarted')).toEqual([1, 2])
    open(1)
    await settled()
    await clock.advance(0)
    expect(ids('checkpointStarted')).toEqual([1, 2, 3])
    run.cancel()
    expect(clock.pendingCount).toBe(0)
  })

  test('a pause between two leaves room for one', async () => {
    const { wait, open } = gates()
    const { run, clock, ids } = counting({ checkpoints: { intervalMs: 100, minPauseMs: 1 }, storage: { publish: wait } })
    await settled()
    for (let ms = 0; ms < 500; ms += 100) await clock.advance(100)
    expect(ids('checkpointStarted')).toEqual([1])
    open(1)
    await settled()
    await clock.advance(1)
    expect(ids('checkpointStarted')).toEqual([1, 2])
    run.cancel()
  })

  test('a row that changes behind each barrier is in each checkpoint as it was there', async () => {
    const { wait, open } = gates()
    const { run, job, out, push } = counting({ storage: { write: wait } })
    await settled()
    for (const word of ['a', 'a', 'a']) {
      await push(word)
      void run.checkpoint().catch(() => undefined)
      await settled(3)
    }
    await push('a')
    open(1)
    open(2)
    await settled()
    run.cancel()
    open(3)
    await settled()
    // The second one is the newest: what it counted is what the next run begins with.
    const next = watched(job)
    await settled()
    expect(next.of('restored')).toMatchObject([{ checkpointId: 2 }])
    open(4)
    await next.stop()
    expect(out.committed).toEqual(['a 1', 'a 2', 'a 3', 'a 4'])
  })
})

describe('where one of several fails', () => {
  test('those behind it are given up, too, and what was in them is in the next: state and output', async () => {
    const { wait, open, fail } = gates()
    const { run, job, out, push, ids } = counting({ storage: { write: wait } })
    await settled()
    const asked: Promise<unknown>[] = []
    for (const word of ['a', 'b', 'a']) {
      await push(word)
      asked.push(run.checkpoint().catch((error: unknown) => error))
      await settled(3)
    }
    open(2)
    fail(1, down())
    const before = { code: 'CHECKPOINT_BEFORE_FAILED', cause: { code: 'CHECKPOINT_DECLINED' } }
    expect(await Promise.all(asked)).toMatchObject([
      { code: 'CHECKPOINT_DECLINED', cause: { code: 'BACKEND_IO' } },
      { ...before, details: { checkpointId: 2, before: 1 } },
      { ...before, details: { checkpointId: 3, before: 1 } },
    ])
    open(3)
    await settled()
    expect(ids('checkpointAborted')).toEqual([1, 2, 3])
    expect(run.metrics().checkpoints).toMatchObject({ completed: 0, failed: 3 })
    await push('b')
    open(4)
    expect(await run.checkpoint()).toBe(4)
    await settled()
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2', 'b 2'])
    run.cancel()
    const next = watched(job)
    await settled()
    open(5)
    await push('a', 'b')
    await next.stop()
    expect(out.committed.slice(4)).toEqual(['a 3', 'b 3'])
  })

  test('those before it complete', async () => {
    const { wait, open } = gates()
    const { run, out, push, ids } = counting({
      storage: { write: wait },
      sink: {
        preCommit: (id) => {
          if (id === 2) throw new SinkError('SINK_IO', { reason: 'down' })
        },
      },
    })
    await settled()
    for (const word of ['a', 'b', 'c']) {
      await push(word)
      void run.checkpoint().catch(() => undefined)
      await settled(3)
    }
    open(2)
    await settled()
    expect(ids('checkpointAborted')).toEqual([2, 3])
    open(1)
    await settled()
    expect([ids('checkpointCompleted'), out.committed]).toEqual([[1], ['a 1']])
    open(4)
    await run.checkpoint()
    await settled()
    expect(out.committed).toEqual(['a 1', 'b 1', 'c 1'])
    await run.stop()
  })

  test('by taking too long, the others are given up with it', async () => {
    const { wait, open } = gates()
    const { run, clock, push, ids } = counting({ checkpoints: { timeoutMs: 1_000 }, storage: { write: wait } })
    await settled()
    for (const word of ['a', 'b']) {
      await push(word)
      void run.checkpoint().catch(() => undefined)
      await settled(3)
      await clock.advance(400)
    }
    await clock.advance(200)
    expect(run.of('checkpointAborted')).toMatchObject([{ error: { code: 'CHECKPOINT_TIMED_OUT' } }, { error: { code: 'CHECKPOINT_BEFORE_FAILED' } }])
    expect(ids('checkpointCompleted')).toEqual([])
    for (const id of [1, 2, 3, 4]) open(id)
    await settled()
    expect(await run.checkpoint()).toBe(3)
    await run.stop()
    expect(clock.pendingCount).toBe(0)
  })

  test('it is one failure of those that are tolerated, however many it takes along', async () => {
    const { wait, open, fail } = gates()
    const { run } = counting({ checkpoints: { tolerableFailures: 1 }, storage: { publish: wait } })
    await settled()
    const ask = async (): Promise<void> => {
      void run.checkpoint().catch(() => undefined)
      await settled()
    }
    for (let each = 0; each < 3; each += 1) await ask()
    fail(1, down())
    await settled()
    open(4)
    await ask()
    await settled()
    expect(run.of('checkpointCompleted')).toMatchObject([{ checkpointId: 4 }])
    for (const id of [5, 6]) {
      await ask()
      fail(id, down())
      await settled()
    }
    await expect(run.done).rejects.toMatchObject({ code: 'CHECKPOINTS_FAILING', details: { failures: 2, checkpointId: 6 } })
  })
})

describe('a checkpoint that is to be alone', () => {
  test('waits for those under way, and lets none begin beside it: that of a savepoint', async () => {
    const { wait, open } = gates()
    const { run, clock, push, ids } = counting({ checkpoints: { intervalMs: 100 }, storage: { publish: wait } })
    await settled()
    await push('a')
    for (let each = 0; each < 2; each += 1) await clock.advance(100)
    expect(ids('checkpointStarted')).toEqual([1, 2])
    const target = memory()
    const saved = run.savepoint(target)
    await clock.advance(100)
    expect(ids('checkpointStarted')).toEqual([1, 2])
    open(1)
    open(2)
    await settled()
    await clock.advance(100)
    expect(ids('checkpointStarted')).toEqual([1, 2, 3])
    open(3)
    expect(await saved).toBe(3)
    expect(run.of('savepointCompleted')).toMatchObject([{ checkpointId: 3, rows: 1 }])
    for (const id of [4, 5, 6, 7, 8, 9]) open(id)
    await run.stop()
    expect(clock.pendingCount).toBe(0)
  })

  test('is the last one of a run that is stopped', async () => {
    const { wait, open } = gates()
    const { run, out, push, ids } = counting({ storage: { publish: wait } })
    await settled()
    for (const word of ['a', 'b']) {
      await push(word)
      void run.checkpoint().catch(() => undefined)
      await settled(3)
    }
    await push('c')
    const stopped = run.stop()
    await settled()
    expect(ids('checkpointStarted')).toEqual([1, 2])
    for (const id of [1, 2, 3]) open(id)
    await stopped
    expect(ids('checkpointCompleted')).toEqual([1, 2, 3])
    expect(out.committed).toEqual(['a 1', 'b 1', 'c 1'])
  })

  test('all of them are cancelled with the run, and nothing of them comes to be', async () => {
    const { wait, open } = gates()
    const { run, job, out, push, clock } = counting({ storage: { write: wait } })
    await settled()
    const asked: Promise<unknown>[] = []
    for (const word of ['a', 'b']) {
      await push(word)
      asked.push(run.checkpoint().catch((error: unknown) => error))
      await settled(3)
    }
    run.cancel()
    expect(clock.pendingCount).toBe(0)
    for (const id of [1, 2, 3]) open(id)
    expect(await Promise.all(asked)).toMatchObject([{ code: 'CHECKPOINT_CANCELLED' }, { code: 'CHECKPOINT_CANCELLED' }])
    await settled()
    expect(out.committed).toEqual([])
    const next = watched(job)
    await settled()
    expect(next.of('restored')).toMatchObject([{ checkpointId: undefined }])
    await next.stop()
    expect(out.committed).toEqual(['a 1', 'b 1'])
  })
})

test('a job that discards its checkpoints when it is cancelled waits for the one that is being published, with others behind it', async () => {
  const { wait, open } = gates()
  const { run, job, out, push } = counting({ checkpoints: { onCancel: 'delete' }, storage: { published: wait } })
  await settled()
  for (const word of ['a', 'b']) {
    await push(word)
    void run.checkpoint().catch(() => undefined)
    await settled()
  }
  const cancelled = run.cancel()
  await settled()
  open(1)
  await cancelled
  expect(out.committed).toEqual(['a 1'])
  // Nothing is left of it, as the sink notices.
  expect(await failed(job)).toMatchObject({ code: 'SINK_AHEAD', details: { restored: 'none' } })
})

test('transactions that are under way count for the limit of commits that are not confirmed', async () => {
  const { wait, open } = gates()
  const { run, out, push, ids } = counting({ limits: { unconfirmedCommitsMax: 2 }, storage: { publish: wait } })
  await settled()
  for (const word of ['a', 'b', 'c']) {
    await push(word)
    void run.checkpoint().catch(() => undefined)
    await settled(3)
  }
  expect(ids('checkpointStarted')).toEqual([1, 2])
  for (const id of [1, 2, 3, 4]) open(id)
  await settled()
  expect(ids('checkpointCompleted')).toEqual([1, 2, 3])
  expect(out.committed).toEqual(['a 1', 'b 1', 'c 1'])
  await run.stop()
})

describe('more at a time than can be', () => {
  const made = (checkpoints: CheckpointOptions, options: Pick<Partial<JobOptions>, 'storage' | 'state'> = {}) =>
    testJob(({ source, sink }) => source('in', memorySource<string>([])).pipe(sink('out', memorySink())), { ...options, checkpoints })
  const refused = (expected: string) => expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(expected) })

  test.each([0, 1.5, 101, Number.POSITIVE_INFINITY])('%d is refused', (concurrentMax) => {
    expect(() => made({ concurrentMax })).toThrow(refused('a whole number from 1 to 100'))
  })

  test('is refused where barriers may overtake records', () => {
    expect(() => made({ concurrentMax: 2, unaligned: true })).toThrow(refused('1 where barriers may overtake records'))
    expect(() => made({ concurrentMax: 1, unaligned: true })).not.toThrow()
  })

  test('is refused where the storage or the state does one at a time', () => {
    const storage = memory()
    const one = { ...storage, manifest: { ...storage.manifest, concurrentWriters: false } }
    expect(() => made({ concurrentMax: 2 }, { storage: one })).toThrow(refused("'memory', which writes one at a time"))
    expect(() => made({ concurrentMax: 2, minPauseMs: 1 }, { storage: one })).not.toThrow()
    expect(() => made({ concurrentMax: 2 }, { ...lmdb('./state') })).toThrow(refused("'lmdb', which fixes their changes one at a time"))
    expect(() => made({ concurrentMax: 2 }, { storage: lmdb('./state').storage })).not.toThrow()
  })
})

describe('how long a result waits until it is visible', () => {
  const intervalMs = 50
  const slowMs = 200

  /** A record every 5 ms, for two seconds behind the first two. */
  async function latencies(concurrentMax: number, slow: 'write' | 'preCommit' | 'publish') {
    const clock = manualClock()
    const wait = (): Promise<void> => new Promise((resolve) => void clock.callAt(clock.nowMs() + slowMs, resolve))
    const { run, out, input } = counting(
      {
        checkpoints: { intervalMs, concurrentMax },
        storage: slow === 'preCommit' ? {} : { [slow]: wait },
        sink: slow === 'preCommit' ? { preCommit: wait } : {},
      },
      clock,
    )
    await settled()
    const waited: number[] = []
    for (let seen = 0; clock.nowMs() < 4_000; ) {
      input.push(`${String(clock.nowMs())}`)
      await settled(1)
      await clock.advance(5)
      for (; seen < out.committed.length; seen += 1) {
        const fromMs = Number(out.committed[seen]?.split(' ')[0])
        if (fromMs >= 2_000) waited.push(clock.nowMs() - fromMs)
      }
    }
    run.cancel()
    return { mean: Math.round(waited.reduce((sum, ms) => sum + ms, 0) / waited.length), most: Math.max(...waited) }
  }

  test.each(['write', 'preCommit'] as const)('one such time and one interval, instead of two such times, where %s takes long', async (slow) => {
    expect(await latencies(1, slow)).toEqual({ mean: 302, most: 405 })
    expect(await latencies(5, slow)).toEqual({ mean: 228, most: slowMs + intervalMs })
  })

  test('with fewer under way than begin in one such time, something in between', async () => {
    expect(await latencies(3, 'write')).toEqual({ mean: 242, most: 305 })
  })

  test('longer where publishing takes long: that happens one at a time', async () => {
    expect(await latencies(1, 'publish')).toEqual({ mean: 302, most: 405 })
    expect(await latencies(3, 'publish')).toEqual({ mean: 694, most: 795 })
  })
})
