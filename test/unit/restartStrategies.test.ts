import fc from 'fast-check'
import { defer, NEVER, type Observable, retry, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { exponentialDelay } from '../../lib/restart/exponentialDelay.js'
import { failureRate } from '../../lib/restart/failureRate.js'
import { fixedDelay } from '../../lib/restart/fixedDelay.js'
import { noRestart } from '../../lib/restart/noRestart.js'
import type { RestartStrategy } from '../../lib/restart/restartStrategy.js'
import { tapValues } from '../../operators/tapValues.js'
import { settled, testJob } from '../support/jobs.js'
import { type ManualClock, manualClock } from '../support/manualClock.js'

/** Something that fails each time it is started, so long after its start; noted is when it was started, and how it ended. */
function failing(strategy: RestartStrategy, clock: ManualClock, source: () => Observable<never> = () => throwError(() => cause)) {
  const started: number[] = []
  const seen: { error?: unknown } = {}
  const subscription = defer(() => {
    started.push(clock.nowMs())
    return source()
  })
    .pipe(retry(strategy))
    .subscribe({ error: (error: unknown) => (seen.error = error) })
  return { started, seen, subscription }
}
const cause = new Error('the cause')

describe('a restart strategy', () => {
  test('with a fixed delay starts again so many times, and then passes the error on', async () => {
    const clock = manualClock()
    const { started, seen } = failing(fixedDelay({ attempts: 2, delayMs: 10, clock }), clock)
    await clock.advance(9)
    expect(started).toEqual([0])
    await clock.advance(1)
    await clock.advance(10)
    expect(started).toEqual([0, 10, 20])
    expect(seen.error).toBe(cause)
  })

  test('without restarts passes the first error on', () => {
    const { started, seen } = failing(noRestart(), manualClock())
    expect(started).toEqual([0])
    expect(seen.error).toBe(cause)
  })

  test('by rate bears failures now and then for ever, and no series of them', async () => {
    const clock = manualClock()
    const { started, seen } = failing(failureRate({ failuresMax: 2, perMs: 100, delayMs: 51, clock }), clock)
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(51)
    expect(started).toHaveLength(21)
    expect(seen).toEqual({})
    const series = failing(failureRate({ failuresMax: 2, perMs: 100, delayMs: 50, clock }), clock)
    await clock.advance(50)
    await clock.advance(50)
    expect(series.started).toHaveLength(3)
    expect(series.seen.error).toBe(cause)
  })

  test('with a growing delay waits longer each time, up to the longest', async () => {
    const clock = manualClock()
    const { started } = failing(exponentialDelay({ initialMs: 10, maxMs: 35, multiplier: 2, clock }), clock)
    for (let turn = 0; turn < 110; turn += 1) await clock.advance(1)
    expect(started).toEqual([0, 10, 30, 65, 100])
  })

  test('with a growing delay begins anew after a run that held out', async () => {
    const clock = manualClock()
    const strategy = exponentialDelay({ initialMs: 10, multiplier: 3, resetAfterMs: 500, attempts: 2, clock })
    const runs = [0, 0, 500]
    const { started, seen } = failing(strategy, clock, () => {
      const holds = runs.shift()
      return holds === 0
        ? throwError(() => cause)
        : holds === undefined
          ? NEVER
          : defer(() => new Promise<never>((_, reject) => clock.callAt(clock.nowMs() + holds, () => reject(cause))))
    })
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(10)
    expect(started).toEqual([0, 10, 40, 550])
    expect(seen).toEqual({})
  })

  test('counts each failure of a run that fails at once, also where time stands still', async () => {
    const clock = manualClock()
    const strategy = exponentialDelay({ initialMs: 10, attempts: 3, multiplier: 1, clock })
    const { started, seen } = failing(strategy, clock)
    await clock.advance(10)
    await clock.advance(10)
    await clock.advance(10)
    expect(started).toEqual([0, 10, 20, 30])
    expect(seen.error).toBe(cause)
  })

  test('begins anew with each subscription', async () => {
    const clock = manualClock()
    const strategy = fixedDelay({ attempts: 1, delayMs: 1, clock })
    for (const run of [failing(strategy, clock), failing(strategy, clock)]) {
      await clock.advance(1)
      expect(run.started.length).toBeGreaterThan(0)
    }
    const again = failing(strategy, clock)
    await clock.advance(1)
    expect(again.started).toHaveLength(2)
    expect(again.seen.error).toBe(cause)
  })

  test('waits no more when nobody listens any more', () => {
    const clock = manualClock()
    const { subscription } = failing(fixedDelay({ attempts: 1, delayMs: 10, clock }), clock)
    expect(clock.pendingCount).toBe(1)
    subscription.unsubscribe()
    expect(clock.pendingCount).toBe(0)
  })

  test('with jitter never waits shorter than the first wait nor longer than the longest', () => {
    fc.assert(
      fc.property(
        fc.record({ initialMs: fc.integer({ min: 1, max: 50 }), over: fc.nat({ max: 500 }), multiplier: fc.double({ min: 1, max: 4, noNaN: true }) }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 80, size: 'max' }),
        ({ initialMs, over, multiplier }, jitter, draws) => {
          const waits: number[] = []
          let resume = (): void => undefined
          const clock = {
            ...manualClock(),
            callAt(atMs: number, work: () => void) {
              waits.push(atMs)
              resume = work
              return () => undefined
            },
          }
          const drawn = [...draws]
          const strategy = exponentialDelay({ initialMs, maxMs: initialMs + over, multiplier, jitter, random: () => drawn.pop() ?? 0, clock })
          for (let count = 1; count <= 80; count += 1) {
            strategy.delay(cause, count).subscribe()
            resume()
          }
          expect(waits).toHaveLength(80)
          expect(waits.every((ms) => Number.isInteger(ms) && ms >= initialMs && ms <= initialMs + over)).toBe(true)
        },
      ),
    )
  })

  test.each([
    ['attempts', () => fixedDelay({ attempts: -1, delayMs: 1 })],
    ['delayMs', () => fixedDelay({ attempts: 1, delayMs: 0.5 })],
    ['failuresMax', () => failureRate({ failuresMax: 0, perMs: 1, delayMs: 1 })],
    ['perMs', () => failureRate({ failuresMax: 1, perMs: 0, delayMs: 1 })],
    ['maxMs', () => exponentialDelay({ initialMs: 5, maxMs: 4 })],
    ['multiplier', () => exponentialDelay({ multiplier: 0.9 })],
    ['jitter', () => exponentialDelay({ jitter: 2, random: () => 0 })],
    ['random', () => exponentialDelay({ jitter: 0.1 })],
  ])('refuses a wrong %s at once', (option, make) => {
    expect(make).toThrowError(expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) }))
  })

  test('restarts a job from its newest checkpoint', async () => {
    const clock = manualClock()
    const out = memorySink<number>()
    let failures = 0
    const { job } = testJob(
      ({ source, sink }) =>
        source('in', memorySource([1, 2, 3])).pipe(
          tapValues(() => {
            if (failures++ < 2) throw cause
          }),
          sink('out', out),
        ),
      { clock },
    )
    const run = job.run({ restart: fixedDelay({ attempts: 2, delayMs: 1_000, clock }) })
    await settled(5)
    await clock.advance(1_000)
    await clock.advance(1_000)
    await run.done
    expect(out.committed).toEqual([1, 2, 3])
  })
})
