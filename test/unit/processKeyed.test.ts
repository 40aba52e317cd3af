import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { Stream } from '../../lib/element.js'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { valueState } from '../../lib/state/valueState.js'
import { collect } from '../../operators/collect.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { records } from '../../operators/records.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const everySecond = processKeyed(
  'every-second',
  { state: { seen: valueState(t.number, { initial: 0 }), all: listState(t.string) }, emits: emits<string>() },
  {
    onRecord(word: string, { state, emit }) {
      state.seen.update(state.seen.value() + 1)
      state.all.add(word)
      if (state.seen.value() % 2 === 0) emit([...state.all].join(''))
    },
  },
)

operatorCases<string, string>({
  operator: (source) =>
    source.pipe(
      keyBy((word) => word),
      everySecond,
    ),
  one: ['a', []],
  many: [
    ['a', 'a', 'b', 'a', 'a', 'b'],
    ['aa', 'aaaa', 'bb'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      keyBy((word) => word),
      processKeyed(
        'throws',
        { state: {} },
        {
          onRecord() {
            throw error
          },
        },
      ),
    ),
})

/** Counts per key, and tells the count ten behind the first record of a round. */
const rounds = processKeyed(
  'rounds',
  { state: { count: valueState(t.number, { initial: 0 }), due: valueState(t.number) }, emits: emits<string>() },
  {
    onRecord(_value: string, { state, timers, timestamp = 0 }) {
      state.count.update(state.count.value() + 1)
      if (state.due.value() !== undefined) return
      timers.eventTime(timestamp + 10)
      state.due.update(timestamp + 10)
    },
    onTimer(at, { key, state, emit, domain }) {
      emit(`${key}@${at} ${state.count.value()} ${domain}`)
      state.due.clear()
    },
  },
)

const keyed = (source: Stream<string>) =>
  source.pipe(
    keyBy((word) => word),
    rounds,
  )

describe('processKeyed', () => {
  test('event timers fire in their order before the watermark, with their own event time', () => {
    const fed = handFed(keyed).start()
    fed.run.open()
    fed.record('b', 5).record('a', 1).record('a', 3).watermark(15)
    expect(fed.out.seen).toEqual(['a@11 2 event', 'b@15 1 event', 'w15'])
    expect(fed.out.records.map(({ timestamp, key }) => [timestamp, key])).toEqual([
      [11, 'a'],
      [15, 'b'],
    ])
  })

  test('timers and states of a key are there after a restore', () => {
    const first = handFed(keyed).start()
    first.run.open()
    first.record('a', 1).record('b', 2).barrier(1)
    const run = new HandRun()
    const second = handFed(keyed, run).start()
    run.open(first.run.complete(1))
    second.record('a', 4).watermark(20)
    expect(second.out.seen).toEqual(['a@11 2 event', 'b@12 1 event', 'w20'])
  })

  test('a timer registered twice fires once, a deleted one not at all', () => {
    const twice = processKeyed(
      'twice',
      { state: {}, emits: emits<number>() },
      {
        onRecord(at: number, { timers }) {
          timers.eventTime(at)
          timers.eventTime(at)
          timers.eventTime(at + 1)
          timers.deleteEventTime(at + 1)
          timers.deleteEventTime(at + 2)
        },
        onTimer(at, { emit }) {
          emit(at)
        },
      },
    )
    const fed = handFed(twice).start(true)
    fed.run.open()
    fed.record(5, 1, 'k').watermark(9)
    expect(fed.out.seen).toEqual([5, 'w9'])
  })

  test('a timer that a timer registers, and that is due, joins in', () => {
    const chain = processKeyed(
      'chain',
      { state: {}, emits: emits<string>() },
      {
        onRecord(at: number, { timers }) {
          timers.eventTime(at)
        },
        onTimer(at, { timers, emit }) {
          emit(`${at} at ${timers.watermark}`)
          if (at < 3) timers.eventTime(at + 1)
        },
      },
    )
    const fed = handFed(chain).start(true)
    fed.run.open()
    fed.record(1, 1, 'k').watermark(2).watermark(9)
    expect(fed.out.seen).toEqual(['1 at 2', '2 at 2', 'w2', '3 at 9', 'w9'])
  })

  test('processing-time timers follow the clock, carry no event time, and fire when overdue after a restore', () => {
    const later = processKeyed(
      'later',
      { state: { n: valueState(t.number, { initial: 0 }) }, emits: emits<string>() },
      {
        onRecord(delay: number, { timers }) {
          timers.processingTime(timers.processingMs + delay)
        },
        onTimer(_at, { key, emit, domain }) {
          emit(`${key} ${domain}`)
        },
      },
    )
    const first = handFed(later).start(true)
    first.run.open()
    first.record(100, 1, 'a').record(50, 1, 'b').barrier(1)
    first.run.clock.advance(60)
    expect(first.out.records).toEqual([{ value: 'b processing', timestamp: undefined, key: 'b' }])
    const run = new HandRun()
    run.clock.advance(1_000)
    const second = handFed(later, run).start(true)
    run.open(first.run.complete(1))
    expect(second.out.seen).toEqual(['b processing', 'a processing'])
  })

  test('side outputs need no declaration', async () => {
    const odd = sideOutput<number>('odd')
    const split = processKeyed(
      'split',
      { state: {}, emits: emits<number>() },
      {
        onRecord(n: number, { emit, emitTo }) {
          if (n % 2 === 0) emit(n)
          else emitTo(odd, n)
        },
      },
    )
    const stream = of(1, 2, 3).pipe(
      records(),
      keyBy(() => 'all'),
      split,
    )
    expect(await collect(stream)).toEqual([2])
    expect(await collect(stream.pipe(fromSide(odd)))).toEqual([1, 3])
  })

  test('map state keeps entries apart, and finds them again after a restore', () => {
    const last = processKeyed(
      'last',
      { state: { by: mapState(t.string, t.number) }, emits: emits<string>() },
      {
        onRecord([name, n]: readonly [string, number], { state, emit }) {
          emit(`${name} ${state.by.get(name) ?? 'none'} of ${state.by.size}`)
          if (n < 0) state.by.remove(name)
          else state.by.put(name, n)
        },
      },
    )
    const first = handFed(last).start(true)
    first.run.open()
    first.record(['x', 1], 0, 'k').record(['y', 2], 0, 'k').record(['x', 3], 0, 'k').barrier(1)
    first.run.complete(1)
    first.record(['y', -1], 0, 'k').barrier(2)
    const run = new HandRun()
    const second = handFed(last, run).start(true)
    run.open(first.run.complete(2))
    second.record(['x', 4], 0, 'k').record(['y', 4], 0, 'k').record(['x', 5], 0, 'other')
    expect(second.out.seen).toEqual(['x 3 of 1', 'y none of 1', 'x none of 0'])
  })

  test('null and undefined are no elements of a list', () => {
    const bad = processKeyed(
      'bad',
      { state: { list: listState(t.string) } },
      {
        onRecord(value: string, { state }) {
          state.list.add(value)
        },
      },
    )
    const fed = handFed(bad).start(true)
    fed.run.open()
    fed.record(null, 0, 'k')
    expect(fed.run.failures).toMatchObject([{ code: 'STATE_VALUE_MISSING', details: { uid: 'bad', state: 'list' } }])
  })

  test('a timer at no whole millisecond is refused', () => {
    const bad = processKeyed(
      'bad',
      { state: {} },
      {
        onRecord(at: number, { timers }) {
          timers.eventTime(at)
        },
      },
    )
    const fed = handFed(bad).start(true)
    fed.run.open()
    fed.record(1.5, 0, 'k')
    expect(fed.run.failures).toMatchObject([{ code: 'TIMESTAMP_INVALID' }])
  })
})
