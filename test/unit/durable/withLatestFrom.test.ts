import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memory, memorySink, memorySource } from '../../../backends/memory/index.js'
import { withLatestFrom } from '../../../operators/durable/withLatestFrom.js'
import { records } from '../../../operators/records.js'
import type { FedStream } from '../../support/handFed.js'
import { ran, testJob } from '../../support/jobs.js'
import { checkpointOf, joined } from '../../support/joined.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: withLatestFrom('none', [], (value: string) => value),
  one: ['a', ['a']],
  many: [
    ['a', 'b'],
    ['a', 'b'],
  ],
  throwing: (error) =>
    withLatestFrom('none', [], () => {
      throw error
    }),
})

const prices = (first: FedStream, other: FedStream) => withLatestFrom('prices', other)(first)

describe('withLatestFrom', () => {
  test('the latest values survive; what comes before them is left out', () => {
    const before = joined(prices)
    before.inputs[0]?.record('early', 1)
    before.inputs[1]?.record('x', 9).record('y', 10)
    const { inputs, out } = joined(prices, { from: checkpointOf(before) })
    inputs[0]?.record('a', 2)
    inputs[1]?.record('z', 3)
    inputs[0]?.record('b', 4)
    expect(out.records).toEqual([
      { value: ['a', 'y'], timestamp: 2, key: undefined },
      { value: ['b', 'z'], timestamp: 4, key: undefined },
    ])
  })

  test('values meet whose keys are the same', () => {
    const { inputs, out } = joined(prices, { keyed: true })
    inputs[1]?.record('of a', 1, 'a')
    inputs[0]?.record('b1', 2, 'b').record('a1', 3, 'a')
    expect(out.records).toEqual([{ value: ['a1', 'of a'], timestamp: 3, key: 'a' }])
  })

  test('several others, and a projection', () => {
    const { inputs, out } = joined((first, ...others) => withLatestFrom('all', others, (...all: string[]) => all.join('-'))(first), { inputs: 3 })
    inputs[1]?.record('m')
    inputs[0]?.record('early')
    inputs[2]?.record('x')
    inputs[0]?.record('a')
    expect(out.seen).toEqual(['a-m-x'])
  })

  test('ends with the first stream, and keeps nothing', () => {
    const before = joined(prices)
    before.inputs[1]?.record('x')
    before.inputs[0]?.record('a').end()
    before.inputs[1]?.record('y')
    expect(before.out.seen).toEqual([['a', 'x'], 'wInfinity', 'end'])
    const { out } = joined(prices, { from: checkpointOf(before) })
    expect(out.seen).toEqual(['wInfinity', 'end'])
    const other = joined(prices)
    other.inputs[1]?.end()
    expect(other.out.seen).toEqual([])
  })

  test('a job ends with the first source, however long the other one goes on', async () => {
    const out = memorySink<string>()
    const { job } = testJob(
      ({ source, sink }) =>
        source('words', memorySource(['a', 'b'])).pipe(
          withLatestFrom('prices', source('endless', memorySource([1], { bounded: false })), (word, _n) => word),
          sink('out', out),
        ),
      { storage: memory() },
    )
    await ran(job)
    const { length } = out.committed
    await ran(job)
    expect(out.committed).toHaveLength(length)
  })

  test('a value that has expired is forgotten', () => {
    const { inputs, out } = joined((first, other) => withLatestFrom('prices', other, { ttl: { afterMs: 10, time: 'event' } })(first))
    inputs[1]?.record('x', 0)
    for (const input of inputs) input.watermark(20)
    inputs[0]?.record('a', 21)
    expect(out.seen).toEqual(['w20'])
  })

  test('options are checked when the operator is made', () => {
    expect(() => withLatestFrom('', of(1).pipe(records()))).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(() => withLatestFrom('prices', of(1).pipe(records()), { values: [{} as never] })).toThrow(
      expect.objectContaining({ code: 'CODEC_INVALID' }),
    )
  })
})
