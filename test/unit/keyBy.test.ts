import { expect, test } from 'vitest'
import type { Key } from '../../lib/key.js'
import { keyBy } from '../../operators/keyBy.js'
import { handFed } from '../support/handFed.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<string, string>({
  operator: keyBy((word: string) => word.length),
  one: ['a', ['a']],
  many: [
    ['a', 'bb', 'a'],
    ['a', 'bb', 'a'],
  ],
  throwing: (error) =>
    keyBy((): string => {
      throw error
    }),
})

test.each<readonly [Key, Key]>([
  ['ada', 'ada'],
  ['', ''],
  [1.5, 1.5],
  [-0, 0],
  [Number.NaN, Number.NaN],
  [12n, 12n],
  [true, true],
  [null, null],
  [new Date(5), new Date(5)],
  [
    ['a', -0, [null]],
    ['a', 0, [null]],
  ],
])('the key of %o is %o', (selected, expected) => {
  const fed = handFed(keyBy(() => selected)).start()
  fed.record('value', 7)
  expect(fed.out.records).toEqual([{ value: 'value', timestamp: 7, key: expected }])
})

test('a key that is changed afterwards stays as it was', () => {
  const selected = ['a']
  const fed = handFed(keyBy(() => selected)).start()
  fed.record('value')
  selected[0] = 'b'
  expect(fed.out.records[0]?.key).toEqual(['a'])
})

test.each([undefined, {}, () => 1, Symbol('s'), new Map(), [undefined], new Date(Number.NaN)])('refuses %s as a key', (key) => {
  const fed = handFed(keyBy(() => key as never)).start()
  fed.record('value')
  expect(fed.run.failures).toMatchObject([{ code: 'KEY_INVALID', name: 'StreamError' }])
})

test('the last keyBy counts', () => {
  const fed = handFed((source) =>
    source.pipe(
      keyBy((value: string) => value.length),
      keyBy((value) => value),
    ),
  ).start()
  fed.record('abc')
  expect(fed.out.records[0]?.key).toBe('abc')
})
