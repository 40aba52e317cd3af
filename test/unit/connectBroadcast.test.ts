import * as t from 'io-ts'
import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { Stream } from '../../lib/element.js'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { valueState } from '../../lib/state/valueState.js'
import { collect } from '../../operators/collect.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { records } from '../../operators/records.js'
import { type FedStream, HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: (source) =>
    EMPTY.pipe(
      records(),
      keyBy(() => 'x'),
      connectBroadcast(
        'rules',
        source,
        { broadcast: {}, emits: emits<string>() },
        {
          onBroadcast(word: string, { emit }) {
            emit(word)
          },
          onRecord() {},
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

const noRules: Stream<string> = EMPTY.pipe(records())
const above = sideOutput<number>('above')

/** Two actions in a row, as the current pattern has them. */
const patterns = (rules: FedStream) =>
  connectBroadcast(
    'patterns',
    rules,
    {
      broadcast: { pattern: mapState(t.string, t.tuple([t.string, t.string])) },
      state: { last: valueState(t.string), seen: listState(t.string) },
      emits: emits<string>(),
    },
    {
      onBroadcast(rule: [string, string] | 'forget', { broadcast, applyToKeyedState, emit }) {
        if (rule !== 'forget') return broadcast.pattern.put('current', rule)
        const keys: unknown[] = []
        applyToKeyedState('seen', (key, seen) => {
          keys.push(key, seen.size)
          seen.clear()
        })
        return emit(`forgot ${keys.join(' ')}`)
      },
      onRecord(action: string, { broadcast, state, key, emit }) {
        const rule = broadcast.pattern.get('current')
        if (rule !== undefined && state.last.value() === rule[0] && action === rule[1]) emit(`${key} ${action}`)
        state.last.update(action)
        state.seen.add(action)
      },
    },
  )

function connected(run = new HandRun()) {
  const data = new HandFeed(run)
  const rules = new HandFeed(run)
  const out = noted(patterns(rules.stream)(data.stream as never))
  return {
    data,
    rules,
    out,
    run,
    begin(from?: Parameters<HandRun['open']>[0]) {
      data.start(true, 'data')
      rules.start(false, 'rules')
      run.open(from)
    },
  }
}

describe('connectBroadcast', () => {
  test('a rule holds for every key, until the next one', () => {
    const { data, rules, out, begin } = connected()
    begin()
    rules.record(['login', 'pay'])
    data.record('login', 0, 'ada').record('login', 0, 'bob').record('pay', 0, 'ada')
    rules.record(['login', 'buy'])
    data.record('pay', 0, 'bob').record('login', 0, 'bob').record('buy', 0, 'bob')
    expect(out.seen).toEqual(['ada pay', 'bob buy'])
  })

  test('rules and states are there after a restore', () => {
    const first = connected()
    first.begin()
    first.rules.record(['login', 'pay']).barrier(1)
    first.data.record('login', 0, 'ada').barrier(1)
    const second = connected()
    second.begin(first.run.complete(1))
    second.data.record('pay', 0, 'ada')
    expect(second.out.seen).toEqual(['ada pay'])
  })

  test('the broadcast side visits, and may change, the state of every key', () => {
    const { data, rules, out, begin } = connected()
    begin()
    data.record('x', 0, 'a').record('y', 0, 'b').record('z', 0, 'a')
    rules.record('forget').record('forget')
    expect(out.seen).toEqual(['forgot a 2 b 1', 'forgot '])
  })

  test('without watermarks of its own the rules stream holds event time back, until it is idle', () => {
    const { data, rules, out, begin } = connected()
    begin()
    data.watermark(5)
    expect(out.seen).toEqual([])
    rules.idle()
    expect(out.seen).toEqual(['w5'])
  })

  test('without state and timers the data stream needs no keys; those it has stay', async () => {
    const limits = (rules: FedStream) =>
      connectBroadcast(
        'below',
        rules,
        { broadcast: { limit: valueState(t.number) }, emits: emits<unknown>() },
        {
          onBroadcast(limit: number, { broadcast, emit }) {
            broadcast.limit.update(limit)
            emit('new limit')
          },
          onRecord(n: number, { broadcast, key, emit, emitTo }) {
            if (n <= (broadcast.limit.value() ?? 0)) emit([n, key])
            else emitTo(above, n)
          },
        },
      )
    const fed = (keyed: boolean, from?: Parameters<HandRun['open']>[0]) => {
      const run = new HandRun()
      const [data, rules] = [new HandFeed(run), new HandFeed(run)]
      const stream = limits(rules.stream)(data.stream as never)
      const [out, over] = [noted(stream), noted(stream.pipe(fromSide(above)))]
      data.start(keyed, 'data')
      rules.start(false, 'rules')
      run.open(from)
      return { run, data, rules, out, over }
    }
    const first = fed(false)
    first.rules.record(2).barrier(1)
    first.data.record(1, 7).record(3, 8).barrier(1)
    expect(first.out.records).toEqual([
      { value: 'new limit', timestamp: undefined, key: undefined },
      { value: [1, undefined], timestamp: 7, key: undefined },
    ])
    expect(first.over.records).toEqual([{ value: 3, timestamp: 8, key: undefined }])
    const second = fed(true, first.run.complete(1))
    second.data.record(2, 9, 'k').record(5, 9, 'k')
    expect(second.out.records).toEqual([{ value: [2, 'k'], timestamp: 9, key: 'k' }])
    expect(second.over.records).toEqual([{ value: 5, timestamp: 9, key: undefined }])
  })

  test('where the data stream has no keys, what comes out has none', async () => {
    const passing = connectBroadcast(
      'passing',
      noRules,
      { broadcast: {}, emits: emits<string>() },
      { onBroadcast() {}, onRecord: (word: string, { emit }) => emit(word) },
    )
    const counted = processKeyed('counted', { state: {} }, { onRecord() {} })
    await expect(collect(counted(of('a').pipe(records(), passing) as never))).rejects.toMatchObject({
      code: 'STREAM_NOT_KEYED',
      details: { uid: 'counted' },
    })
  })

  test('timers of a key see its state and the rules as they are when they fire, after a restore too', () => {
    const reminders = (rules: FedStream) =>
      connectBroadcast(
        'reminders',
        rules,
        { broadcast: { word: valueState(t.string) }, state: { last: valueState(t.string) }, emits: emits<string>() },
        {
          onBroadcast(word: string, { broadcast }) {
            broadcast.word.update(word)
          },
          onRecord(action: string, { state, timers }) {
            state.last.update(action)
            timers.eventTime(10)
          },
          onTimer(at, { key, state, broadcast, emit }) {
            emit(`${at} ${key} ${state.last.value()} ${broadcast.word.value()}`)
          },
        },
      )
    const begun = (from?: ReturnType<HandRun['complete']>) => {
      const run = new HandRun()
      const [data, rules] = [new HandFeed(run), new HandFeed(run)] as const
      const out = noted((reminders(rules.stream) as (source: unknown) => typeof rules.stream)(data.stream))
      data.start(true, 'data')
      rules.start(false, 'rules')
      run.open(from)
      return { run, data, rules, out }
    }
    const first = begun()
    first.rules.record('early').watermark(20)
    first.data.record('click', 1, 'ann').barrier(1)
    first.rules.barrier(1)
    const next = begun(first.run.complete(1))
    next.rules.record('late')
    next.data.watermark(9)
    expect(next.out.records).toEqual([])
    next.data.watermark(10)
    expect(next.out.records).toMatchObject([{ value: '10 ann click late', key: 'ann' }])
  })

  test.each([
    ['state', { state: {} }, {}],
    ['onTimer', {}, { onTimer() {} }],
  ])('with %s a data stream without keys is refused', async (_name, options, functions) => {
    const stateful = connectBroadcast(
      'stateful',
      noRules,
      { broadcast: {}, ...(options as { state: Record<never, never> }) },
      { onBroadcast() {}, onRecord() {}, ...functions },
    )
    await expect(collect(stateful(of('a').pipe(records()) as never))).rejects.toMatchObject({
      code: 'STREAM_NOT_KEYED',
      details: { uid: 'stateful' },
    })
  })
})
