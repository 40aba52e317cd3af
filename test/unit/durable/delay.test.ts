import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../../backends/memory/index.js'
import { delay } from '../../../operators/durable/delay.js'
import { tapValues } from '../../../operators/tapValues.js'
import { begun } from '../../support/continued.js'
import { handFed } from '../../support/handFed.js'
import { HandRun } from '../../support/handRun.js'
import { settled, testJob, watched } from '../../support/jobs.js'
import { waitingCases } from '../../support/waitingCases.js'

const later = delay<string>('later', { dueMs: 10 })

waitingCases({
  operator: later,
  waitMs: 10,
  many: [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ],
})

describe('delay', () => {
  test('the end of the input waits for what is held', () => {
    const fed = begun(later).record('a')
    void fed.run.clock.advance(4)
    fed.record('b').end().complete()
    void fed.run.clock.advance(6)
    expect(fed.out.seen).toEqual(['a'])
    expect(fed.out.ending).toBeUndefined()
    void fed.run.clock.advance(4)
    expect(fed.out.seen).toEqual(['a', 'b', 'wInfinity', 'end'])
    expect(fed.out.ending).toBe('complete')
  })

  test('values of one millisecond keep their order across restores, between keys too', () => {
    const first = begun(later, true).record('b1', 1, 'b').record('a1', 2, 'a').record('b2', 3, 'b').barrier(1)
    const run = new HandRun()
    const second = handFed(later, run).start(true)
    run.open(first.run.complete(1))
    second.record('a2', 4, 'a')
    void run.clock.advance(10)
    expect(second.out.records.map(({ value, key }) => [value, key])).toEqual([
      ['b1', 'b'],
      ['a1', 'a'],
      ['b2', 'b'],
      ['a2', 'a'],
    ])
  })

  test('event time waits for what is held', () => {
    const fed = begun(later).record('a', 7).watermark(5)
    void fed.run.clock.advance(5)
    fed.record('b', 9).watermark(20)
    expect(fed.out.seen).toEqual(['w5', 'w6'])
    void fed.run.clock.advance(5)
    expect(fed.out.seen).toEqual(['w5', 'w6', 'a', 'w8'])
    void fed.run.clock.advance(5)
    expect(fed.out.seen).toEqual(['w5', 'w6', 'a', 'w8', 'b', 'w20'])
  })

  test('until a date', () => {
    const fed = begun(delay('until', { dueAt: new Date(10) })).record('a')
    void fed.run.clock.advance(10)
    fed.record('b')
    expect(fed.out.seen).toEqual(['a'])
    void fed.run.clock.advance(0)
    expect(fed.out.seen).toEqual(['a', 'b'])
  })

  test('in a job the sources pause while as many are held as may be, and every record counts once, across a crash', async () => {
    const numbers = Array.from({ length: 10 }, (_, n) => n)
    const out = memorySink<number>()
    let read = 0
    const { job, clock } = testJob(
      ({ source, sink }) =>
        source('numbers', memorySource(numbers)).pipe(
          tapValues(() => {
            read += 1
          }),
          delay('later', { dueMs: 10, heldValuesMax: 3 }),
          sink('out', out),
        ),
      { storage: memory(), limits: { sourceBatchMax: 1 } },
    )
    const first = watched(job)
    await settled()
    await first.checkpoint()
    await first.stop()
    expect([read, out.committed]).toEqual([3, []])
    const second = watched(job)
    let over = false
    void second.done.then(() => {
      over = true
    })
    for (let round = 0; round < 20 && !over; round++) await clock.advance(10)
    await second.done
    expect(out.committed).toEqual(numbers)
  })

  test('options are checked when the operator is made', () => {
    expect(() => delay('later', { dueMs: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => delay('later', {} as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => delay('later', { dueAt: new Date(Number.NaN) })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => delay('later', { dueMs: 1, heldValuesMax: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
