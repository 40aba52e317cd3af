import { expect, test } from 'vitest'
import { mapValues } from '../../operators/mapValues.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: mapValues((n) => n * 2),
  one: [4, [8]],
  many: [
    [1, 2, 3],
    [2, 4, 6],
  ],
  throwing: (error) =>
    mapValues(() => {
      throw error
    }),
})

test('key and event time stay, and control elements pass in their place', () => {
  const fed = handFed(mapValues((n: number) => -n)).start(true)
  fed.record(1, 10, 'a').watermark(9).idle().idle(false).record(2, 20, 'b').end()
  expect(fed.out.records).toEqual([
    { value: -1, timestamp: 10, key: 'a' },
    { value: -2, timestamp: 20, key: 'b' },
  ])
  expect(fed.out.seen).toEqual([-1, 'w9', 'idle', 'active', -2, 'wInfinity', 'end'])
})
