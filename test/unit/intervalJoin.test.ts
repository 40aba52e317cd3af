import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import type { OperatorUid } from '../../lib/identity.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { EntryTable } from '../../lib/state/entryTable.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { fromSide } from '../../operators/fromSide.js'
import { type IntervalJoinOptions, intervalJoin } from '../../operators/intervalJoin.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: (source) => {
    const timed = source.pipe(
      assignTimestamps({ timestamp: () => 1, watermarks: boundedOutOfOrderness({ delayMs: 9 }) }),
      keyBy(() => 'k'),
    )
    const first = of('x').pipe(
      records({ timestamp: () => 1 }),
      keyBy(() => 'k'),
    )
    return first.pipe(intervalJoin('join', timed, { lowerMs: 0, upperMs: 0 }, (a: string, b: string) => a + b))
  },
  one: ['a', ['xa']],
  many: [
    ['a', 'b'],
    ['xa', 'xb'],
  ],
  inside: false,
})

const late = sideOutput<string>('late')
type Options = IntervalJoinOptions<string, string, string, string>

function joined(options: Partial<Options> = {}, run = new HandRun()) {
  const a = new HandFeed(run)
  const b = new HandFeed(run)
  const stream = intervalJoin(
    'join',
    b.stream,
    { lowerMs: -1, upperMs: 2, lateFirst: late, ...options },
    (x: string, y: string, { key }) => `${key}:${x}${y}`,
  )(a.stream as never)
  const out = noted(stream)
  const tooLate = noted(stream.pipe(fromSide(late)))
  return {
    a,
    b,
    out,
    tooLate,
    run,
    begin(from?: Parameters<HandRun['open']>[0]) {
      a.start(true, 'a')
      b.start(true, 'b')
      run.open(from)
    },
  }
}

describe('intervalJoin', () => {
  test('pairs lie within the bounds, both included, whichever comes first; results have the later time', () => {
    const { a, b, out, begin } = joined()
    begin()
    a.record('a', 10, 'k')
    for (const at of [8, 9, 10, 12, 13]) b.record(`${at}`, at, 'k')
    b.record('other', 10, 'other')
    a.record('z', 14, 'k')
    expect(out.records.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['k:a9', 10],
      ['k:a10', 10],
      ['k:a12', 12],
      ['k:z13', 14],
    ])
  })

  test('exclusive bounds are left out', () => {
    const { a, b, out, begin } = joined({ lowerExclusive: true, upperExclusive: true })
    begin()
    a.record('a', 10, 'k')
    for (const at of [9, 10, 11, 12]) b.record(`${at}`, at, 'k')
    expect(out.seen).toEqual(['k:a10', 'k:a11'])
  })

  test('a record behind event time is late; event time frees what nobody can join any more', () => {
    const { a, b, out, tooLate, run, begin } = joined()
    begin()
    a.record('a', 10, 'k').watermark(12)
    b.record('b', 10, 'k').watermark(12)
    a.record('late', 11, 'k').record('just', 12, 'k')
    expect(tooLate.records.map(({ value }) => value)).toEqual(['late'])
    b.record('on time', 12, 'k')
    expect(out.seen).toEqual(['k:ab', 'w12', 'k:juston time'])
    a.barrier(1)
    b.barrier(1)
    expect(run.acknowledged.flatMap(({ snapshot }) => snapshot.tables.filter(({ table }) => table === 'first').map(({ rows }) => rows))).toEqual([1])
  })

  test('what waits for a partner is there after a restore', () => {
    const first = joined()
    first.begin()
    first.a.record('a', 10, 'k').barrier(1)
    first.b.record('x', 50, 'k').barrier(1)
    const second = joined()
    second.begin(first.run.complete(1))
    second.b.record('b', 11, 'k')
    second.a.record('y', 50, 'k')
    expect(second.out.seen).toEqual(['k:ab', 'k:yx'])
  })

  test('an earlier checkpoint, with a timer for each record, is read; its timers go', () => {
    const first = joined()
    first.begin()
    first.a.record('a', 10, 'k').barrier(1)
    first.b.record('x', 50, 'k').barrier(1)
    const scope = { uid: 'join', rowsMax: 10, maxParallelism: 128, tracked: true, development: true }
    const timers = new EntryTable<null>({ table: 'eventTimers', state: 'timer', codec: stateCodec(json<null>()) }, scope)
    timers.create('k', 'first', 12, null)
    timers.create('k', 'second', 51, null)
    const frames = new RowFrames()
    timers.capture().encode(frames, 10)
    const checkpoint = first.run.complete(1)
    const former = { uid: 'join' as OperatorUid, table: 'eventTimers', rows: frames.rows, bytes: frames.take() }
    const second = joined()
    second.begin({ ...checkpoint, chunks: [...checkpoint.chunks, former] })
    second.b.record('b', 11, 'k').watermark(12)
    second.a.watermark(12).record('y', 50, 'k').barrier(2)
    second.b.barrier(2)
    expect(second.out.seen).toEqual(['k:ab', 'w12', 'k:yx', '#2'])
    expect(second.run.acknowledged[0]?.snapshot.tables.map(({ table, rows }) => [table, rows])).toEqual([
      ['eventTimers', 2],
      ['first', 2],
      ['second', 0],
    ])
  })

  test('bounds the wrong way round, and records without event time, are refused', () => {
    expect(() => joined({ lowerMs: 3 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    const { a, run, begin } = joined()
    begin()
    a.record('a', undefined, 'k')
    expect(run.failures).toMatchObject([{ code: 'TIMESTAMP_INVALID', details: { uid: 'join' } }])
  })
})
