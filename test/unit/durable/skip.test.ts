import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { skip } from '../../../operators/durable/skip.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: skip('first', 1),
  one: ['a', []],
  many: [
    ['a', 'b', 'c'],
    ['b', 'c'],
  ],
})

describe('skip', () => {
  test('skips so many of each key', async () => {
    expect(
      await collect(
        of('a1', 'b1', 'a2', 'b2').pipe(
          records(),
          keyBy((word) => word.charAt(0)),
          skip('first', 1),
        ),
      ),
    ).toEqual(['a2', 'b2'])
  })

  test('less than one is none, and then nothing is kept', () => {
    const fed = begun(skip('none', -1), true)
    fed.record('a', undefined, 'a').barrier(1)
    expect(fed.out.seen).toEqual(['a', '#1'])
    expect(fed.run.acknowledged[0]?.snapshot.tables.map(({ rows }) => rows)).toEqual([0])
  })

  test('a key that has expired is skipped anew', () => {
    const fed = begun(skip('first', { ttl: { afterMs: 10, time: 'event' } }, 1), true)
    fed.record(1, 0, 'a').record(2, 1, 'a').watermark(10).record(3, 11, 'a').record(4, 12, 'a')
    expect(fed.out.records.map(({ value }) => value)).toEqual([2, 4])
  })

  test('a count that is no number is refused', () => {
    for (const count of [Number.NaN, 1.5, undefined as never])
      expect(() => skip('first', count)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
