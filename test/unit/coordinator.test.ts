import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { codec } from '../../lib/codec.js'
import type { CheckpointOptions } from '../../lib/coordinator.js'
import { BackendError, SinkError } from '../../lib/errors.js'
import type { Limits } from '../../lib/limits.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import { heap } from '../../lib/state/heap.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { type SinkAmbushes, type StorageAmbushes, sinkWith, storageWith } from '../support/adversaries.js'
import { settled, testJob, watched } from '../support/jobs.js'

interface Setting {
  readonly checkpoints?: CheckpointOptions
  readonly storage?: StorageAmbushes
  readonly sink?: SinkAmbushes
  readonly limits?: Partial<Limits>
  readonly state?: StateBackend
  readonly encode?: (n: number) => unknown
}

/** A job that counts words, from an input that stays open, over a storage and a sink that do as they are told. */
function counting({ checkpoints = {}, storage = {}, sink: ambushes = {}, limits = {}, state = heap(), encode = (n) => n }: Setting = {}) {
  const input = memorySource<string>([], { bounded: false })
  const out = memorySink<string>()
  const target = sinkWith(out, ambushes)
  const { job, clock } = testJob(
    ({ source, sink }) =>
      source('in', input).pipe(
        keyBy((word) => word),
        statefulMap('count', { state: codec<number>({ encode, decode: (n) => n as number }), initial: 0 }, (n, word) => [n + 1, `${word} ${n + 1}`]),
        sink('out', target),
      ),
    { storage: storageWith(memory({ retainedCheckpoints: 3 }), storage), state, checkpoints, limits },
  )
  const run = watched(job)
  const push = async (...words: string[]) => {
    input.push(...words)
    await settled(3)
  }
  return { job, run, clock, input, out, push }
}

/** Something that waits until it is opened. */
function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

const down = (): BackendError => new BackendError('BACKEND_IO', { reason: 'down' })

describe('when checkpoints come', () => {
  test('one every interval', async () => {
    const { run, clock } = counting({ checkpoints: { intervalMs: 1_000 } })
    await settled()
    for (let ms = 0; ms < 3_000; ms += 500) await clock.advance(500)
    expect(run.of('checkpointCompleted').map(({ checkpointId }) => checkpointId)).toEqual([1, 2, 3])
    await run.stop()
    expect(clock.pendingCount).toBe(0)
  })

  test('one as soon as the run has begun, where the state asks while it is being restored', async () => {
    const state: StateBackend = {
      manifest: heap().manifest,
      open: (job, run) => {
        run.askCheckpoint()
        return heap().open(job, run)
      },
    }
    const { run } = counting({ state })
    await settled()
    expect(run.of('checkpointCompleted').map(({ checkpointId }) => checkpointId)).toEqual([1])
    await run.stop()
  })

  test('a checkpoint that takes longer than the interval is followed at once, or after the minimum pause', async () => {
    for (const [minPauseMs, expected] of [
      [0, 2],
      [500, 1],
    ] as const) {
      const slow = gate()
      const { run, clock } = counting({
        checkpoints: { intervalMs: 1_000, minPauseMs },
        storage: { publish: (id) => (id === 1 ? slow.opened : undefined) },
      })
      await settled()
      await clock.advance(1_000)
      await clock.advance(1_500)
      expect(run.of('checkpointStarted')).toHaveLength(1)
      slow.open()
      await settled()
      await clock.advance(0)
      expect(run.of('checkpointStarted')).toHaveLength(expected)
      await clock.advance(500)
      expect(run.of('checkpointStarted')).toHaveLength(2)
      run.cancel()
    }
  })

  test('one is in flight at a time: those that are asked for meanwhile share the next', async () => {
    const slow = gate()
    const { run } = counting({ storage: { publish: (id) => (id === 1 ? slow.opened : undefined) } })
    await settled()
    const first = run.checkpoint()
    await settled()
    const [second, third] = [run.checkpoint(), run.checkpoint()]
    await settled()
    expect(run.of('checkpointStarted')).toHaveLength(1)
    slow.open()
    expect(await Promise.all([first, second, third])).toEqual([1, 2, 2])
    await run.stop()
  })

  test('a record that arrives while a checkpoint is written belongs to the next', async () => {
    const slow = gate()
    const { run, out, push } = counting({ storage: { publish: (id) => (id === 1 ? slow.opened : undefined) } })
    await settled()
    await push('a')
    const first = run.checkpoint()
    await settled()
    await push('a', 'b')
    slow.open()
    await first
    await settled()
    expect(out.committed).toEqual(['a 1'])
    run.cancel()
    await run.done
  })

  test('one that falls due while another is written, which was asked for, begins when the minimum pause is over', async () => {
    const slow = gate()
    const { run, clock } = counting({
      checkpoints: { intervalMs: 1_000, minPauseMs: 500 },
      storage: { publish: (id) => (id === 1 ? slow.opened : undefined) },
    })
    await settled()
    await clock.advance(900)
    const asked = run.checkpoint()
    await settled()
    await clock.advance(1_200)
    expect(run.of('checkpointStarted')).toHaveLength(1)
    slow.open()
    await asked
    await clock.advance(499)
    expect(run.of('checkpointStarted')).toHaveLength(1)
    await clock.advance(1)
    expect(run.of('checkpointStarted')).toHaveLength(2)
    run.cancel()
  })

  test('one that is asked for does not wait for the minimum pause', async () => {
    const { run } = counting({ checkpoints: { intervalMs: 1_000, minPauseMs: 5_000 } })
    await settled()
    expect(await run.checkpoint()).toBe(1)
    expect(await run.checkpoint()).toBe(2)
    run.cancel()
  })

  test('asked of a run that has not begun, it is taken as soon as it has', async () => {
    const { run } = counting()
    const target = memory()
    expect(await Promise.all([run.checkpoint(), run.savepoint(target)])).toEqual([1, 1])
    expect(run.kinds()).toContain('savepointCompleted')
    await run.stop()
  })

  test('asked of a run that has ended, or ends before it has begun, it is cancelled', async () => {
    const { run } = counting()
    await run.stop()
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_CANCELLED' })
    const failing = counting({ storage: { open: () => Promise.reject(down()) } }).run
    const cancelled = counting().run
    const asked = [failing, cancelled].flatMap((each) => [each.checkpoint(), each.savepoint(memory())])
    cancelled.cancel()
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: 'CHECKPOINT_CANCELLED' })
    await expect(failing.done).rejects.toMatchObject({ code: 'BACKEND_IO' })
  })

  test('under way when the run is cancelled it is cancelled with it, and does not come to be', async () => {
    const slow = gate()
    const { run, job, clock, out, push } = counting({ storage: { write: () => slow.opened } })
    await settled()
    await push('a')
    const taken = run.checkpoint()
    await settled()
    expect(out.pending).toHaveLength(1)
    run.cancel()
    expect(clock.pendingCount).toBe(0)
    slow.open()
    await expect(taken).rejects.toMatchObject({ code: 'CHECKPOINT_CANCELLED' })
    await settled()
    const next = watched(job)
    await settled()
    expect(next.of('restored')).toMatchObject([{ checkpointId: undefined }])
    expect(out.pending).toEqual([])
    await next.stop()
    expect(out.committed).toEqual(['a 1'])
  })
})

describe('a checkpoint that fails', () => {
  test('is aborted, and what it was to hold is in the next: state, deletions and output', async () => {
    let fail = true
    const { run, job, out, push } = counting({
      storage: {
        publish: () => {
          if (fail) throw down()
        },
      },
    })
    await settled()
    await push('a', 'b', 'a')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED', cause: { code: 'BACKEND_IO' } })
    expect(run.of('checkpointAborted')).toMatchObject([{ checkpointId: 1, error: { code: 'CHECKPOINT_DECLINED' } }])
    await push('b')
    fail = false
    expect(await run.checkpoint()).toBe(2)
    await settled()
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2', 'b 2'])
    run.cancel()
    await run.done
    const next = watched(job)
    await settled()
    await push('a', 'b')
    await next.stop()
    expect(out.committed.slice(4)).toEqual(['a 3', 'b 3'])
  })

  test('while rows are written does the same', async () => {
    let fail = true
    const { run, out, push } = counting({
      storage: {
        write: () => {
          if (fail) throw down()
        },
      },
    })
    await settled()
    await push('a')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED' })
    fail = false
    await push('a')
    await run.stop()
    expect(out.committed).toEqual(['a 1', 'a 2'])
  })

  test('because it takes too long is aborted, and names whom it waited for', async () => {
    const slow = gate()
    const { run, clock, out, push } = counting({
      checkpoints: { timeoutMs: 5_000 },
      sink: { preCommit: (id) => (id === 1 ? slow.opened : undefined) },
    })
    await settled()
    await push('a')
    const taken = run.checkpoint()
    void taken.catch(() => undefined)
    await settled()
    await clock.advance(4_999)
    expect(run.of('checkpointAborted')).toEqual([])
    await clock.advance(1)
    await expect(taken).rejects.toMatchObject({ code: 'CHECKPOINT_TIMED_OUT', details: { checkpointId: 1, timeoutMs: 5_000, waitsFor: ['out'] } })
    slow.open()
    await settled()
    expect(await run.checkpoint()).toBe(2)
    await run.stop()
    expect(out.committed).toEqual(['a 1'])
  })

  test('because the storage takes too long says that', async () => {
    const slow = gate()
    const { run, clock, push } = counting({ checkpoints: { timeoutMs: 5_000 }, storage: { write: (id) => (id === 1 ? slow.opened : undefined) } })
    await settled()
    await push('a')
    const taken = run.checkpoint()
    void taken.catch(() => undefined)
    await settled()
    await clock.advance(5_000)
    await expect(taken).rejects.toMatchObject({ code: 'CHECKPOINT_TIMED_OUT', details: expect.objectContaining({ waitsFor: 'the storage' }) })
    slow.open()
    await settled()
    await run.checkpoint()
    await run.stop()
  })

  test('because a sink cannot pre-commit keeps its records for the next', async () => {
    const { run, out, push } = counting({
      sink: {
        preCommit: (id) => {
          if (id === 1) throw new SinkError('SINK_IO', { reason: 'down' })
        },
      },
    })
    await settled()
    await push('a')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED', cause: { code: 'SINK_IO' } })
    await push('b')
    await run.checkpoint()
    await settled()
    expect(out.committed).toEqual(['a 1', 'b 1'])
    await run.stop()
  })

  test('because a state cannot be encoded is declined, again and again, and ends the run in the end', async () => {
    const { run, push } = counting({ encode: () => () => 0, checkpoints: { tolerableFailures: 1 } })
    await settled()
    await push('a')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED', cause: { code: 'VALUE_NOT_ENCODABLE' } })
    void run.checkpoint().catch(() => undefined)
    await expect(run.done).rejects.toMatchObject({
      code: 'CHECKPOINTS_FAILING',
      details: expect.objectContaining({ failures: 2 }),
      cause: { code: 'CHECKPOINT_DECLINED' },
    })
  })

  test.each([0, 3])('is tolerated %i times in a row; a success starts the count anew', async (tolerableFailures) => {
    let fail = true
    const { run } = counting({
      checkpoints: { tolerableFailures },
      storage: {
        publish: () => {
          if (fail) throw down()
        },
      },
    })
    await settled()
    for (const _round of [1, 2]) {
      fail = true
      for (let each = 0; each < tolerableFailures; each += 1) await expect(run.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED' })
      fail = false
      await run.checkpoint()
    }
    fail = true
    for (let each = 0; each <= tolerableFailures; each += 1) await run.checkpoint().catch(() => undefined)
    await expect(run.done).rejects.toMatchObject({
      code: 'CHECKPOINTS_FAILING',
      cause: { code: 'CHECKPOINT_DECLINED', cause: { code: 'BACKEND_IO' } },
    })
  })

  test('that is only there for a savepoint is told to whoever asked for it, and does not count', async () => {
    let failing = 5
    const { run } = counting({
      checkpoints: { tolerableFailures: 0 },
      storage: {
        publish: () => {
          if (failing-- > 0) throw down()
        },
      },
    })
    await settled()
    for (let each = 0; each < 5; each += 1) await expect(run.savepoint(memory())).rejects.toMatchObject({ code: 'CHECKPOINT_DECLINED' })
    expect(await run.savepoint(memory())).toBe(6)
    // One that is there for more than that counts, whoever else waits for it.
    failing = 1
    void run.savepoint(memory()).catch(() => undefined)
    void run.checkpoint().catch(() => undefined)
    await expect(run.done).rejects.toMatchObject({ code: 'CHECKPOINTS_FAILING' })
  })

  test('at the very end is tried again, and then completes', async () => {
    let failing = 3
    const { run, input, out, push } = counting({
      storage: {
        publish: () => {
          if (failing-- > 0) throw down()
        },
      },
    })
    await settled()
    await push('a')
    input.end()
    await run.done
    expect(run.of('checkpointAborted')).toHaveLength(3)
    expect(out.committed).toEqual(['a 1'])
  })

  test('at the very end for ever is the error of the job', async () => {
    const { run, input } = counting({
      checkpoints: { tolerableFailures: 2 },
      storage: {
        publish: () => {
          throw down()
        },
      },
    })
    await settled()
    input.end()
    await expect(run.done).rejects.toMatchObject({ code: 'CHECKPOINTS_FAILING' })
  })

  test('because another process took over ends the run at once', async () => {
    const { run } = counting({
      storage: {
        publish: () => {
          throw new BackendError('BACKEND_FENCED', {})
        },
      },
    })
    await settled()
    void run.checkpoint().catch(() => undefined)
    await expect(run.done).rejects.toMatchObject({ code: 'BACKEND_FENCED' })
  })

  test('leaves the one before intact', async () => {
    let fail = false
    const { run, job, push, out } = counting({
      storage: {
        publish: () => {
          if (fail) throw down()
        },
      },
    })
    await settled()
    await push('a')
    await run.checkpoint()
    await settled()
    fail = true
    await push('a')
    await run.checkpoint().catch(() => undefined)
    run.cancel()
    await run.done
    fail = false
    const next = watched(job)
    await settled()
    expect(next.of('restored')).toMatchObject([{ checkpointId: 1 }])
    await next.stop()
    expect(out.committed).toEqual(['a 1', 'a 2'])
  })
})

describe('commits', () => {
  test('a commit that fails is tried again, each time after twice the wait', async () => {
    let failing = 3
    const { run, clock, out, push } = counting({
      sink: {
        commit: () => {
          if (failing-- > 0) throw new SinkError('SINK_IO', { reason: 'down' })
        },
      },
    })
    await settled()
    await push('a')
    await run.checkpoint()
    await settled()
    const attempts = () => run.of('commitRetried').map(({ attempt }) => attempt)
    expect(attempts()).toEqual([1])
    await clock.advance(99)
    expect(attempts()).toEqual([1])
    await clock.advance(1)
    expect(attempts()).toEqual([1, 2])
    await clock.advance(199)
    expect(attempts()).toEqual([1, 2])
    await clock.advance(1)
    expect(attempts()).toEqual([1, 2, 3])
    await clock.advance(399)
    expect(out.committed).toEqual([])
    await clock.advance(1)
    expect(out.committed).toEqual(['a 1'])
    expect(run.of('checkpointCommitted')).toEqual([{ kind: 'checkpointCommitted', checkpointId: 1 }])
    await run.stop()
  })

  test('a commit whose answer is lost is made once', async () => {
    let lost = true
    const { run, clock, out, push } = counting({
      sink: {
        committed: () => {
          if (lost) throw new SinkError('SINK_IO', { reason: 'no answer' })
        },
      },
    })
    await settled()
    await push('a')
    await run.checkpoint()
    await settled()
    lost = false
    await clock.advance(100)
    expect(out.committed).toEqual(['a 1'])
    expect(run.of('checkpointCommitted')).toHaveLength(1)
    await run.stop()
  })

  test('a later checkpoint does not overtake: commits come in order', async () => {
    const slow = gate()
    let first = true
    const { run, out, push } = counting({
      sink: {
        commit: () => {
          if (!first) return
          first = false
          return slow.opened
        },
      },
    })
    await settled()
    await push('a')
    await run.checkpoint()
    await push('b')
    await run.checkpoint()
    await settled()
    expect(out.committed).toEqual([])
    expect(run.of('checkpointCommitted')).toEqual([])
    slow.open()
    await settled()
    expect(out.committed).toEqual(['a 1', 'b 1'])
    expect(run.of('checkpointCommitted').map(({ checkpointId }) => checkpointId)).toEqual([1, 2])
    await run.stop()
  })

  test('a job does not complete before its last commit is confirmed', async () => {
    const slow = gate()
    const { run, input, out, push } = counting({ sink: { commit: () => slow.opened } })
    await settled()
    await push('a')
    input.end()
    await settled()
    expect(run.kinds()).toContain('checkpointCompleted')
    expect(run.kinds()).not.toContain('stopped')
    slow.open()
    await run.done
    expect(run.kinds().slice(-2)).toEqual(['checkpointCommitted', 'stopped'])
    expect(out.committed).toEqual(['a 1'])
  })

  test.each(['TRANSACTION_LOST', 'SINK_FENCED'] as const)('%s ends the run, for no patience helps', async (code) => {
    const { run, push } = counting({
      sink: {
        commit: () => {
          throw new SinkError(code, {})
        },
      },
    })
    await settled()
    await push('a')
    void run.checkpoint()
    await expect(run.done).rejects.toMatchObject({ code })
    expect(run.of('commitRetried')).toEqual([])
  })

  test('a sink that confirms nothing lets checkpoints wait at a limit, and whoever asks is told', async () => {
    const slow = gate()
    const { run, out, push } = counting({ limits: { unconfirmedCommitsMax: 2 }, sink: { commit: () => slow.opened } })
    await settled()
    for (const word of ['a', 'b']) {
      await push(word)
      await run.checkpoint()
    }
    await push('c')
    await expect(run.checkpoint()).rejects.toMatchObject({ code: 'UNCONFIRMED_COMMITS_FULL', details: { uid: 'out', unconfirmedCommitsMax: 2 } })
    slow.open()
    await settled()
    // The one that waited came by itself.
    expect(run.of('checkpointCompleted')).toHaveLength(3)
    expect(out.committed).toEqual(['a 1', 'b 1', 'c 1'])
    await run.stop()
  })

  test('at the end a job waits for such a sink, and completes', async () => {
    const slow = gate()
    const { run, input, out, push } = counting({ limits: { unconfirmedCommitsMax: 1 }, sink: { commit: () => slow.opened } })
    await settled()
    await push('a')
    await run.checkpoint()
    await push('b')
    input.end()
    await settled()
    slow.open()
    await run.done
    expect(out.committed).toEqual(['a 1', 'b 1'])
  })

  test('cancelled while it waits to try again, a run leaves no timer', async () => {
    const { run, clock, push } = counting({
      sink: {
        commit: () => {
          throw new SinkError('SINK_IO', {})
        },
      },
    })
    await settled()
    await push('a')
    await run.checkpoint()
    await settled()
    expect(clock.pendingCount).toBeGreaterThan(0)
    run.cancel()
    await settled()
    expect(clock.pendingCount).toBe(0)
  })

  test('a next run waits until the commit that is under way has settled', async () => {
    const slow = gate()
    const { run, job, out, push } = counting({ sink: { commit: () => slow.opened } })
    await settled()
    await push('a')
    await run.checkpoint()
    run.cancel()
    const next = watched(job)
    await settled()
    expect(next.events).toEqual([])
    slow.open()
    await settled()
    expect(next.of('restored')).toMatchObject([{ checkpointId: 1 }])
    await next.stop()
    expect(out.committed).toEqual(['a 1'])
  })

  test('a checkpoint without records commits nothing, and the next one does', async () => {
    const { run, out, push } = counting()
    await settled()
    await run.checkpoint()
    await run.checkpoint()
    await push('a')
    await run.checkpoint()
    await settled()
    expect(out.committed).toEqual(['a 1'])
    expect(run.of('checkpointCommitted')).toHaveLength(3)
    await run.stop()
  })
})

describe('while a sink is full', () => {
  test('no record is let in, but checkpoints are', async () => {
    const slow = gate()
    let full = false
    const { run, out, push } = counting({ sink: { full: () => (full ? slow.opened : undefined) } })
    await settled()
    await push('a')
    full = true
    await push('b')
    await run.checkpoint()
    await settled()
    expect(out.committed).toEqual(['a 1'])
    await push('c')
    await run.checkpoint()
    await settled()
    const before = out.committed.length
    full = false
    slow.open()
    await settled()
    await run.checkpoint()
    await settled()
    expect(before).toBeLessThan(3)
    expect(out.committed).toEqual(['a 1', 'b 1', 'c 1'])
    await run.stop()
  })
})

describe('many rows', () => {
  test('change while they are encoded, and the checkpoint has them as they were at the barrier', async () => {
    const input = memorySource<number>([], { bounded: false })
    const out = memorySink<number>()
    const hold = gate()
    const sums = () => statefulMap('sum', { state: t.number, initial: 0 }, (sum, n: number) => [sum + n, sum + n])
    const storage = memory()
    const { job, clock } = testJob(
      ({ source, sink }) =>
        source('in', input).pipe(
          keyBy((n) => n % 1_000),
          sums(),
          sink('out', out),
        ),
      { storage },
    )
    let yields = 0
    Object.assign(clock, {
      yield: () => {
        yields += 1
        return yields === 3 ? hold.opened : Promise.resolve()
      },
    })
    const run = watched(job)
    await settled()
    input.push(...Array.from({ length: 3_000 }, (_, n) => n))
    await settled()
    const taken = run.checkpoint()
    await settled(1)
    input.push(...Array.from({ length: 1_000 }, (_, n) => n))
    await settled()
    hold.open()
    await taken
    run.cancel()
    await run.done
    const restored = watched(job)
    await settled()
    expect(restored.of('restored')).toMatchObject([{ rows: 1_000 }])
    await restored.checkpoint()
    await settled()
    const last = out.committed.slice(-1_000)
    expect(last).toEqual(Array.from({ length: 1_000 }, (_, n) => n + (n + 1_000) + (n + 2_000) + n))
    await restored.stop()
  })
})
