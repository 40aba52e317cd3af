import * as t from 'io-ts'
import { EMPTY } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { valueState } from '../../lib/state/valueState.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { keyBy } from '../../operators/keyBy.js'
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
})
