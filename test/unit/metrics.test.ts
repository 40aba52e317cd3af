import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { boundedOutOfOrderness, countRecords, mapState, tumbling } from '../../lib/index.js'
import { Pauses } from '../../lib/pauses.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { asyncMap } from '../../operators/asyncMap.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { window } from '../../operators/window.js'
import { sinkWith, storageWith } from '../support/adversaries.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'
import { manualClock } from '../support/manualClock.js'

/** Counts numbers by parity, by window and by value, and stays open. */
function parities() {
  const input = memorySource([1, 2, 3, 14, 2], { bounded: false })
  const { job, clock } = testJob(({ source, sink }) => {
    const keyed = source('numbers', input).pipe(
      assignTimestamps({ timestamp: (n: number) => n, watermarks: boundedOutOfOrderness({ delayMs: 0 }) }),
      keyBy((n) => n % 2),
    )
    return [
      keyed.pipe(
        statefulMap('count', { state: t.number, initial: 0 }, (count, n: number) => [count + 1, n]),
        sink('counted', memorySink<number>()),
      ),
      keyed.pipe(window('windows', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }), sink('windowed', memorySink<number>())),
      keyed.pipe(
        processKeyed(
          'values',
          { state: { seen: mapState(t.number, t.number) } },
          {
            onRecord(n: number, { state }) {
              state.seen.put(n, (state.seen.get(n) ?? 0) + 1)
            },
          },
        ),
        sink('nothing', memorySink<never>()),
      ),
    ]
  })
  return { job, clock, input }
}

describe('metrics', () => {
  test('tell where sources, operators, sinks and checkpoints stand', async () => {
    const { job, input } = parities()
    const run = watched(job)
    await settled()
    await run.checkpoint()
    await settled()
    const { sources, operators, sinks, checkpoints } = run.metrics()
    expect(sources).toEqual([{ uid: 'numbers', records: 5, finished: false, paused: false, pausedMs: 0 }])
    const of = (uid: string) => operators.find((operator) => operator.uid === uid)
    expect(of('count')).toMatchObject({ watermark: 13, rows: { rows: 2 }, dropped: [] })
    // The 2 that comes last is late for the window that has ended.
    expect(of('windows')).toMatchObject({ rows: { windows: 1 }, dropped: [{ reason: 'windowEnded', records: 1 }] })
    expect(of('values')?.rows.seen).toBe(4)
    expect(sinks).toMatchObject([
      { uid: 'counted', records: 5, unconfirmedCommits: 0, full: false },
      { uid: 'windowed', records: 2 },
      { uid: 'nothing', records: 0 },
    ])
    expect(checkpoints).toMatchObject({ completed: 1, failed: 0, last: { checkpointId: 1, rows: 7 } })
    const { durationMs, phases } = checkpoints.last as NonNullable<typeof checkpoints.last>
    expect(phases.barrierMs + phases.encodeMs + phases.preCommitMs + phases.publishMs).toBe(durationMs)
    input.end()
    await run.done
    expect(run.metrics().sources).toMatchObject([{ finished: true }])
  })

  test('tell what part of a checkpoint took how long', async () => {
    const clock = manualClock(1_000)
    const takes = (ms: number) => (): void => void clock.advance(ms)
    const storage = storageWith(memory(), { write: takes(2), publish: takes(8) })
    const out = sinkWith(memorySink<number>(), {
      // The barrier arrives here: the rest is pre-committed when the rows have been written.
      async preCommit() {
        clock.advance(1)
        await settled()
        clock.advance(4)
      },
    })
    const count = statefulMap('count', { state: t.number, initial: 0 }, (counted, n: number) => [counted + n, n])
    const input = memorySource([1, 2], { bounded: false })
    const { job } = testJob(
      ({ source, sink }) =>
        source('numbers', input).pipe(
          keyBy((n) => n),
          count,
          sink('out', out),
        ),
      { clock, storage },
    )
    const run = watched(job)
    await settled()
    await run.checkpoint()
    expect(run.metrics().checkpoints.last).toMatchObject({ durationMs: 15, phases: { barrierMs: 1, encodeMs: 2, preCommitMs: 4, publishMs: 8 } })
    run.cancel()
  })

  test('are empty before a job has run', () => {
    const { job } = parities()
    const run = job.run()
    expect(run.metrics()).toMatchObject({ job: 'job', runningMs: 0, sources: [], checkpoints: { completed: 0 } })
    run.cancel()
  })

  test('tell how far event time is behind the clock', async () => {
    const { job, clock } = parities()
    const run = watched(job)
    await settled()
    await clock.advance(1_013 - clock.nowMs())
    expect(run.metrics().operators.find(({ uid }) => uid === 'count')?.watermarkLagMs).toBe(1_000)
    run.cancel()
  })
})

describe('the time that sources are paused', () => {
  test('is counted while an operator can take no more, and no longer when the run has ended', async () => {
    const answers: ((n: number) => void)[] = []
    const input = memorySource([1, 2, 3], { bounded: false })
    const asked = asyncMap(
      'asked',
      { order: 'kept', capacity: 1, timeoutMs: 10_000 },
      (_n: number) => new Promise<number>((resolve) => answers.push(resolve)),
    )
    const { job, clock } = testJob(({ source, sink }) => source('numbers', input).pipe(asked, sink('out', memorySink<number>())))
    const run = watched(job)
    await settled()
    await clock.advance(300)
    expect(run.metrics()).toMatchObject({ job: 'job', runningMs: 300, sources: [{ paused: true, pausedMs: 300 }] })
    while (answers.length > 0) {
      answers.shift()?.(7)
      await settled()
    }
    expect(run.metrics().sources).toMatchObject([{ records: 3, paused: false, pausedMs: 300 }])
    await clock.advance(200)
    await run.stop()
    await clock.advance(1_000)
    expect(run.metrics()).toMatchObject({ runningMs: 500, sources: [{ pausedMs: 300 }] })
  })

  test('counts once what is paused for two reasons, and only its own for a source of several', () => {
    let nowMs = 0
    const pauses = new Pauses(
      () => nowMs,
      () => undefined,
    )
    const ends = [pauses.begin(['a'])]
    nowMs = 10
    expect([pauses.heldMs('a'), pauses.heldMs('b')]).toEqual([10, 0])
    ends.push(pauses.begin(undefined))
    nowMs = 15
    pauses.press(true)
    nowMs = 20
    for (const end of ends) end()
    expect([pauses.isPaused('a'), pauses.isHeld('a')]).toEqual([false, true])
    nowMs = 30
    pauses.press(false)
    nowMs = 100
    expect([pauses.heldMs('a'), pauses.heldMs('b'), pauses.isHeld('a')]).toEqual([30, 20, false])
  })
})

describe('a query', () => {
  test('finds what operators have at the moment', async () => {
    const { job, input } = parities()
    const run = watched(job)
    await settled()
    const counts = run.query('count', 'state')
    expect(counts.size).toBe(2)
    expect(counts.get(0)).toEqual([{ key: 0, namespace: undefined, entry: undefined, value: 3 }])
    expect(counts.get(7)).toEqual([])
    expect(Array.from(run.query('values', 'seen').get(0), ({ entry, value }) => [entry, value])).toEqual([
      [2, 2],
      [14, 1],
    ])
    expect([...run.query('windows', 'accumulator').rows()]).toMatchObject([{ key: 0, value: 1 }])
    input.push(21)
    await settled()
    expect(counts.get(1)).toMatchObject([{ value: 3 }])
    run.cancel()
  })

  test('of what there is not is an error that names what there is', async () => {
    const { job } = parities()
    const run = watched(job)
    await settled()
    expect(() => run.query('count', 'other')).toThrow(expect.objectContaining({ code: 'STATE_UNKNOWN' }))
    expect(() => run.query('nobody', 'state')).toThrow(/count.*windows.*values/)
    run.cancel()
    expect(await failed(testJob(() => []).job)).toMatchObject({ code: 'JOB_WITHOUT_SINK' })
  })
})
