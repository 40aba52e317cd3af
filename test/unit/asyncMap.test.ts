import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../backends/memory/index.js'
import { defineJob } from '../../lib/job.js'
import { type AsyncMapOptions, asyncMap } from '../../operators/asyncMap.js'
import { collect } from '../../operators/collect.js'
import { records } from '../../operators/records.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'

const options: AsyncMapOptions<string, string> = { order: 'kept', capacity: 2, timeoutMs: 100 }

/** Calls that a test answers when it likes. */
function calls() {
  const open = new Map<string, { resolve(value: string): void; reject(error: unknown): void; signal: AbortSignal }>()
  const made: string[] = []
  const project = (value: string, signal: AbortSignal): Promise<string> => {
    made.push(value)
    return new Promise((resolve, reject) => open.set(value, { resolve, reject, signal }))
  }
  const settle = async (): Promise<void> => {
    for (let hop = 0; hop < 8; hop++) await undefined
  }
  return {
    made,
    project,
    signal: (value: string) => open.get(value)?.signal,
    async answer(value: string, result = value.toUpperCase()) {
      open.get(value)?.resolve(result)
      await settle()
    },
    async refuse(value: string, error: unknown) {
      open.get(value)?.reject(error)
      await settle()
    },
  }
}

describe('asyncMap', () => {
  test('keeps the order of the records', async () => {
    const { project, answer } = calls()
    const fed = handFed(asyncMap('call', options, project)).start()
    fed.run.open()
    fed.record('a', 1, 'k').record('b', 2, 'k')
    await answer('b')
    expect(fed.out.seen).toEqual([])
    await answer('a')
    expect(fed.out.records).toEqual([
      { value: 'A', timestamp: 1, key: 'k' },
      { value: 'B', timestamp: 2, key: 'k' },
    ])
  })

  test('free order never crosses a watermark', async () => {
    const { project, answer } = calls()
    const fed = handFed(asyncMap('call', { ...options, order: 'free', capacity: 9 }, project)).start()
    fed.run.open()
    fed.records('a', 'b').watermark(5).records('c')
    await answer('c')
    await answer('b')
    expect(fed.out.seen).toEqual(['B'])
    await answer('a')
    expect(fed.out.seen).toEqual(['B', 'A', 'w5', 'C'])
  })

  test('no more calls than its capacity; the end of input waits for all', async () => {
    const { project, answer, made } = calls()
    const fed = handFed(asyncMap('call', options, project)).start()
    fed.run.open()
    fed.records('a', 'b', 'c').end().complete()
    expect(made).toEqual(['a', 'b'])
    await answer('a')
    expect(made).toEqual(['a', 'b', 'c'])
    await answer('b')
    expect(fed.out.ending).toBeUndefined()
    await answer('c')
    expect(fed.out.seen).toEqual(['A', 'B', 'C', 'wInfinity', 'end'])
    expect(fed.out.ending).toBe('complete')
  })

  test('a barrier passes calls under way; they are made again after a restore, before new records, event time behind them', async () => {
    const first = calls()
    const fed = handFed(asyncMap('call', options, first.project)).start()
    fed.run.open()
    fed.record('a', 1, 'k').record('b', 2, 'k').record('c', 3, 'k').watermark(3).barrier(1)
    expect(fed.out.seen).toEqual(['#1'])
    const second = calls()
    const run = new HandRun()
    const again = handFed(asyncMap('call', options, second.project), run).start()
    run.open(fed.run.complete(1))
    again.record('d', 4, 'k')
    for (const value of ['a', 'b', 'c', 'd']) await second.answer(value)
    expect(second.made).toEqual(['a', 'b', 'c', 'd'])
    expect(again.out.seen).toEqual(['A', 'B', 'C', 'w3', 'D'])
  })

  test('an error ends the run with the very error, after the repetitions asked for', async () => {
    const mine = new Error('mine')
    const { project, refuse, made } = calls()
    const fed = handFed(asyncMap('call', { ...options, retry: { count: 1 } }, project)).start()
    fed.run.open()
    fed.records('a')
    await refuse('a', new Error('first'))
    expect({ made, failures: fed.run.failures }).toEqual({ made: ['a', 'a'], failures: [] })
    await refuse('a', mine)
    expect(fed.run.failures).toEqual([mine])
  })

  test('a call is repeated after the delay asked for, not before', async () => {
    const { project, answer, refuse, made } = calls()
    const fed = handFed(asyncMap('call', { ...options, retry: { count: 1, delayMs: 20 } }, project)).start()
    fed.run.open()
    fed.records('a')
    await refuse('a', new Error('first'))
    await fed.run.clock.advance(19)
    expect(made).toEqual(['a'])
    await fed.run.clock.advance(1)
    expect(made).toEqual(['a', 'a'])
    await answer('a')
    expect(fed.out.seen).toEqual(['A'])
  })

  test('a call that takes too long is aborted: an error, or what otherwise says', async () => {
    const { project, signal } = calls()
    const fed = handFed(asyncMap('call', options, project)).start()
    fed.run.open()
    fed.records('a')
    fed.run.clock.advance(100)
    expect(fed.run.failures).toMatchObject([{ code: 'CALL_TIMED_OUT', details: { uid: 'call' } }])
    const other = calls()
    const calm = handFed(asyncMap('call', { ...options, otherwise: (value) => `${value}?` }, other.project)).start()
    calm.run.open()
    calm.records('a')
    calm.run.clock.advance(100)
    await other.answer('a')
    expect(calm.out.seen).toEqual(['a?'])
    expect(signal('a')).toBeDefined()
  })

  test('a function that throws instead of returning a promise is an error like any other', async () => {
    const mine = new Error('mine')
    const throws = asyncMap('call', options, () => {
      throw mine
    })
    await expect(collect(of('a').pipe(records(), throws))).rejects.toBe(mine)
  })

  test('in a job the sources pause while calls wait, and every record counts once', async () => {
    const out = memorySink<number>()
    const numbers = Array.from({ length: 500 }, (_, index) => index)
    let underWay = 0
    let most = 0
    const double = asyncMap('double', { order: 'kept', capacity: 3, timeoutMs: Number.POSITIVE_INFINITY }, async (n: number) => {
      underWay += 1
      most = Math.max(most, underWay)
      for (let hop = 0; hop < n % 5; hop++) await undefined
      underWay -= 1
      return n * 2
    })
    const job = defineJob('doubles', { storage: memory(), checkpoints: { intervalMs: 1 } }, ({ source, sink }) =>
      source('numbers', memorySource(numbers)).pipe(double, sink('out', out)),
    )
    await job.run().done
    expect(out.committed).toEqual(numbers.map((n) => n * 2))
    expect(most).toBe(3)
  })

  test('options are checked', () => {
    expect(() => asyncMap('x', { ...options, capacity: 0 }, async (value: string) => value)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    expect(() => asyncMap('x', { ...options, order: 'any' as never }, async (value: string) => value)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
