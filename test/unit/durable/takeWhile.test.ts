import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { takeWhile } from '../../../operators/durable/takeWhile.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<number, number>({
  operator: takeWhile('small', (n) => n < 10),
  one: [1, [1]],
  many: [
    [1, 2, 3],
    [1, 2, 3],
  ],
  throwing: (error) =>
    takeWhile('small', () => {
      throw error
    }),
})

describe('takeWhile', () => {
  test('ends with the value that fails the test; inclusive, behind it', async () => {
    expect(
      await collect(
        of(1, 5, 1).pipe(
          records(),
          takeWhile('small', (n) => n < 3),
        ),
      ),
    ).toEqual([1])
    expect(
      await collect(
        of(1, 5, 1).pipe(
          records(),
          takeWhile('small', (n) => n < 3, true),
        ),
      ),
    ).toEqual([1, 5])
  })

  test('the test is told the index, after a restore too', () => {
    const three = takeWhile('three', (_value: string, index: number) => index < 3)
    const second = continued(begun(three).records('a', 'b'), three)
    expect(second.records('c', 'd', 'e').out.seen).toEqual(['c', 'wInfinity', 'end'])
  })

  test('in a job the end goes on at once and once, and a restored run ends at once', () => {
    const small = takeWhile('small', (n: number) => n < 3)
    const first = begun(small).records(1, 5, 1)
    expect(first.out.seen).toEqual([1, 'wInfinity', 'end'])
    expect(continued(first, small).record(1).out.seen).toEqual(['wInfinity', 'end'])
  })

  test('takes of each key until one of that key fails', async () => {
    const numbers = [
      { key: 'a', n: 1 },
      { key: 'a', n: 5 },
      { key: 'b', n: 2 },
      { key: 'a', n: 1 },
    ]
    const small = takeWhile('small', { ttl: { afterMs: 1_000 } }, ({ n }: { n: number }) => n < 3)
    expect(
      await collect(
        of(...numbers).pipe(
          records(),
          keyBy(({ key }) => key),
          small,
        ),
      ),
    ).toEqual([numbers[0], numbers[2]])
  })

  test('of a key that has expired values are taken again', () => {
    const fed = begun(
      takeWhile('small', { ttl: { afterMs: 10, time: 'event' } }, (n: number) => n < 3),
      true,
    )
    fed.record(5, 0, 'a').record(1, 1, 'a').watermark(10).record(2, 11, 'a')
    expect(fed.out.records.map(({ value }) => value)).toEqual([2])
  })
})
