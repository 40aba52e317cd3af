import { describe, expect, test } from 'vitest'
import { boundedOutOfOrderness, monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { mapValues } from '../../operators/mapValues.js'
import { union } from '../../operators/union.js'
import { HandFeed, handFed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const identity = (at: number): number => at
const timed = (delayMs = 0, idleAfterMs?: number) =>
  assignTimestamps({ timestamp: identity, watermarks: boundedOutOfOrderness({ delayMs, ...(idleAfterMs === undefined ? {} : { idleAfterMs }) }) })

operatorCases<number, number>({
  operator: timed(),
  one: [4, [4]],
  many: [
    [1, 5, 3, 7],
    [1, 5, 3, 7],
  ],
  throwing: (error) =>
    assignTimestamps({
      timestamp: () => {
        throw error
      },
      watermarks: monotonousTimestamps(),
    }),
})

describe('assignTimestamps', () => {
  test('the watermark stays behind the largest event time by the delay, and only rises', () => {
    const fed = handFed(timed(2)).start()
    fed.run.open()
    fed.records(10, 5, 11, -3, 11).end()
    expect(fed.out.seen).toEqual([10, 'w7', 5, 11, 'w8', -3, 11, 'wInfinity', 'end'])
    expect(fed.out.records.map(({ timestamp }) => timestamp)).toEqual([10, 5, 11, -3, 11])
  })

  test('an older record does not move the watermark of a strategy back', () => {
    const generator = boundedOutOfOrderness({ delayMs: 2 }).create()
    expect([10, 5, 6].map((timeMs) => generator.onRecord(timeMs))).toEqual([7, 7, 7])
  })

  test('event times before 1970 are event times', () => {
    const fed = handFed(timed()).start()
    fed.run.open()
    fed.records(-10, -5)
    expect(fed.out.seen).toEqual([-10, 'w-11', -5, 'w-6'])
  })

  test('watermarks from further up end here', () => {
    const fed = handFed(timed()).start()
    fed.run.open()
    fed.watermark(1_000).record(5)
    expect(fed.out.seen).toEqual([5, 'w4'])
  })

  test.each([undefined, Number.NaN, 1.5, Number.POSITIVE_INFINITY, '5', new Date(5), 2 ** 53])('%s is no event time', (found) => {
    const fed = handFed(assignTimestamps({ timestamp: () => found as number, watermarks: monotonousTimestamps() })).start()
    fed.run.open()
    fed.record(1)
    expect(fed.run.failures).toMatchObject([{ code: 'TIMESTAMP_INVALID', hint: expect.stringContaining('milliseconds') }])
  })

  test.each([-1, 0.5, Number.NaN])('refuses a delay of %s', (delayMs) => {
    expect(() => boundedOutOfOrderness({ delayMs })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('refuses to be idle after 0 ms', () => {
    expect(() => monotonousTimestamps({ idleAfterMs: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  describe('idleness', () => {
    test('a stream without records is idle after a while, and active again with the next record', async () => {
      const fed = handFed(timed(0, 1_000)).start()
      const { clock } = fed.run
      fed.run.open()
      fed.record(10)
      for (let ms = 0; ms < 1_000; ms += 200) await clock.advance(200)
      expect(fed.out.seen).toEqual([10, 'w9'])
      for (let ms = 0; ms < 1_000; ms += 200) await clock.advance(200)
      expect(fed.out.seen).toEqual([10, 'w9', 'idle'])
      fed.record(5).record(20)
      expect(fed.out.seen.slice(3)).toEqual(['active', 5, 20, 'w19'])
    })

    test('records keep it active', async () => {
      const fed = handFed(timed(0, 1_000)).start()
      fed.run.open()
      for (let at = 0; at < 30; at += 1) {
        fed.record(at)
        await fed.run.clock.advance(200)
      }
      expect(fed.out.seen).not.toContain('idle')
    })

    test('no timer is left when nobody listens any more', () => {
      const fed = handFed(timed(0, 1_000)).start()
      fed.run.open()
      expect(fed.run.clock.pendingCount).toBe(1)
      fed.out.subscription.unsubscribe()
      expect(fed.run.clock.pendingCount).toBe(0)
    })

    test('an idle stream that ends is active first, so that the end of time is not passed over', async () => {
      const fed = handFed(timed(0, 200)).start()
      fed.run.open()
      for (let look = 0; look < 4; look += 1) await fed.run.clock.advance(200)
      fed.end()
      expect(fed.out.seen).toEqual(['idle', 'active', 'wInfinity', 'end'])
    })

    test('is in the snapshot, and so is the watermark: what is restored is not idle twice', async () => {
      const first = handFed(timed(0, 200)).start()
      first.run.open()
      first.record(100)
      for (let look = 0; look < 4; look += 1) await first.run.clock.advance(200)
      expect(first.out.seen).toEqual([100, 'w99', 'idle'])
      first.barrier(1)
      const run = new HandRun()
      const second = handFed(timed(0, 200), run).start()
      run.open(first.run.complete(1))
      for (const fed of [first, second]) fed.record(50).record(101)
      expect(second.out.seen).toEqual(['active', 50, 101, 'w100'])
      expect(first.out.seen.slice(-4)).toEqual(second.out.seen)
    })

    test('a stream that comes back after a restore is heard behind operators that store nothing', async () => {
      const run = new HandRun()
      const build = (into: HandRun) => {
        const a = new HandFeed(into)
        const b = new HandFeed(into)
        const out = noted(a.stream.pipe(timed(0, 200), mapValues(identity), union(b.stream)))
        a.start(false, 'a')
        b.start(false, 'b')
        return { a, b, out, run: into }
      }
      const first = build(run)
      run.open()
      first.a.record(100)
      for (let look = 0; look < 4; look += 1) await run.clock.advance(200)
      first.b.watermark(500)
      expect(first.out.seen).toEqual([100, 'w500'])
      first.a.barrier(1)
      first.b.barrier(1)
      const second = build(new HandRun())
      second.run.open(run.complete(1))
      for (const { a, b } of [first, second]) {
        a.record(600)
        b.watermark(1_000)
      }
      expect(first.out.seen.slice(-2)).toEqual([600, 'w599'])
      expect(second.out.seen.slice(-2)).toEqual([600, 'w599'])
    })
  })
})
