import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { emits } from '../../lib/emits.js'
import { SourceError } from '../../lib/errors.js'
import type { DeadLetter, ReplayableSource, SourceReader } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { union } from '../../operators/union.js'
import { failed, ran, settled, testJob } from '../support/jobs.js'

const letters = sideOutput<DeadLetter>('letters')

/** A source of texts, of which those that begin with `!` are malformed. */
function texts(values: readonly string[], closed: { count: number } = { count: 0 }): ReplayableSource<string> {
  return {
    offsets: 'replayable',
    deadLetters: letters,
    open:
      ({ from }) =>
      async () => {
        let at = from._tag === 'Some' ? (from.value as number) : 0
        const reader: SourceReader<string> = {
          start: at,
          read: (recordsMax) => async () => {
            if (at === values.length) return { _tag: 'Right', right: { kind: 'end' } }
            const start = at
            const batch = values.slice(at, at + recordsMax)
            at += batch.length
            const malformed = new Map(
              batch.flatMap((text, index) => (text.startsWith('!') ? [[index, { offset: start + index, text, reason: 'malformed' }] as const] : [])),
            )
            return { _tag: 'Right', right: { kind: 'batch', batch: { values: batch, malformed, offsetAfter: (index) => start + index + 1 } } }
          },
          close: () => async () => {
            closed.count += 1
          },
        }
        return { _tag: 'Right', right: reader }
      },
  }
}

describe('sources', () => {
  test('malformed records go to their side output, in their place, and are not records', async () => {
    const out = memorySink<string>()
    const bad = memorySink<DeadLetter>()
    const { job } = testJob(({ source, sink }) => {
      const input = source('in', texts(['a', '!b', 'c', '!d']))
      return [input.pipe(sink('out', out)), input.pipe(fromSide(letters), sink('bad', bad))]
    })
    await ran(job)
    expect(out.committed).toEqual(['a', 'c'])
    expect(bad.committed.map(({ offset, text }) => [offset, text])).toEqual([
      [1, '!b'],
      [3, '!d'],
    ])
  })

  test('every reader is closed when the run ends', async () => {
    const closed = { count: 0 }
    const { job } = testJob(({ source, sink }) =>
      source('a', texts(['a'], closed)).pipe(union(source('b', texts(['b'], closed))), sink('out', memorySink())),
    )
    await ran(job)
    expect(closed.count).toBe(2)
  })

  test('a source that fails is the error of the run', async () => {
    const mine = new SourceError('SOURCE_IO', { reason: 'mine' })
    const failing: ReplayableSource<string> = {
      offsets: 'replayable',
      open: () => async () => ({
        _tag: 'Right',
        right: { start: 0, read: () => async () => ({ _tag: 'Left', left: mine }), close: () => async () => undefined },
      }),
    }
    expect(await failed(testJob(({ source, sink }) => source('in', failing).pipe(sink('out', memorySink()))).job)).toBe(mine)
    const broken: ReplayableSource<string> = { offsets: 'replayable', open: () => async () => ({ _tag: 'Left', left: mine }) }
    expect(await failed(testJob(({ source, sink }) => source('in', broken).pipe(sink('out', memorySink()))).job)).toBe(mine)
  })

  test('take turns, so that none starves the other', async () => {
    const out = memorySink<string>()
    const many = (name: string) => memorySource(Array.from({ length: 6 }, (_, n) => `${name}${n}`))
    const { job } = testJob(({ source, sink }) => source('a', many('a')).pipe(union(source('b', many('b'))), sink('out', out)), {
      pacing: { recordsPerTurn: () => 2 },
    })
    await ran(job)
    const firstB = out.committed.findIndex((text) => text.startsWith('b'))
    expect(firstB).toBeGreaterThan(0)
    expect(firstB).toBeLessThan(6)
    expect(out.committed.filter((text) => text.startsWith('a'))).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5'])
  })

  test('let as many in as each other, whoever is interrupted: what waits for the slowest does not pile up', async () => {
    const records = 4_000
    const at = { a: 0, b: 0 }
    let apart = 0
    let waiting = 0
    let waitingMax = 0
    const many = (name: 'a' | 'b') => memorySource(Array.from({ length: records }, (_, n) => ({ name, n })))
    const timed = assignTimestamps<{ name: 'a' | 'b'; n: number }>({ timestamp: ({ n }) => n, watermarks: monotonousTimestamps() })
    const due = processKeyed(
      'due',
      { state: {}, emits: emits<never>() },
      {
        onRecord({ name, n }: { name: 'a' | 'b'; n: number }, { timers }) {
          at[name] = n
          apart = Math.max(apart, Math.abs(at.a - at.b))
          timers.eventTime(n + 10)
          waitingMax = Math.max(waitingMax, (waiting += 1))
        },
        // Event time advances with the source that is behind, so its records are those behind which work is put off.
        onTimer() {
          waiting -= 1
        },
      },
    )
    const { job } = testJob(
      ({ source, sink }) =>
        source('a', many('a')).pipe(
          timed,
          union(source('b', many('b')).pipe(timed)),
          keyBy(({ name, n }) => `${name}${n}`),
          due,
          sink('out', memorySink()),
        ),
      { pacing: { recordsPerTurn: () => 20, stepsPerSlice: () => 1 } },
    )
    await ran(job)
    expect(at).toEqual({ a: records - 1, b: records - 1 })
    expect(waiting).toBe(0)
    expect(apart).toBeLessThanOrEqual(2 * 20)
    expect(waitingMax).toBeLessThanOrEqual(2 * (2 * 20 + 10))
  })

  test('a barrier comes between any two records, and the next run reads on from there', async () => {
    const out = memorySink<number>()
    const input = memorySource(
      Array.from({ length: 5_000 }, (_, n) => n),
      { bounded: false },
    )
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(sink('out', out)), {
      pacing: { recordsPerTurn: () => 7, turnsPerSlice: () => 3 },
    })
    const cuts: number[] = []
    for (let each = 0; each < 3; each += 1) {
      const run = job.run()
      let completed = 0
      run.events$.subscribe(({ kind }) => {
        if (kind === 'started' || kind === 'checkpointCompleted') void run.checkpoint().catch(() => undefined)
        if (kind === 'checkpointCompleted' && ++completed === 6) run.cancel()
      })
      await run.done
      await settled(1)
      cuts.push(out.committed.length)
    }
    // Within a batch, or the test would not say what it says. What a cancelled run has decided, the next one commits.
    expect(cuts[1], `cuts ${cuts}`).toBeGreaterThan(0)
    expect(cuts[2]).toBeLessThan(1_024)
    input.end()
    await ran(job)
    expect(out.committed).toEqual(Array.from({ length: 5_000 }, (_, n) => n))
  })

  test('the application has its turn while there is much to read', async () => {
    let turns = 0
    const { job, clock } = testJob(
      ({ source, sink }) => source('in', memorySource(Array.from({ length: 10_000 }, (_, n) => n))).pipe(sink('out', memorySink())),
      {
        pacing: { recordsPerTurn: () => 10, turnsPerSlice: () => 10 },
      },
    )
    Object.assign(clock, {
      yield: async () => {
        turns += 1
      },
    })
    await ran(job)
    expect(turns).toBeGreaterThanOrEqual(100)
  })

  test('a job stops at a place also where one source runs ahead of another that has arrived', async () => {
    const out = memorySink<number>()
    const timed = () =>
      assignTimestamps<number>({ timestamp: (at) => at, watermarks: monotonousTimestamps({ align: { group: 'all', maxDriftMs: 10 } }) })
    const many = () => memorySource(Array.from({ length: 100 }, (_, at) => at))
    const { job } = testJob(({ source, sink }) => source('a', many()).pipe(timed(), union(source('b', many()).pipe(timed())), sink('out', out)))
    await job.run().stop({ at: (uid, offset) => (offset as number) >= (uid === 'a' ? 3 : 50) })
    expect(out.committed).toHaveLength(53)
  })

  test('a job stops at a place also where a source that has arrived there cannot be read any further', async () => {
    const out = memorySink<string>()
    const endless = memorySource<string>([], { bounded: false })
    let fail = (): void => {}
    const whole = texts(['a', 'b'])
    const breaking: ReplayableSource<string> = {
      ...whole,
      open: (context) => async () => {
        const opened = await whole.open(context)()
        if (opened._tag === 'Left') return opened
        let reads = 0
        const read: SourceReader<string>['read'] = (recordsMax) =>
          (reads += 1) === 1
            ? opened.right.read(recordsMax)
            : () => new Promise((resolve) => (fail = () => resolve({ _tag: 'Left', left: new SourceError('SOURCE_IO', { reason: 'it broke' }) })))
        return { _tag: 'Right', right: { ...opened.right, read } }
      },
    }
    const { job } = testJob(({ source, sink }) => source('breaking', breaking).pipe(union(source('endless', endless)), sink('out', out)))
    const run = job.run()
    await settled()
    const stopped = run.stop({ at: (uid, offset) => (offset as number) >= (uid === 'breaking' ? 2 : 1) })
    await settled()
    fail()
    await settled()
    endless.push('c')
    await stopped
    await run.done
    expect(out.committed).toEqual(['a', 'b', 'c'])
  })
})
