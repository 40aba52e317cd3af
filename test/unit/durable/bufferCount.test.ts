import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../../backends/memory/memorySink.js'
import { memorySource } from '../../../backends/memory/memorySource.js'
import { memory } from '../../../backends/memory/memoryStorage.js'
import { collect } from '../../../operators/collect.js'
import { bufferCount } from '../../../operators/durable/bufferCount.js'
import { keyBy } from '../../../operators/keyBy.js'
import { mapValues } from '../../../operators/mapValues.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { ran, settled, testJob, watched } from '../../support/jobs.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<number, number[]>({
  operator: bufferCount('pairs', 2),
  one: [1, [[1]]],
  many: [
    [1, 2, 3, 4, 5],
    [[1, 2], [3, 4], [5]],
  ],
})

describe('bufferCount', () => {
  test('buffers overlap, and every open one is emitted at the end', async () => {
    expect(await collect(of(1, 2, 3, 4).pipe(records(), bufferCount('three', 3, 1)))).toEqual([[1, 2, 3], [2, 3, 4], [3, 4], [4]])
  })

  test('between buffers values are left out', async () => {
    expect(await collect(of(1, 2, 3, 4, 5, 6, 7).pipe(records(), bufferCount('gaps', 2, 3)))).toEqual([[1, 2], [4, 5], [7]])
  })

  test('buffers within a key, with the key and the event time of the last value', () => {
    const fed = begun(bufferCount('pairs', 2), true)
    fed.record(1, 1, 'a').record(2, 2, 'b').record(3, 3, 'a').end()
    expect(fed.out.records).toEqual([
      { value: [1, 3], timestamp: 3, key: 'a' },
      { value: [2], timestamp: undefined, key: 'b' },
    ])
  })

  test('what is buffered is read back by its codec, at its place', () => {
    const operator = bufferCount('overlap', { value: t.type({ n: t.number }) }, 3, 2)
    const values = [1, 2, 3, 4, 5].map((n) => ({ n }))
    const second = continued(begun(operator).records(...values.slice(0, 4)), operator)
    expect(second.record(values[4]).end().out.seen).toEqual([values.slice(2), 'wInfinity', values.slice(4), 'end'])
  })

  test('a result that is changed behind it changes nothing that is still buffered', async () => {
    const backwards = mapValues((values: number[]) => values.reverse())
    expect(await collect(of(1, 2, 3).pipe(records(), bufferCount('overlap', 2, 1), backwards))).toEqual([[2, 1], [3, 2], [3]])
  })

  test('a drain emits what is open, once; behind it the first value opens a buffer', async () => {
    const input = memorySource([1, 2, 3], { bounded: false })
    const out = memorySink<number[]>()
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(bufferCount('pairs', 2), sink('out', out)), { storage: memory() })
    const run = watched(job)
    await settled()
    await run.stop({ drain: true })
    expect(out.committed).toEqual([[1, 2], [3]])
    input.push(4, 5, 6)
    input.end()
    await ran(job)
    await ran(job)
    expect(out.committed).toEqual([[1, 2], [3], [4, 5], [6]])
  })

  test('sizes below one are refused', () => {
    expect(() => bufferCount('none', 0)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => bufferCount('none', 2, 0)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => bufferCount('none', undefined as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('two thousand values in one buffer are stored and read back', async () => {
    const operator = bufferCount('many', 2_000)
    const values = Array.from({ length: 2_000 }, (_, n) => n)
    const second = continued(begun(operator).records(...values.slice(0, 1_999)), operator)
    expect(second.record(1_999).out.seen).toEqual([values])
    expect(
      await collect(
        of(...values).pipe(
          records(),
          keyBy(() => 1),
          operator,
        ),
      ),
    ).toEqual([values])
  })
})
