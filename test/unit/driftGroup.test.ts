import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { monotonousTimestamps, type WatermarkOptions } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { union } from '../../operators/union.js'
import { settled, testJob, watched } from '../support/jobs.js'

/** A job of two streams that may drift apart by 10 milliseconds. */
function twoStreams({ groups = ['all', 'all'], ...options }: WatermarkOptions & { readonly groups?: readonly [string, string] } = {}) {
  const inputs = [memorySource<number>([], { bounded: false }), memorySource<number>([], { bounded: false })] as const
  const names = ['fast', 'slow'] as const
  const out = memorySink<number>()
  const { job, clock } = testJob(
    ({ source, sink }) => {
      const timed = (at: 0 | 1) =>
        source(names[at], inputs[at]).pipe(
          assignTimestamps({
            timestamp: (timeMs: number) => timeMs,
            watermarks: monotonousTimestamps({ ...options, align: { group: groups[at], maxDriftMs: 10 } }),
          }),
        )
      return timed(0).pipe(union(timed(1)), sink('out', out))
    },
    { storage: memory() },
  )
  const [fast, slow] = inputs
  return { job, clock, fast, slow, out }
}
type Run = ReturnType<typeof watched>

const paused = async (run: Run): Promise<readonly string[]> => {
  await settled()
  return run
    .metrics()
    .sources.filter(({ paused }) => paused)
    .map(({ uid }) => uid)
}

const ascending = (times: readonly number[]): readonly number[] => [...times].sort((one, other) => one - other)

describe('streams that are aligned', () => {
  test('wait for the slowest when they are further ahead than they may be, and only then', async () => {
    const { job, fast, slow } = twoStreams()
    const run = watched(job)
    await settled()
    slow.push(5)
    fast.push(15)
    expect(await paused(run)).toEqual([])
    fast.push(16)
    expect(await paused(run)).toEqual(['fast'])
    slow.push(6)
    expect(await paused(run)).toEqual([])
    slow.push(40)
    expect(await paused(run)).toEqual(['slow'])
    await run.stop()
  })

  test('let no record of a paused source in, but barriers, and nothing is lost', async () => {
    const { job, fast, slow, out } = twoStreams()
    const run = watched(job)
    await settled()
    slow.push(5)
    fast.push(100)
    await settled()
    fast.push(101)
    await run.checkpoint()
    await settled()
    expect(ascending(out.committed)).toEqual([5, 100])
    slow.push(95)
    await settled()
    await run.stop()
    expect(ascending(out.committed)).toEqual([5, 95, 100, 101])
  })

  test('wait for nobody who has ended', async () => {
    const { job, fast, slow, out } = twoStreams()
    const run = watched(job)
    await settled()
    slow.push(5)
    fast.push(100)
    expect(await paused(run)).toEqual(['fast'])
    slow.end()
    expect(await paused(run)).toEqual([])
    fast.push(200)
    fast.end()
    await run.done
    expect(ascending(out.committed)).toEqual([5, 100, 200])
  })

  test('wait for nobody who is idle, until a record comes', async () => {
    const { job, clock, fast, slow } = twoStreams({ idleAfterMs: 100 })
    const run = watched(job)
    await settled()
    slow.push(5)
    fast.push(100)
    expect(await paused(run)).toEqual(['fast'])
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(50)
    expect(await paused(run)).toEqual([])
    slow.push(6)
    expect(await paused(run)).toEqual(['fast'])
    await run.stop()
  })

  test('of two groups know nothing of each other', async () => {
    const { job, fast, slow } = twoStreams({ groups: ['one', 'other'] })
    const run = watched(job)
    await settled()
    slow.push(5)
    fast.push(100)
    expect(await paused(run)).toEqual([])
    await run.stop()
  })

  test('go on after a restore as they stood: who was idle still holds nobody back', async () => {
    const { job, clock, fast, slow, out } = twoStreams({ idleAfterMs: 100 })
    const first = watched(job)
    await settled()
    slow.push(5)
    for (let turn = 0; turn < 10; turn += 1) {
      fast.push(100 + turn)
      await clock.advance(50)
    }
    expect(await paused(first)).toEqual([])
    await first.stop()
    const next = watched(job)
    await settled()
    fast.push(200)
    fast.push(300)
    expect(await paused(next)).toEqual([])
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(50)
    await next.stop()
    expect(out.committed.at(-1)).toBe(300)
  })

  test('go on after a restore as they stood: who was behind is waited for from where it was', async () => {
    const { job, fast, slow } = twoStreams()
    const first = watched(job)
    await settled()
    slow.push(50)
    fast.push(55)
    await settled()
    await first.stop()
    const next = watched(job)
    await settled()
    fast.push(56)
    expect(await paused(next)).toEqual([])
    fast.push(70)
    expect(await paused(next)).toEqual(['fast'])
    await next.stop()
  })
})
