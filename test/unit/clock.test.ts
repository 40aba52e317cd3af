import { VirtualTimeScheduler } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'
import { schedulerClock, systemClock } from '../../lib/clock.js'

describe("the machine's clock", () => {
  test('calls not before its time, never within the call, and not at all when cancelled', () => {
    vi.useFakeTimers({ now: 1_000 })
    try {
      const log: string[] = []
      systemClock.callAt(1_000, () => log.push('now'))
      systemClock.callAt(0, () => log.push('past'))
      const cancel = systemClock.callAt(1_005, () => log.push('never'))
      systemClock.callAt(1_010, () => log.push('later'))
      cancel()
      cancel()
      expect(log).toEqual([])
      vi.advanceTimersByTime(9)
      expect(log).toEqual(['now', 'past'])
      vi.advanceTimersByTime(1)
      expect(log).toEqual(['now', 'past', 'later'])
      expect(systemClock.nowMs()).toBe(1_010)
    } finally {
      vi.useRealTimers()
    }
  })

  test('waits longer than a timer of the platform can', () => {
    vi.useFakeTimers({ now: 0 })
    try {
      const log: number[] = []
      const atMs = 2 ** 31 + 5
      systemClock.callAt(atMs, () => log.push(Date.now()))
      const cancel = systemClock.callAt(2 ** 33, () => log.push(-1))
      vi.advanceTimersByTime(2 ** 31)
      expect(log).toEqual([])
      cancel()
      vi.advanceTimersByTime(2 ** 33)
      expect(log).toEqual([atMs])
    } finally {
      vi.useRealTimers()
    }
  })

  test('lets timers and others have their turn', async () => {
    let turned = false
    setImmediate(() => {
      turned = true
    })
    await systemClock.yield()
    expect(turned).toBe(true)
  })
})

test('a scheduler of rxjs is a clock', async () => {
  const scheduler = new VirtualTimeScheduler()
  const clock = schedulerClock(scheduler)
  const log: number[] = []
  clock.callAt(7, () => log.push(clock.nowMs()))
  clock.callAt(-5, () => log.push(clock.nowMs()))
  clock.callAt(3, () => log.push(-1))()
  expect(log).toEqual([])
  scheduler.flush()
  await clock.yield()
  expect(log).toEqual([0, 7])
})
