import { either as E, option as O } from 'fp-ts'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { json } from '../../lib/codec.js'
import { SinkError } from '../../lib/errors.js'
import { jobName } from '../../lib/identity.js'
import { countRecords, tumbling } from '../../lib/index.js'
import type { JobScope } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import { operate } from '../../lib/operate.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { sinkWith } from '../support/adversaries.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

const count = (uid = 'count') => statefulMap(uid, { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled()
}

/** Counts event times per ten, over inputs that stay open. */
function windows(
  input: MemorySource<number>,
  { allowedLatenessMs = 0, storage = memory() }: { allowedLatenessMs?: number; storage?: JobOptions['storage'] } = {},
) {
  const late = sideOutput<number>('late')
  const out = memorySink<string>()
  const aside = memorySink<number>()
  const { job, clock } = testJob(
    ({ source, sink }) => {
      const counts = source('times', input).pipe(
        assignTimestamps({ timestamp: (at) => at, watermarks: monotonousTimestamps() }),
        keyBy(() => 'all'),
        window('counts', {
          assigner: tumbling({ sizeMs: 10 }),
          allowedLatenessMs,
          late,
          aggregate: countRecords(),
          result: (n, { start }) => `${start}: ${n}`,
        }),
      )
      return [counts.pipe(sink('out', out)), counts.pipe(fromSide(late), sink('late', aside))]
    },
    { storage },
  )
  return { job, out, aside, clock }
}

describe('stop', () => {
  test('without drain keeps windows open: a later run closes them', async () => {
    const input = memorySource([1, 2, 12], { bounded: false })
    const { job, out } = windows(input)
    const run = watched(job)
    await settled()
    await run.stop()
    expect(run.of('stopped')).toEqual([{ kind: 'stopped', drained: false }])
    expect(out.committed).toEqual(['0: 2'])
    input.push(13)
    input.end()
    await ran(job)
    expect(out.committed).toEqual(['0: 2', '10: 2'])
  })

  test('with drain flushes them; a later run goes on, and its records are not late', async () => {
    const input = memorySource([1, 12], { bounded: false })
    const { job, out, aside } = windows(input)
    const run = watched(job)
    await settled()
    await run.stop({ drain: true })
    expect(run.of('stopped')).toEqual([{ kind: 'stopped', drained: true }])
    expect(out.committed).toEqual(['0: 1', '10: 1'])
    input.push(13, 5, 25)
    input.end()
    await ran(job)
    expect(out.committed).toEqual(['0: 1', '10: 1', '10: 1', '20: 1'])
    expect(aside.committed).toEqual([5])
  })

  test('drained twice it flushes twice', async () => {
    const input = memorySource([1], { bounded: false })
    const { job, out } = windows(input)
    for (const more of [2, 3]) {
      const run = watched(job)
      await settled()
      await run.stop({ drain: true })
      input.push(more)
    }
    expect(out.committed).toEqual(['0: 1', '0: 1'])
  })

  test('asked before the run has begun it stops at the first opportunity', async () => {
    const input = memorySource([1], { bounded: false })
    const { job } = windows(input)
    const run = watched(job)
    await run.stop()
    expect(run.kinds()).toContain('stopped')
  })

  test('asked twice, or after the end, it resolves all the same', async () => {
    const { job } = windows(memorySource([1], { bounded: false }))
    const run = watched(job)
    await settled()
    await Promise.all([run.stop(), run.stop()])
    await run.stop()
    expect(run.of('stopped')).toHaveLength(1)
  })

  test('an input that has ended stays ended, one that has not goes on', async () => {
    const open = memorySource(['b'], { bounded: false })
    const out = memorySink<string>()
    const { job } = testJob(({ source, sink }) =>
      source('a', memorySource(['a'])).pipe(
        union(source('b', open)),
        keyBy((word) => word),
        count(),
        sink('out', out),
      ),
    )
    const run = watched(job)
    await settled()
    expect(run.of('sourceEnded')).toEqual([{ kind: 'sourceEnded', uid: 'a' }])
    await run.stop()
    open.push('a')
    open.end()
    await ran(job)
    expect([...out.committed].sort()).toEqual(['a 1', 'a 2', 'b 1'])
  })
})

describe('the end of the input', () => {
  test('reaches each operator once, across a restart too', async () => {
    let ends = 0
    const open = memorySource(['b'], { bounded: false })
    const out = memorySink<string>()
    const other = memorySink<string>()
    const { job } = testJob(({ source, sink }) => {
      const flushed = operate<string, string>({
        name: 'flushing',
        uid: 'flushing',
        create: ({ output }) => ({
          processRecord: (value, timestamp, key) => output.processRecord(value, timestamp, key),
          endOfInput() {
            ends += 1
            output.processRecord('flushed', undefined, undefined)
          },
        }),
      })
      return [source('a', memorySource(['a'])).pipe(flushed, sink('out', out)), source('b', open).pipe(sink('other', other))]
    })
    const first = watched(job)
    await settled()
    await first.checkpoint()
    first.cancel()
    await first.done
    const second = watched(job)
    await settled()
    await second.stop()
    expect({ ends, committed: out.committed }).toEqual({ ends: 1, committed: ['a', 'flushed'] })
  })

  test('is not stored when it was a drain', async () => {
    let ends = 0
    const out = memorySink<string>()
    const { job } = testJob(({ source, sink }) =>
      source('a', memorySource(['a'], { bounded: false })).pipe(
        operate<string, string>({
          name: 'counting',
          uid: 'counting',
          create: ({ output }) => ({
            processRecord: (value, timestamp, key) => output.processRecord(value, timestamp, key),
            endOfInput() {
              ends += 1
            },
          }),
        }),
        sink('out', out),
      ),
    )
    for (let turn = 1; turn <= 2; turn += 1) {
      const run = watched(job)
      await settled()
      await run.stop({ drain: true })
      expect(ends).toBe(turn)
    }
  })
})

describe('event time', () => {
  test('an idle source does not hold a union back; after a restart it still is idle', async () => {
    const busy = memorySource<number>([], { bounded: false })
    const quiet = memorySource<number>([5], { bounded: false })
    const out = memorySink<number>()
    const idling = () => assignTimestamps({ timestamp: (at: number) => at, watermarks: monotonousTimestamps({ idleAfterMs: 1_000 }) })
    const { job, clock } = testJob(({ source, sink }) =>
      source('busy', busy).pipe(
        idling(),
        union(source('quiet', quiet).pipe(idling())),
        keyBy(() => 'all'),
        window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }),
        sink('out', out),
      ),
    )
    const first = watched(job)
    await settled()
    busy.push(1, 100)
    await settled()
    await first.checkpoint()
    await settled()
    expect(out.committed).toEqual([])
    for (let ms = 0; ms < 3_000; ms += 200) {
      await clock.advance(200)
      busy.push(100)
      await settled(2)
    }
    await first.checkpoint()
    await settled()
    expect(out.committed).toEqual([2])
    first.cancel()
    await first.done
    const second = watched(job)
    await settled()
    busy.push(200)
    await settled()
    await second.stop()
    expect(out.committed).toHaveLength(2)
  })

  test('windows and lateness are the same behind a crash at any record', async () => {
    const times = [5, 1, 12, 3, 25, 11, 14, 36, 8]
    const whole = windows(memorySource(times), { allowedLatenessMs: 5 })
    await ran(whole.job)
    expect(whole.aside.committed.length).toBeGreaterThan(0)
    for (let at = 0; at <= times.length; at += 1) {
      const input = memorySource(times.slice(0, at), { bounded: false })
      const { job, out, aside } = windows(input, { allowedLatenessMs: 5 })
      const first = watched(job)
      await settled(3)
      await first.checkpoint()
      first.cancel()
      await first.done
      input.push(...times.slice(at))
      input.end()
      await ran(job)
      expect(out.committed, `crash behind ${at}`).toEqual(whole.out.committed)
      expect(aside.committed, `crash behind ${at}`).toEqual(whole.aside.committed)
    }
  })
})

describe('recovery', () => {
  const simple = (
    uids: { source?: string; count?: string; sink?: string },
    options: Pick<Partial<JobOptions>, 'storage'>,
    out = memorySink<string>(),
  ) => {
    const { source: from = 'in', count: counting = 'count', sink: to = 'out' } = uids
    return testJob(
      ({ source, sink }: JobScope) =>
        source(from, memorySource(['a', 'b'])).pipe(
          keyBy((word) => word),
          count(counting),
          sink(to, out),
        ),
      options,
    ).job
  }

  test.each([
    [{ count: 'renamed' }, 'count', 'operator'],
    [{ source: 'renamed' }, 'in', 'source'],
    [{ sink: 'renamed' }, 'out', 'sink'],
  ])('state whose owner %j is gone is an error that names it', async (uids, uid, kind) => {
    const storage = memory()
    await ran(simple({}, { storage }))
    const error = (await failed(simple(uids, { storage }))) as Error
    expect(error).toMatchObject({ code: 'STATE_UNCLAIMED', name: 'RestoreError', details: { uid, kind } })
    expect(error.message).toContain('renamed')
  })

  test('after a refused restore the program of before still works', async () => {
    const storage = memory()
    const out = memorySink<string>()
    await ran(simple({}, { storage }, out))
    await failed(simple({ count: 'renamed' }, { storage }))
    await ran(simple({}, { storage }, out))
    expect(out.committed).toEqual(['a 1', 'b 1'])
  })

  test('an operator that is new starts without state', async () => {
    const storage = memory()
    const out = memorySink<string>()
    const input = memorySource(['a'], { bounded: false })
    const build = (more: boolean) =>
      testJob(
        ({ source, sink }) => {
          const counted = source('in', input).pipe(
            keyBy((word) => word),
            count(),
          )
          return (
            more
              ? counted.pipe(statefulMap('lengths', { state: t.number, initial: 0 }, (n, word) => [n + word.length, `${word} ${n + word.length}`]))
              : counted
          ).pipe(sink('out', out))
        },
        { storage },
      ).job
    const first = watched(build(false))
    await settled()
    await first.stop()
    input.push('a')
    input.end()
    await ran(build(true))
    expect(out.committed).toEqual(['a 1', 'a 2 3'])
  })

  test('a uid that was an operator and is now a sink is an error', async () => {
    const storage = memory()
    await ran(simple({}, { storage }))
    expect(await failed(simple({ count: 'out', sink: 'count' }, { storage }))).toMatchObject({
      code: 'STATE_KIND_CHANGED',
      details: expect.objectContaining({ uid: 'count' }),
    })
  })

  test('a sink that has committed more than the checkpoint knows is an error, unless it is allowed', async () => {
    const out = memorySink<string>()
    const input = () => memorySource(['a'], { bounded: false })
    const build = (storage: JobOptions['storage'], allowSinkAhead = false) =>
      testJob(({ source, sink }) => source('in', input()).pipe(sink('out', out)), { storage, restore: { allowSinkAhead } }).job
    const storage = memory()
    const first = watched(build(storage))
    await settled()
    await first.stop()
    const emptied = memory()
    expect(await failed(build(emptied))).toMatchObject({
      code: 'SINK_AHEAD',
      name: 'RestoreError',
      details: expect.objectContaining({ uid: 'out' }),
      hint: expect.stringContaining('allowSinkAhead'),
    })
    expect(out.committed).toEqual(['a'])
  })

  test('a decided transaction that its sink no longer has ends the run', async () => {
    const storage = memory()
    await ran(simple({}, { storage }))
    expect(await failed(simple({}, { storage }, memorySink()))).toMatchObject({ code: 'TRANSACTION_LOST', name: 'SinkError' })
  })

  test('a sink that cannot be opened is the error of the run, and the storage is free afterwards', async () => {
    const storage = memory()
    const mine = new SinkError('SINK_IO', { reason: 'mine' })
    const inner = memorySink<string>()
    let fail = true
    const out = {
      commits: 'transactional' as const,
      open: (context: never) => (fail ? async () => ({ _tag: 'Left' as const, left: mine }) : inner.open(context)),
    }
    const job = simple({}, { storage }, out as never)
    expect(await failed(job)).toBe(mine)
    fail = false
    await ran(job)
    expect(inner.committed).toEqual(['a 1', 'b 1'])
  })

  test('a source whose offset is gone is the error of the run', async () => {
    const input = memorySource(['a', 'b'], { bounded: false })
    const out = memorySink<string>()
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(sink('out', out)))
    const first = watched(job)
    await settled()
    await first.checkpoint()
    first.cancel()
    await first.done
    input.push('c', 'd')
    input.discardBefore(3)
    expect(await failed(job)).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  })

  test('transactions that were decided and not confirmed are committed by the next run, the others are not', async () => {
    const inner = memorySink<string>()
    let refuse = true
    const out = sinkWith(inner, {
      commit: () => {
        if (refuse) throw new SinkError('SINK_IO', { reason: 'down' })
      },
    })
    const input = memorySource(['a'], { bounded: false })
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(sink('out', out)))
    const first = watched(job)
    await settled()
    await first.checkpoint()
    input.push('b')
    await settled()
    first.cancel()
    await first.done
    expect(inner.committed).toEqual([])
    refuse = false
    const second = watched(job)
    await settled()
    expect(second.of('restored')).toMatchObject([{ committedAgain: 1 }])
    expect(inner.committed).toEqual(['a'])
    await second.stop()
    expect(inner.committed).toEqual(['a', 'b'])
  })

  test('an older storage epoch is fenced: the run that was overtaken ends and commits nothing more', async () => {
    const store = new MemoryStore()
    const out = memorySink<string>()
    const input = memorySource(['a'], { bounded: false })
    const build = () => testJob(({ source, sink }) => source('in', input).pipe(sink('out', out)), { storage: memory({ store }) }).job
    const first = watched(build())
    await settled()
    const second = watched(build())
    await settled()
    void first.checkpoint().catch(() => undefined)
    await expect(first.done).rejects.toMatchObject({ code: expect.stringMatching(/BACKEND_FENCED|SINK_FENCED/) })
    await second.stop()
    expect(out.committed).toEqual(['a'])
  })

  test('a run takes over also where the earlier one publishes whenever it is about to', async () => {
    const store = new MemoryStore()
    const storage = memory({ store })
    const out = memorySink<string>()
    const input = memorySource(['a'], { bounded: false })
    const build = (from: JobOptions['storage']) => testJob(({ source, sink }) => source('in', input).pipe(sink('out', out)), { storage: from }).job
    const first = watched(build(memory({ store })))
    await settled()
    let published = 0
    const late: JobOptions['storage'] = {
      ...storage,
      open: (job, options) => async () => {
        const opened = await storage.open(job, options)()
        if (E.isLeft(opened)) return opened
        const { right: session } = opened
        const takeOver: typeof session.takeOver = (from, above) => async () => {
          if (published < 50) {
            await first.checkpoint()
            published += 1
          }
          return session.takeOver(from, above)()
        }
        return E.right(new Proxy(session, { get: (of, name) => (name === 'takeOver' ? takeOver : Reflect.get(of, name)) }))
      },
    }
    const second = watched(build(late))
    await Promise.race([second.done, until(() => second.of('started').length > 0)])
    expect(second.of('restored')).toMatchObject([{ checkpointId: 50 }])
    void first.checkpoint().catch(() => undefined)
    await expect(first.done).rejects.toMatchObject({ code: expect.stringMatching(/BACKEND_FENCED|SINK_FENCED/) })
    await second.stop()
    expect(out.committed).toEqual(['a'])
  })

  test('a session that was closed is used no more', async () => {
    const session = await unwrap(memory().open(jobName('job')))
    await session.close()()
    expect(await session.latest()()).toMatchObject({ left: { code: 'BACKEND_NOT_OPEN', name: 'BackendError' } })
  })

  test('a checkpoint body that is no checkpoint body is refused', async () => {
    const storage = memory()
    const broken = {
      ...storage,
      open: (job: never) => async () => {
        const opened = await storage.open(job)()
        if (opened._tag === 'Right') {
          const session = opened.right
          return {
            _tag: 'Right' as const,
            right: Object.assign(Object.create(session), {
              latest: () => async () => ({
                _tag: 'Right' as const,
                right: O.some({ checkpointId: 1, epoch: 1, body: { format: 99 }, readRows: () => async () => ({ _tag: 'Right', right: undefined }) }),
              }),
            }),
          }
        }
        return opened
      },
    }
    expect(await failed(simple({}, { storage: broken as never }))).toMatchObject({ code: 'FORMAT_NEWER' })
  })
})

describe('state', () => {
  test('of keys that come and go is what it was, over many checkpoints and restarts', async () => {
    const input = memorySource<string>([], { bounded: false })
    const out = memorySink<string>()
    // A word that comes the third time is forgotten.
    const { job } = testJob(({ source, sink }) =>
      source('in', input).pipe(
        keyBy((word) => word),
        statefulMap('count', { state: t.number, initial: 0 }, (n, word) => [n === 2 ? undefined : n + 1, `${word}${n + 1}`]),
        sink('out', out),
      ),
    )
    const seen = new Map<string, number>()
    const expected: string[] = []
    let random = 7
    for (let round = 0; round < 20; round += 1) {
      const run = watched(job)
      for (let each = 0; each < 3; each += 1) {
        random = (random * 48_271) % 2_147_483_647
        const word = `w${random % 4}`
        const n = seen.get(word) ?? 0
        expected.push(`${word}${n + 1}`)
        if (n === 2) seen.delete(word)
        else seen.set(word, n + 1)
        input.push(word)
        await settled(2)
        await run.checkpoint()
      }
      if (round % 2 === 0) await run.stop()
      else {
        run.cancel()
        await run.done
      }
    }
    await ran(testJob(({ source, sink }) => source('x', memorySource([])).pipe(sink('y', memorySink()))).job)
    expect(out.committed).toEqual(expected)
  })

  test('one source may feed two branches with two sinks', async () => {
    const plain = memorySink<string>()
    const counted = memorySink<string>()
    const { job } = testJob(({ source, sink }) => {
      const input = source('in', memorySource(['a', 'b', 'a']))
      return [
        input.pipe(
          mapValues((word) => word.toUpperCase()),
          sink('plain', plain),
        ),
        input.pipe(
          keyBy((word) => word),
          count(),
          sink('counted', counted),
        ),
      ]
    })
    await ran(job)
    expect([plain.committed, counted.committed]).toEqual([
      ['A', 'B', 'A'],
      ['a 1', 'b 1', 'a 2'],
    ])
  })

  test('a side output that nobody taps is counted and reported', async () => {
    const { job } = testJob(({ source, sink }) =>
      source('in', memorySource([50, 1, 2])).pipe(
        assignTimestamps({ timestamp: (at) => at, watermarks: monotonousTimestamps() }),
        keyBy(() => 0),
        window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), late: sideOutput<number>('late') }),
        sink('out', memorySink()),
      ),
    )
    expect(await ran(job)).toContainEqual({ kind: 'sideOutputUntapped', operator: 'counts', tag: 'late', records: 2 })
  })

  test('that is changed in place where freezing cannot protect it is found, and ends the run', async () => {
    const input = memorySource(['a'], { bounded: false })
    const late: { value: Date | undefined } = { value: undefined }
    const dates = testJob(({ source, sink }) =>
      source('in', input).pipe(
        keyBy(() => 'k'),
        statefulMap('dates', { state: json<Date>() }, (_state, word: string) => {
          late.value = new Date(5)
          return [late.value, word]
        }),
        sink('out', memorySink()),
      ),
    )
    const run = watched(dates.job)
    await settled()
    const taken = run.checkpoint()
    void taken.catch(() => undefined)
    run.events$.subscribe({
      next: ({ kind }) => {
        if (kind === 'checkpointStarted') queueMicrotask(() => late.value?.setTime(6))
      },
      error: () => undefined,
    })
    await expect(run.done).rejects.toMatchObject({ code: 'STATE_MUTATED', details: { uid: 'dates' } })
  })
})
