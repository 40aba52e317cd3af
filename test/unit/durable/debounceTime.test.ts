import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { debounceTime } from '../../../operators/durable/debounceTime.js'
import { records } from '../../../operators/records.js'
import { begun } from '../../support/continued.js'
import { handFed } from '../../support/handFed.js'
import { HandRun } from '../../support/handRun.js'
import { waitingCases } from '../../support/waitingCases.js'

const typed = debounceTime<string>('typed', { dueMs: 10 })

waitingCases({ operator: typed, waitMs: 10, many: [['a', 'b', 'c'], ['c']] })

describe('debounceTime', () => {
  test('each value begins the wait anew', () => {
    const fed = begun(typed)
    for (const value of ['a', 'b', 'c']) {
      fed.record(value)
      void fed.run.clock.advance(9)
    }
    expect(fed.out.seen).toEqual([])
    void fed.run.clock.advance(1)
    expect(fed.out.seen).toEqual(['c'])
  })

  test('the end of the input emits the last value, and does not wait', async () => {
    expect(await collect(of('a', 'b').pipe(records(), typed))).toEqual(['b'])
    const fed = begun(typed).record('a', 5).watermark(9).end()
    expect(fed.out.seen).toEqual(['w4', 'a', 'wInfinity', 'end'])
  })

  test('waits for each key', () => {
    const fed = begun(typed, true).record('a1', 1, 'a').record('b1', 2, 'b')
    void fed.run.clock.advance(5)
    fed.record('b2', 3, 'b')
    void fed.run.clock.advance(5)
    expect(fed.out.records).toEqual([{ value: 'a1', timestamp: 1, key: 'a' }])
    void fed.run.clock.advance(5)
    expect(fed.out.records.at(-1)).toEqual({ value: 'b2', timestamp: 3, key: 'b' })
  })

  test('a watermark waits for a value that it would make late, and not for one that is late already', () => {
    const fed = begun(typed, true).watermark(3).record('a', 7, 'a').record('late', 2, 'b').watermark(5).watermark(20)
    expect(fed.out.seen).toEqual(['w3', 'w5', 'w6'])
    fed.record('newer', 30, 'a')
    expect(fed.out.seen).toEqual(['w3', 'w5', 'w6', 'w20'])
  })

  test('what waited when a job was drained has gone on', () => {
    const fed = begun(typed).record('a').end(true).barrier(1)
    expect(fed.out.seen).toEqual(['a', 'wInfinity', 'drained', '#1'])
    const second = handFed(typed, new HandRun()).start()
    second.run.open(fed.run.complete(1))
    second.record('b').end()
    expect(second.out.seen).toEqual(['b', 'wInfinity', 'end'])
  })

  test('a value is read back by its codec', () => {
    const fed = begun(debounceTime<number, typeof t.number>('typed', { dueMs: 10, value: t.number }))
    fed.record(1).barrier(1)
    const second = handFed(debounceTime('typed', { dueMs: 10, value: t.string }), new HandRun()).start()
    expect(() => second.run.open(fed.run.complete(1))).toThrow(expect.objectContaining({ code: 'CODEC_MISMATCH' }))
  })

  test('options are checked when the operator is made', () => {
    for (const dueMs of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => debounceTime('typed', { dueMs })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => debounceTime('', { dueMs: 1 })).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(() => debounceTime('typed', { dueMs: 1, value: {} as never })).toThrow(expect.objectContaining({ code: 'CODEC_INVALID' }))
  })
})
