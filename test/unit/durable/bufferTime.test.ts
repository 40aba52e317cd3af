import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../../backends/memory/index.js'
import { collect } from '../../../operators/collect.js'
import { bufferTime } from '../../../operators/durable/bufferTime.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { tapValues } from '../../../operators/tapValues.js'
import { begun } from '../../support/continued.js'
import { handFed } from '../../support/handFed.js'
import { HandRun } from '../../support/handRun.js'
import { settled, testJob, watched } from '../../support/jobs.js'
import { manualClock } from '../../support/manualClock.js'
import { operatorCases } from '../../support/operatorCases.js'

const pairs = bufferTime<string>('pairs', { spanMs: 1_000, bufferSizeMax: 2 })
const spans = bufferTime<string>('spans', { spanMs: 10 })
const overlap = bufferTime<string>('overlap', { spanMs: 10, creationIntervalMs: 5 })

operatorCases<string, string[]>({
  operator: (source) =>
    source.pipe(
      keyBy(() => 'all'),
      pairs,
    ),
  one: ['a', [['a']]],
  many: [
    ['a', 'b', 'c'],
    [['a', 'b'], ['c']],
  ],
})

describe('bufferTime', () => {
  test('of nothing comes one empty buffer, as in RxJS; with keys, none', async () => {
    expect(await collect(EMPTY.pipe(records(), spans))).toEqual([[]])
    expect(
      await collect(
        EMPTY.pipe(
          records(),
          keyBy(() => 'all'),
          spans,
        ),
      ),
    ).toEqual([])
  })

  test('a buffer opens when the one before is emitted', () => {
    const fed = begun(spans)
    void fed.run.clock.advance(5)
    fed.records('a', 'b')
    void fed.run.clock.advance(5)
    fed.records('c')
    void fed.run.clock.advance(10)
    void fed.run.clock.advance(10)
    expect(fed.out.seen).toEqual([['a', 'b'], ['c'], []])
  })

  test('a full buffer begins its span anew', () => {
    const fed = begun(bufferTime('pairs', { spanMs: 10, bufferSizeMax: 2 }))
    void fed.run.clock.advance(5)
    fed.records('a', 'b', 'c')
    void fed.run.clock.advance(9)
    expect(fed.out.seen).toEqual([['a', 'b']])
    void fed.run.clock.advance(1)
    expect(fed.out.seen).toEqual([['a', 'b'], ['c']])
  })

  test('buffers overlap, and a value is kept once', () => {
    const fed = begun(overlap).record('a')
    void fed.run.clock.advance(5)
    fed.record('b').barrier(1)
    expect(fed.run.acknowledged[0]?.snapshot.tables.find(({ table }) => table === 'values')?.rows).toBe(2)
    const run = new HandRun({ clock: manualClock(6) })
    const second = handFed(overlap, run).start()
    run.open(fed.run.complete(1))
    second.record('c')
    void run.clock.advance(4)
    void run.clock.advance(5)
    expect(second.out.seen).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ])
  })

  test('a key begins with its first value, and goes on with empty buffers, as in RxJS', () => {
    const fed = begun(spans, true)
    void fed.run.clock.advance(3)
    fed.record('a', undefined, 'a')
    void fed.run.clock.advance(3)
    fed.record('b', undefined, 'b')
    void fed.run.clock.advance(7)
    void fed.run.clock.advance(3)
    void fed.run.clock.advance(7)
    expect(fed.out.records.map(({ value, key }) => [value, key])).toEqual([
      [['a'], 'a'],
      [['b'], 'b'],
      [[], 'a'],
    ])
  })

  test('carries the latest event time of its values; a watermark waits', () => {
    const fed = begun(spans).record('a', 7).record('b', 5).watermark(9)
    expect(fed.out.seen).toEqual(['w6'])
    void fed.run.clock.advance(10)
    expect(fed.out.seen).toEqual(['w6', ['a', 'b'], 'w9'])
    expect(fed.out.records[0]?.timestamp).toBe(7)
  })

  test('a buffer that is overdue after a restore is emitted once, before the first record, and the next span begins there', () => {
    const fed = begun(spans).record('a').barrier(1)
    const run = new HandRun({ clock: manualClock(1_005) })
    const second = handFed(spans, run).start()
    run.open(fed.run.complete(1))
    expect(second.out.seen).toEqual([['a']])
    second.record('b')
    void run.clock.advance(9)
    expect(second.out.seen).toEqual([['a']])
    void run.clock.advance(1)
    expect(second.out.seen).toEqual([['a'], ['b']])
  })

  test('the end emits the open buffers once; a job that was drained goes on with its next value', async () => {
    const fed = begun(overlap).record('a')
    void fed.run.clock.advance(5)
    fed.record('b').end(true).barrier(1)
    expect(fed.out.seen).toEqual([['a', 'b'], ['b'], 'wInfinity', 'drained', '#1'])
    const run = new HandRun({ clock: manualClock(100) })
    const second = handFed(overlap, run).start()
    run.open(fed.run.complete(1))
    void run.clock.advance(50)
    expect(second.out.seen).toEqual([])
    second.record('c').end()
    expect(second.out.seen).toEqual([['c'], 'wInfinity', 'end'])
    expect(await collect(of('a').pipe(records(), spans))).toEqual([['a']])
  })

  test('in a job the sources pause while as many are held as may be', async () => {
    const out = memorySink<number[]>()
    let read = 0
    const { job, clock } = testJob(
      ({ source, sink }) =>
        source('numbers', memorySource([1, 2, 3, 4])).pipe(
          tapValues(() => {
            read += 1
          }),
          bufferTime('spans', { spanMs: 10, heldValuesMax: 2 }),
          sink('out', out),
        ),
      { storage: memory(), limits: { sourceBatchMax: 1 } },
    )
    const run = watched(job)
    await settled()
    expect(read).toBe(2)
    await clock.advance(10)
    await clock.advance(10)
    await run.done
    expect(out.committed.flat()).toEqual([1, 2, 3, 4])
  })

  test('options are checked when the operator is made', () => {
    for (const wrong of [{ spanMs: 0 }, { spanMs: 1, creationIntervalMs: 0 }, { spanMs: 1, bufferSizeMax: 0 }, { spanMs: 1, heldValuesMax: 0 }])
      expect(() => bufferTime('spans', wrong)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
