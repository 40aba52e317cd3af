import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { count } from '../../../operators/durable/count.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, number>({
  operator: count('all'),
  none: [0],
  one: ['a', [1]],
  many: [['a', 'b', 'c'], [3]],
  onlyAtEnd: true,
  throwing: (error) =>
    count('some', () => {
      throw error
    }),
})

describe('count', () => {
  test('counts what passes a test, which is told the index', async () => {
    expect(
      await collect(
        of('a', 'b', 'c', 'd').pipe(
          records(),
          count('even', (_value, index) => index % 2 === 0),
        ),
      ),
    ).toEqual([2])
  })

  test('the index goes on after a restore', () => {
    const even = count('even', (_value: string, index: number) => index % 2 === 0)
    const second = continued(begun(even).records('a', 'b', 'c'), even)
    expect(
      second
        .records('d', 'e')
        .end()
        .out.records.map(({ value }) => value),
    ).toEqual([3])
  })

  test('counts each key; one of which nothing passes has none', async () => {
    const long = count('long', { ttl: { afterMs: 1_000 } }, (word: string) => word.length > 1)
    expect(
      await collect(
        of('a', 'bb', 'b', 'a').pipe(
          records(),
          keyBy((word) => word.charAt(0)),
          long,
        ),
      ),
    ).toEqual([0, 1])
  })
})
