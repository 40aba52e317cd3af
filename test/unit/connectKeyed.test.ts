import * as t from 'io-ts'
import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { listState } from '../../lib/state/listState.js'
import { collect } from '../../operators/collect.js'
import { connectKeyed } from '../../operators/connectKeyed.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { type FedStream, HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: (source) =>
    EMPTY.pipe(
      records(),
      keyBy((): 'x' => 'x'),
      connectKeyed(
        'join',
        source.pipe(keyBy((): 'x' => 'x')),
        { state: {}, emits: emits<string>() },
        {
          onFirst() {},
          onSecond(word: string, { emit }) {
            emit(word)
          },
        },
      ),
    ),
  one: ['a', ['a']],
  many: [
    ['a', 'b'],
    ['a', 'b'],
  ],
  inside: false,
})

/** Every pair of a word of the first and a word of the second stream of one key. */
const pairs = (second: FedStream) =>
  connectKeyed(
    'pairs',
    second,
    { state: { first: listState(t.string), second: listState(t.string) }, emits: emits<string>() },
    {
      onFirst(word: string, { state, emit }) {
        state.first.add(word)
        for (const other of state.second) emit(word + other)
      },
      onSecond(word: string, { state, emit, timers, timestamp }) {
        state.second.add(word)
        for (const other of state.first) emit(other + word)
        if (timestamp !== undefined) timers.eventTime(timestamp + 1)
      },
      onTimer(at, { key, emit }) {
        emit(`${key}@${at}`)
      },
    },
  )

function connected(run = new HandRun()) {
  const a = new HandFeed(run)
  const b = new HandFeed(run)
  const out = noted(pairs(b.stream)(a.stream as never))
  return {
    a,
    b,
    out,
    run,
    begin(from?: Parameters<HandRun['open']>[0]) {
      a.start(true, 'a')
      b.start(true, 'b')
      run.open(from)
    },
  }
}

describe('connectKeyed', () => {
  test('both streams share the state of a key', () => {
    const { a, b, out, begin } = connected()
    begin()
    a.record('a', undefined, 1)
    b.record('x', undefined, 1).record('y', undefined, 2)
    a.record('b', undefined, 1)
    expect(out.seen).toEqual(['ax', 'bx'])
  })

  test('the state is there after a restore, and what was behind the barrier is not in it', () => {
    const first = connected()
    first.begin()
    first.a.record('a', undefined, 1).barrier(1).record('late', undefined, 1)
    first.b.record('x', undefined, 1).barrier(1)
    expect(first.out.seen).toEqual(['ax', '#1', 'latex'])
    const second = connected()
    second.begin(first.run.complete(1))
    second.b.record('y', undefined, 1)
    expect(second.out.seen).toEqual(['ay'])
  })

  test('an input that comes back from idleness with an older watermark holds event time back', () => {
    const { a, b, out, begin } = connected()
    begin()
    b.record('x', 5, 1).idle()
    a.watermark(10)
    b.watermark(3)
    a.watermark(12)
    b.watermark(20)
    expect(out.seen).toEqual(['1@6', 'w10', 'w12'])
  })

  test('says which input event time waits for', () => {
    const { a, run, begin } = connected()
    begin()
    a.watermark(10)
    const [time] = [...run.participants.values()].map((participant) => participant.eventTime())
    expect(time).toEqual({
      uid: 'pairs',
      watermark: Number.NEGATIVE_INFINITY,
      idle: false,
      inputs: [
        { path: 'a', watermark: 10, idle: false },
        { path: 'b', watermark: Number.NEGATIVE_INFINITY, idle: false },
      ],
    })
  })

  test('a stream without keys is refused', async () => {
    const unkeyed = connectKeyed('u', of('x').pipe(records()) as never, { state: {} }, { onFirst() {}, onSecond() {} })
    await expect(
      collect(
        of('a').pipe(
          records(),
          keyBy(() => 'k'),
          unkeyed,
        ),
      ),
    ).rejects.toMatchObject({ code: 'STREAM_NOT_KEYED', details: { uid: 'u' } })
  })
})
