import { expect, test } from 'vitest'
import { filterValues } from '../../operators/filterValues.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: filterValues((n) => n % 2 === 1),
  one: [4, []],
  many: [
    [1, 2, 3, 4, 5],
    [1, 3, 5],
  ],
  throwing: (error) =>
    filterValues(() => {
      throw error
    }),
})

test('records that do not pass vanish; no control element does', () => {
  const fed = handFed(filterValues((n: number) => n > 100)).start(true)
  fed.record(1, 10, 'a').watermark(9).idle().barrier(1).record(200, 20, 'b').end()
  expect(fed.out.seen).toEqual(['w9', 'idle', '#1', 200, 'wInfinity', 'end'])
  expect(fed.out.records).toEqual([{ value: 200, timestamp: 20, key: 'b' }])
})
