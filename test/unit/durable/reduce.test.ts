import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../../backends/memory/memorySink.js'
import { memorySource } from '../../../backends/memory/memorySource.js'
import { memory } from '../../../backends/memory/memoryStorage.js'
import { collect } from '../../../operators/collect.js'
import { reduce } from '../../../operators/durable/reduce.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun } from '../../support/continued.js'
import { ran, settled, testJob, watched } from '../../support/jobs.js'
import { operatorCases } from '../../support/operatorCases.js'

const add = (sum: number, n: number): number => sum + n

operatorCases<number, number>({
  operator: reduce('sum', add, 0),
  none: [0],
  one: [1, [1]],
  many: [[1, 2, 3], [6]],
  onlyAtEnd: true,
  throwing: (error) =>
    reduce(
      'sum',
      () => {
        throw error
      },
      0,
    ),
})

describe('reduce', () => {
  test('without a seed nothing comes of no values, and the first is the first accumulation', async () => {
    expect(await collect(EMPTY.pipe(records(), reduce('sum', add)))).toEqual([])
    expect(await collect(of(5).pipe(records(), reduce('sum', add)))).toEqual([5])
  })

  test('has a result for each key that came, in the order in which they came, and none for no key', async () => {
    const words = reduce('words', (all: string, word: string) => all + word, '>')
    const first = keyBy((word: string) => word.charAt(0))
    expect(await collect(of('b1', 'a1', 'b2').pipe(records(), first, words))).toEqual(['>b1b2', '>a1'])
    expect(await collect(EMPTY.pipe(records(), first, words))).toEqual([])
  })

  test('a result carries its key, and no event time', () => {
    const fed = begun(reduce('sum', add, 0), true)
    fed.record(1, 5, 'a').end()
    expect(fed.out.records).toEqual([{ value: 1, timestamp: undefined, key: 'a' }])
  })

  test('a key that has expired has no result', () => {
    const fed = begun(reduce('sum', { ttl: { afterMs: 10, time: 'event' } }, add, 0), true)
    fed.record(1, 0, 'a').record(1, 8, 'b').watermark(12).end()
    expect(fed.out.records.map(({ key }) => key)).toEqual(['b'])
  })

  test('what a drain has emitted is not emitted again: each record counts in one result', async () => {
    const storage = memory()
    const input = memorySource([1, 2], { bounded: false })
    const out = memorySink<number>()
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(reduce('sum', add, 0), sink('out', out)), { storage })
    const run = watched(job)
    await settled()
    await run.stop({ drain: true })
    expect(out.committed).toEqual([3])
    input.push(10, 20)
    input.end()
    await ran(job)
    expect(out.committed).toEqual([3, 30])
  })

  test('a job that has ended ends again without a result', async () => {
    const storage = memory()
    const input = memorySource([1, 2])
    const out = memorySink<number>()
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(reduce('sum', add, 0), sink('out', out)), { storage })
    await ran(job)
    await ran(job)
    expect(out.committed).toEqual([3])
  })

  test('a stop without a drain emits nothing, and a later run has all of it', async () => {
    const input = memorySource([1, 2], { bounded: false })
    const out = memorySink<number>()
    const { job } = testJob(({ source, sink }) => source('in', input).pipe(reduce('sum', add, 0), sink('out', out)), { storage: memory() })
    const run = watched(job)
    await settled()
    await run.stop()
    expect(out.committed).toEqual([])
    input.push(10)
    input.end()
    await ran(job)
    expect(out.committed).toEqual([13])
  })
})
