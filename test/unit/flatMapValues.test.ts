import { expect, test } from 'vitest'
import { flatMapValues } from '../../operators/flatMapValues.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: flatMapValues((line) => (line === '' ? [] : line.split(' '))),
  one: ['to be', ['to', 'be']],
  many: [
    ['to be', '', 'or not'],
    ['to', 'be', 'or', 'not'],
  ],
  throwing: (error) =>
    flatMapValues(() => {
      throw error
    }),
})

operatorCases<string, string>({
  operator: flatMapValues((line) => line.split(' ')),
  one: ['to', ['to']],
  many: [['to be'], ['to', 'be']],
  throwing: (error) =>
    flatMapValues(function* (line) {
      yield line
      throw error
    }),
})

test('each result keeps the key and the event time', () => {
  const fed = handFed(flatMapValues((n: number) => [n, n + 1])).start(true)
  fed.record(1, 10, 'a').barrier(1)
  expect(fed.out.records).toEqual([
    { value: 1, timestamp: 10, key: 'a' },
    { value: 2, timestamp: 10, key: 'a' },
  ])
})
