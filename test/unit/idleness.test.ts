/** When a stream of a job counts as idle, and who hears of it. */
import { describe, expect, it } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import type { Stream } from '../../lib/element.js'
import { countRecords, tumbling } from '../../lib/index.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { asyncMap } from '../../operators/asyncMap.js'
import { keyBy } from '../../operators/keyBy.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { settled, testJob, watched } from '../support/jobs.js'
import type { ManualClock } from '../support/manualClock.js'

const idleAfterMs = 1_000
const lookMs = 200
const timed = () => assignTimestamps<number>({ timestamp: (at) => at, watermarks: monotonousTimestamps({ idleAfterMs }) })
const openSource = () => memorySource<number>([], { bounded: false })
const countedPerTen = (times: Stream<number>) =>
  times.pipe(
    keyBy(() => 'all'),
    window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }),
  )

async function pass(clock: ManualClock, ms: number, each = () => {}): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += lookMs) {
    each()
    await settled()
    await clock.advance(lookMs)
  }
}

describe('a stream', () => {
  it.each([0, 5 * idleAfterMs])('whose sources were kept waiting for %i ms is not idle: what they had meanwhile is not late', async (waitedMs) => {
    const [a, b] = [openSource(), openSource()]
    let answer = (): void => {}
    let answered = Promise.resolve()
    const { job, clock } = testJob(({ source, sink }) =>
      countedPerTen(
        source('a', a).pipe(
          timed(),
          union(source('b', b).pipe(timed())),
          asyncMap('slow', { order: 'kept', capacity: 1, timeoutMs: Number.POSITIVE_INFINITY }, async (at: number) => {
            await answered
            return at
          }),
        ),
      ).pipe(sink('out', memorySink<number>())),
    )
    const run = watched(job)
    await settled()
    for (const source of [a, b]) source.push(100)
    await settled()
    answered = new Promise((resolve) => {
      answer = resolve
    })
    b.push(101)
    await settled()
    a.push(102)
    await settled()
    a.push(104, 200)
    b.push(105, 200)
    await settled()
    expect(run.metrics().sources.map(({ paused }) => paused)).toEqual([true, true])
    await pass(clock, waitedMs)
    answered = Promise.resolve()
    answer()
    await pass(clock, lookMs)
    expect(run.droppedRecords()).toEqual([])
    expect(run.metrics().sources.map(({ records }) => records)).toEqual([4, 4])
    await run.stop()
  })

  it('of which nothing comes while nobody keeps its sources waiting is idle: the others go on', async () => {
    const [a, b] = [openSource(), openSource()]
    const out = memorySink<number>()
    const { job, clock } = testJob(({ source, sink }) =>
      countedPerTen(source('a', a).pipe(timed(), union(source('b', b).pipe(timed())))).pipe(sink('out', out)),
    )
    const run = watched(job)
    await settled()
    b.push(1)
    let at = 0
    await pass(clock, 4 * idleAfterMs, () => a.push(++at))
    await run.checkpoint()
    expect(out.committed).toEqual([10, 10])
    await run.stop()
  })

  it.each([
    ['as before', 2],
    ['with another input beside it', 3],
  ])('that was idle is idle behind a restart, %s', async (_, inputs) => {
    const sources = [openSource(), openSource(), openSource()]
    const [a, b, c] = sources as [MemorySource<number>, MemorySource<number>, MemorySource<number>]
    const out = memorySink<number>()
    const storage = memory()
    const build = (count: number) =>
      testJob(
        ({ source, sink }) => {
          const [first, ...others] = sources.slice(0, count).map((input, index) => source(`source-${index}`, input).pipe(timed()))
          return countedPerTen((first as Stream<number>).pipe(union(...(others as [Stream<number>])))).pipe(sink('out', out))
        },
        { storage },
      )
    let at = 0
    const first = build(2)
    const before = watched(first.job)
    await settled()
    b.push(1)
    await pass(first.clock, 4 * idleAfterMs, () => a.push(++at))
    await before.checkpoint()
    await before.cancel()
    const committed = out.committed.length

    const second = build(inputs)
    const after = watched(second.job)
    await settled()
    await pass(second.clock, 8 * idleAfterMs, () => {
      a.push(++at)
      if (inputs === 3) c.push(at)
    })
    await after.checkpoint()
    expect(out.committed.length).toBeGreaterThan(committed)
    expect(after.droppedRecords()).toEqual([])
    await after.stop()
  })
})
