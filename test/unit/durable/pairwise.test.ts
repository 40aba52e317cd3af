import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { collect } from '../../../operators/collect.js'
import { pairwise } from '../../../operators/durable/pairwise.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, [string, string]>({
  operator: pairwise('pairs'),
  one: ['a', []],
  many: [
    ['a', 'b', 'c'],
    [
      ['a', 'b'],
      ['b', 'c'],
    ],
  ],
})

describe('pairwise', () => {
  test('pairs within a key', async () => {
    expect(
      await collect(
        of('a1', 'b1', 'a2', 'b2').pipe(
          records(),
          keyBy((word) => word.charAt(0)),
          pairwise('pairs'),
        ),
      ),
    ).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
    ])
  })

  test('a value is read back by its codec, and may be undefined', () => {
    const operator = pairwise('pairs', { value: z.object({ n: z.number() }) })
    const second = continued(begun(operator).record({ n: 1 }), operator)
    expect(second.record({ n: 2 }).out.seen).toEqual([[{ n: 1 }, { n: 2 }]])
    const plain = continued(begun(pairwise('pairs')).record(undefined), pairwise('pairs'))
    expect(plain.record(null).out.seen).toEqual([[undefined, null]])
  })

  test('a key that has expired begins anew', () => {
    const fed = begun(pairwise('pairs', { ttl: { afterMs: 10, time: 'event' } }), true)
    fed.record(1, 0, 'a').watermark(10).record(2, 11, 'a').record(3, 12, 'a')
    expect(fed.out.records.map(({ value }) => value)).toEqual([[2, 3]])
  })
})
