import { expect, test } from 'vitest'
import { tapValues } from '../../operators/tapValues.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: tapValues(() => undefined),
  one: [4, [4]],
  many: [
    [1, 2, 3],
    [1, 2, 3],
  ],
  throwing: (error) =>
    tapValues(() => {
      throw error
    }),
})

test('sees value, key and event time before anybody behind it does', () => {
  const log: unknown[] = []
  const fed = handFed((source) =>
    source.pipe(
      tapValues((value: number, { key, timestamp }) => log.push([value, key, timestamp])),
      tapValues((value) => log.push(value)),
    ),
  ).start(true)
  fed.record(1, 10, 'a').watermark(10).record(2, undefined, 'b')
  expect(log).toEqual([[1, 'a', 10], 1, [2, 'b', undefined], 2])
})
