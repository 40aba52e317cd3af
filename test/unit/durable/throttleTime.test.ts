import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { throttleTime } from '../../../operators/durable/throttleTime.js'
import { records } from '../../../operators/records.js'
import { begun } from '../../support/continued.js'
import { handFed } from '../../support/handFed.js'
import { HandRun } from '../../support/handRun.js'
import { manualClock } from '../../support/manualClock.js'
import { operatorCases } from '../../support/operatorCases.js'
import { waitingCases } from '../../support/waitingCases.js'

const first = throttleTime<string>('first', { durationMs: 10 })
const last = throttleTime<string>('last', { durationMs: 10, leading: false, trailing: true })
const both = throttleTime<string>('both', { durationMs: 10, trailing: true })

operatorCases<string, string>({ operator: first, one: ['a', ['a']], many: [['a', 'b', 'c'], ['a']] })
waitingCases({ operator: last, waitMs: 10, many: [['a', 'b', 'c'], ['c']] })

describe('throttleTime', () => {
  test('the first value goes on, and the next one when the wait is over', () => {
    const fed = begun(first).records('a', 'b')
    void fed.run.clock.advance(9)
    fed.record('c')
    void fed.run.clock.advance(1)
    fed.record('d')
    expect(fed.out.seen).toEqual(['a', 'd'])
  })

  test('the last value goes on at the end of the wait, and begins another one', () => {
    const fed = begun(both).records('a', 'b', 'c')
    void fed.run.clock.advance(10)
    fed.record('d')
    expect(fed.out.seen).toEqual(['a', 'c'])
    void fed.run.clock.advance(10)
    expect(fed.out.seen).toEqual(['a', 'c', 'd'])
    void fed.run.clock.advance(10)
    fed.record('e')
    expect(fed.out.seen).toEqual(['a', 'c', 'd', 'e'])
  })

  test('neither first nor last: nothing', async () => {
    const none = throttleTime<string>('none', { durationMs: 10, leading: false })
    expect(await collect(of('a', 'b').pipe(records(), none))).toEqual([])
  })

  test('the end of the input waits for a value at the end of a wait, and for nothing else', () => {
    const fed = begun(both).records('a', 'b').end().complete()
    expect(fed.out.seen).toEqual(['a'])
    void fed.run.clock.advance(10)
    expect(fed.out.seen).toEqual(['a', 'b', 'wInfinity', 'end'])
    expect(fed.out.ending).toBe('complete')
    expect(begun(both).record('a').end().complete().out.seen).toEqual(['a', 'wInfinity', 'end'])
  })

  test('waits for each key, across a restore', () => {
    const fed = begun(first, true).record('a1', 1, 'a')
    void fed.run.clock.advance(5)
    fed.record('b1', 2, 'b').barrier(1)
    const run = new HandRun({ clock: manualClock(12) })
    const second = handFed(first, run).start(true)
    run.open(fed.run.complete(1))
    second.record('a2', 3, 'a').record('b2', 4, 'b')
    void run.clock.advance(3)
    second.record('b3', 5, 'b')
    expect(second.out.records.map(({ value, key }) => [value, key])).toEqual([
      ['a2', 'a'],
      ['b3', 'b'],
    ])
  })

  test('a watermark waits for a value at the end of a wait', () => {
    const fed = begun(both).record('a', 5).record('b', 7).watermark(9)
    expect(fed.out.seen).toEqual(['a', 'w6'])
    fed.record('c', 12)
    void fed.run.clock.advance(10)
    expect(fed.out.seen).toEqual(['a', 'w6', 'w9', 'c'])
  })

  test('options are checked when the operator is made', () => {
    expect(() => throttleTime('first', { durationMs: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => throttleTime('', { durationMs: 1 })).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })
})
