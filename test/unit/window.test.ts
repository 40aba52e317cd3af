import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { Stream } from '../../lib/element.js'
import { type Aggregate, countRecords, mean, tumbling } from '../../lib/index.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { boundedOutOfOrderness, monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { collect } from '../../operators/collect.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { window } from '../../operators/window.js'
import { type FedStream, HandFeed, handFed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

/** `k3` is a record of key k at time 3. */
const at = (text: string): number => Number(text.slice(1))
const keyOf = (text: string): string => text.charAt(0)
const listed: Aggregate<string, readonly string[], string> = {
  create: () => [],
  add: (list, text) => [...list, text],
  result: (list) => list.join('+'),
}
const tens = tumbling({ sizeMs: 10 })
const lists = window('lists', { assigner: tens, aggregate: listed, result: (list, { key, start, end }) => `${String(key)} ${start}-${end} ${list}` })
const timed = assignTimestamps({ timestamp: at, watermarks: monotonousTimestamps() })

operatorCases<string, string>({
  operator: (source) => source.pipe(timed, keyBy(keyOf), lists),
  one: ['a5', ['a 0-10 a5']],
  many: [
    ['a1', 'b9', 'a3', 'a10', 'b12', 'a25', 'b3'],
    ['a 0-10 a1+a3', 'b 0-10 b9', 'a 10-20 a10', 'b 10-20 b12', 'a 20-30 a25'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      timed,
      keyBy(keyOf),
      window('lists', {
        assigner: tens,
        aggregate: {
          ...listed,
          add: () => {
            throw error
          },
        },
      }),
    ),
})

operatorCases<string, number>({
  operator: (source) => source.pipe(timed, keyBy(keyOf), window('counts', { assigner: tens, aggregate: countRecords() })),
  one: ['a5', [1]],
  many: [
    ['a1', 'a2', 'a15'],
    [2, 1],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      timed,
      keyBy(keyOf),
      window('counts', {
        assigner: tens,
        aggregate: countRecords(),
        result: () => {
          throw error
        },
      }),
    ),
})

/** A window operator that gets records `k3` and watermarks by hand, its late side output beside it. */
function byHand(operator: (source: FedStream) => ReturnType<typeof lists>, run = new HandRun(), side?: ReturnType<typeof sideOutput<string>>) {
  const feed = new HandFeed(run)
  const stream = operator(feed.stream)
  const out = noted(stream)
  const late = side === undefined ? undefined : noted(stream.pipe(fromSide(side)))
  feed.start(true)
  const put = (...texts: readonly string[]) => {
    for (const text of texts) feed.record(text, at(text), keyOf(text))
  }
  return { feed, out, late, put, run }
}

describe('window', () => {
  test('emits when event time has reached the last moment of a window, with that moment as event time', () => {
    const { feed, out, put, run } = byHand(lists as never)
    run.open()
    put('a0', 'a9', 'a10')
    feed.watermark(8)
    expect(out.records).toEqual([])
    feed.watermark(9)
    expect(out.records).toEqual([{ value: 'a 0-10 a0+a9', timestamp: 9, key: 'a' }])
    feed.watermark(18)
    expect(out.records).toHaveLength(1)
    expect(out.seen).toEqual(['w8', 'a 0-10 a0+a9', 'w9', 'w18'])
  })

  test('one watermark may close many windows, the oldest first', () => {
    const { feed, out, put, run } = byHand(lists as never)
    run.open()
    put('a35', 'b5', 'a5', 'a15')
    feed.watermark(100)
    expect(out.seen).toEqual(['b 0-10 b5', 'a 0-10 a5', 'a 10-20 a15', 'a 30-40 a35', 'w100'])
  })

  test('the end of the input closes all, once', () => {
    const { feed, out, put, run } = byHand(lists as never)
    run.open()
    put('a5', 'a15')
    feed.end()
    expect(out.seen).toEqual(['a 0-10 a5', 'a 10-20 a15', 'wInfinity', 'end'])
  })

  test.each([
    [0, 10, -1, -10],
    [0, 10, -10, -10],
    [0, 10, -11, -20],
    [3, 10, 2, -7],
    [3, 10, 3, 3],
    [-3, 10, 6, -3],
    [-3, 10, 7, 7],
    [0, 1, -5, -5],
    [0, 10, 0, 0],
  ])('offset %i, size %i: the moment %i is in the window from %i on', (offsetMs, sizeMs, moment, start) => {
    expect(tumbling({ sizeMs, offsetMs }).startOf(moment)).toBe(start)
  })

  test('windows before 1970 are windows', () => {
    const { feed, out, run } = byHand(lists as never)
    run.open()
    feed.record('x', -1, 'k').record('y', -10, 'k').record('z', -11, 'k').watermark(-11).watermark(-1)
    expect(out.seen).toEqual(['k -20--10 z', 'w-11', 'k -10-0 x+y', 'w-1'])
  })

  test.each([
    { sizeMs: 0 },
    { sizeMs: -1 },
    { sizeMs: 1.5 },
    { sizeMs: Number.NaN },
    { sizeMs: Number.POSITIVE_INFINITY },
    { sizeMs: 10, offsetMs: 10 },
    { sizeMs: 10, offsetMs: 0.5 },
  ])('refuses %j', (options) => {
    expect(() => tumbling(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('refuses a lateness below zero', () => {
    expect(() => window('x', { assigner: tens, aggregate: countRecords(), allowedLatenessMs: -1 })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  test('a record without event time is an error that says what to write', () => {
    const { feed, run } = byHand(lists as never)
    run.open()
    feed.record('a1', undefined, 'a')
    expect(run.failures).toMatchObject([{ code: 'TIMESTAMP_INVALID', details: { uid: 'lists' }, hint: expect.stringContaining('assignTimestamps') }])
  })

  test('on a stream without keys it is an error', async () => {
    await expect(collect(lists(of('a1').pipe(records()) as never))).rejects.toMatchObject({ code: 'STREAM_NOT_KEYED' })
  })

  describe('late records', () => {
    const late = sideOutput<string>('late')
    const tolerant = window('tolerant', { assigner: tens, aggregate: listed, allowedLatenessMs: 5, late })

    test('within the allowed lateness a window emits again for each; afterwards they go to the side output', () => {
      const { feed, out, late: aside, put, run } = byHand(tolerant as never, new HandRun(), late)
      run.open()
      put('a1')
      feed.watermark(9)
      put('a2')
      feed.watermark(13)
      put('a3')
      expect(out.seen).toEqual(['a1', 'w9', 'a1+a2', 'w13', 'a1+a2+a3'])
      expect(aside?.records).toEqual([])
      feed.watermark(14)
      put('a4')
      expect(aside?.records).toEqual([{ value: 'a4', timestamp: 4, key: undefined }])
      expect(out.records).toHaveLength(3)
    })

    test('a late record may be the first of its window', () => {
      const { feed, out, put, run } = byHand(tolerant as never, new HandRun(), late)
      run.open()
      feed.watermark(12)
      put('a5', 'a6')
      expect(out.records.map(({ value }) => value)).toEqual(['a5', 'a5+a6'])
      feed.watermark(14).watermark(20)
      expect(out.records).toHaveLength(2)
    })

    test('a window is kept until its lateness is over, and forgotten then', () => {
      const { feed, out, put, run } = byHand(tolerant as never, new HandRun(), late)
      run.open()
      put('a1')
      feed.watermark(9).barrier(1)
      const rows = (id: number): number => run.acknowledged.filter((each) => each.id === id)[0]?.snapshot.tables[0]?.rows ?? -1
      expect(rows(1)).toBe(1)
      run.complete(1)
      feed.watermark(14).barrier(2)
      expect(rows(2)).toBe(1)
      const after = byHand(tolerant as never, new HandRun(), late)
      after.run.open(run.complete(2))
      after.feed.end()
      expect(after.out.records).toEqual([])
      expect(out.records).toHaveLength(1)
    })

    test('the side output is a stream of its own: barriers and watermarks pass there too', () => {
      const { feed, late: aside, put, run } = byHand(tolerant as never, new HandRun(), late)
      run.open()
      feed.watermark(100)
      put('a1')
      feed.barrier(1).end()
      expect(aside?.seen).toEqual(['w100', 'a1', '#1', 'wInfinity', 'end'])
    })

    test('without a side output they are counted, and reported when the run ends', () => {
      const { feed, out, put, run } = byHand(lists as never)
      run.open()
      feed.watermark(50)
      put('a1', 'b2', 'a51')
      out.subscription.unsubscribe()
      expect(run.reports).toEqual([{ kind: 'recordsDropped', operator: 'lists', reason: 'windowEnded', records: 2 }])
    })

    test('with a side output that nobody taps they are counted there', () => {
      const { feed, out, put, run } = byHand(tolerant as never)
      run.open()
      feed.watermark(50)
      put('a1')
      out.subscription.unsubscribe()
      expect(run.reports).toEqual([{ kind: 'sideOutputUntapped', operator: 'tolerant', tag: 'late', records: 1 }])
    })

    test('what was late stays late after a restore', () => {
      const first = byHand(lists as never)
      first.run.open()
      first.feed.watermark(50).barrier(1)
      const second = byHand(lists as never)
      second.run.open(first.run.complete(1))
      second.put('a1')
      second.out.subscription.unsubscribe()
      expect(second.run.reports).toMatchObject([{ kind: 'recordsDropped', reason: 'windowEnded', records: 1 }])
    })

    test('windows that wait for late records emit again after a restore, and not for the restore', () => {
      const first = byHand(tolerant as never, new HandRun(), late)
      first.run.open()
      first.put('a1')
      first.feed.watermark(10).barrier(1)
      const second = byHand(tolerant as never, new HandRun(), late)
      second.run.open(first.run.complete(1))
      second.feed.watermark(11)
      expect(second.out.seen).toEqual(['w11'])
      second.put('a2')
      expect(second.out.records.map(({ value }) => value)).toEqual(['a1+a2'])
    })
  })

  test('keys and windows stay apart, composite keys included', () => {
    const counts = window('counts', { assigner: tens, aggregate: countRecords(), result: (count, { key, start }) => [key, start, count] })
    const first = handFed(counts).start(true)
    first.run.open()
    first.record(0, 1, ['a', 1]).record(0, 2, ['a', '1']).record(0, 3, ['a', 1]).record(0, 11, ['a', 1]).barrier(1)
    const run = new HandRun()
    const second = handFed(counts, run).start(true)
    run.open(first.run.complete(1))
    second.record(0, 4, ['a', 1]).end()
    expect(second.out.records.map(({ value }) => value)).toEqual([
      [['a', 1], 0, 3],
      [['a', '1'], 0, 1],
      [['a', 1], 10, 1],
    ])
  })

  test('an accumulator that is changed in place fails where it happens', () => {
    const pushing: Aggregate<string, string[], string> = {
      create: () => [],
      add: (list, text) => {
        list.push(text)
        return list
      },
      result: (list) => list.join('+'),
    }
    const { put, run } = byHand(window('pushing', { assigner: tens, aggregate: pushing }) as never)
    run.open()
    put('a1')
    expect(run.failures).toEqual([])
    put('a2')
    expect(run.failures).toEqual([expect.any(TypeError)])
  })

  test('the accumulator is stored with the codec that is given', () => {
    const averages = window('averages', { assigner: tens, aggregate: mean((n: number) => n), state: t.type({ sum: t.number, count: t.number }) })
    const first = handFed(averages).start(true)
    first.run.open()
    first.record(1, 1, 'k').record(2, 2, 'k').barrier(1)
    const checkpoint = first.run.complete(1)
    const run = new HandRun()
    const second = handFed(averages, run).start(true)
    run.open(checkpoint)
    second.record(6, 3, 'k').end()
    expect(second.out.records.map(({ value }) => value)).toEqual([3])
    const other = new HandRun()
    handFed(window('averages', { assigner: tens, aggregate: countRecords(), state: t.number }), other).start(true)
    expect(() => other.open(checkpoint)).toThrow(expect.objectContaining({ code: 'CODEC_MISMATCH' }))
  })

  test('bounded disorder is no lateness', async () => {
    const disorder = (source: Stream<string>) =>
      source.pipe(assignTimestamps({ timestamp: at, watermarks: boundedOutOfOrderness({ delayMs: 5 }) }), keyBy(keyOf), lists)
    expect(await collect(disorder(of('a8', 'a12', 'a9', 'a14', 'a7', 'a15', 'a6').pipe(records())))).toEqual([
      'a 0-10 a8+a9+a7',
      'a 10-20 a12+a14+a15',
    ])
  })
})
