import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { combineLatestWith } from '../../../operators/durable/combineLatestWith.js'
import { records } from '../../../operators/records.js'
import type { FedStream } from '../../support/handFed.js'
import { checkpointOf, joined } from '../../support/joined.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: (source) =>
    of('x').pipe(
      records(),
      combineLatestWith('pair', source, (x, value) => value + x),
    ),
  one: ['a', ['ax']],
  many: [
    ['a', 'b'],
    ['ax', 'bx'],
  ],
  throwing: (error) => (source) =>
    of('x').pipe(
      records(),
      combineLatestWith('pair', source, () => {
        throw error
      }),
    ),
  inside: false,
})

const pair = (first: FedStream, other: FedStream) => combineLatestWith('pair', other)(first)

describe('combineLatestWith', () => {
  test('the latest values survive, and each new one meets them', () => {
    const before = joined(pair)
    before.inputs[0]?.record('a', 1).record('b', 2)
    const { inputs, out } = joined(pair, { from: checkpointOf(before) })
    inputs[1]?.record('x', 1)
    inputs[0]?.record('c', 7)
    inputs[1]?.record('y')
    expect(out.records).toEqual([
      { value: ['b', 'x'], timestamp: 2, key: undefined },
      { value: ['c', 'x'], timestamp: 7, key: undefined },
      { value: ['c', 'y'], timestamp: undefined, key: undefined },
    ])
  })

  test('values meet whose keys are the same', () => {
    const { inputs, out } = joined(pair, { keyed: true })
    inputs[0]?.record('a1', 1, 'a')
    inputs[1]?.record('b2', 2, 'b').record('a2', 3, 'a')
    expect(out.records).toEqual([{ value: ['a1', 'a2'], timestamp: 3, key: 'a' }])
  })

  test('several others: nothing until all have brought one; undefined is a value', () => {
    const { inputs, out } = joined((first, ...others) => combineLatestWith('triple', others)(first), { inputs: 3 })
    inputs[0]?.record(1)
    inputs[2]?.record(undefined)
    expect(out.seen).toEqual([])
    inputs[1]?.record(2)
    expect(out.seen).toEqual([[1, 2, undefined]])
  })

  test('ends when all have ended', () => {
    const { inputs, out } = joined(pair)
    inputs[0]?.record('a').end()
    inputs[1]?.record('x').end().complete()
    inputs[0]?.complete()
    expect(out.seen).toEqual([['a', 'x'], 'wInfinity', 'end'])
    expect(out.ending).toBe('complete')
  })

  test('a value that has expired is forgotten', () => {
    const { inputs, out } = joined((first, other) => combineLatestWith('pair', other, { ttl: { afterMs: 10, time: 'event' } })(first))
    inputs[0]?.record('a', 0)
    for (const input of inputs) input.watermark(20)
    inputs[1]?.record('x', 21)
    expect(out.seen).toEqual(['w20'])
  })

  test('what expires outlives the drain of a job', () => {
    const brief = (first: FedStream, other: FedStream) => combineLatestWith('pair', other, { ttl: { afterMs: 10, time: 'event' } })(first)
    const before = joined(brief)
    before.inputs[0]?.record('a', 5).watermark(6).end(true)
    before.inputs[1]?.watermark(6).end(true)
    const { inputs, out } = joined(brief, { from: checkpointOf(before) })
    inputs[1]?.record('x', 7)
    expect(out.seen).toEqual([['a', 'x']])
  })

  test('options are checked when the operator is made', () => {
    expect(() => combineLatestWith('', of(1).pipe(records()))).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(() => combineLatestWith('pair', of(1).pipe(records()), { ttl: { afterMs: 0 } })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
