import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { codec } from '../../../lib/codec.js'
import { collect } from '../../../operators/collect.js'
import { scan } from '../../../operators/durable/scan.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

const add = (sum: number, n: number): number => sum + n

operatorCases<number, number>({
  operator: scan('sum', add, 0),
  one: [1, [1]],
  many: [
    [1, 2, 3],
    [1, 3, 6],
  ],
  throwing: (error) =>
    scan(
      'sum',
      () => {
        throw error
      },
      0,
    ),
})

describe('scan', () => {
  test('without a seed the first value is the first accumulation, and the next index is 1', async () => {
    const seen: unknown[] = []
    const text = scan<string>('text', (before, value, index) => {
      seen.push(index)
      return before + value
    })
    expect(await collect(of('a', 'b', 'c').pipe(records(), text))).toEqual(['a', 'ab', 'abc'])
    expect(seen).toEqual([1, 2])
  })

  test('a seed may be undefined', async () => {
    const first = scan('first', (before: string | undefined, value: string) => before ?? value, undefined)
    expect(await collect(of('a', 'b').pipe(records(), first))).toEqual(['a', 'a'])
  })

  test('an accumulation may be undefined, and survives as such', () => {
    const operator = scan(
      'undefined',
      (before: undefined | number, _value: number, index: number) => (index === 0 ? undefined : (before ?? index)),
      7,
    )
    expect(continued(begun(operator).record(1), operator).record(2).out.seen).toEqual([1])
  })

  test('accumulates for each key, with an index for each', async () => {
    const numbered = scan('numbered', (_before: string, value: string, index: number) => `${value}${index}`, '')
    expect(
      await collect(
        of('a', 'b', 'a', 'a').pipe(
          records(),
          keyBy((value) => value),
          numbered,
        ),
      ),
    ).toEqual(['a0', 'b0', 'a1', 'a2'])
  })

  test('state is read back by its codec', () => {
    const operator = scan('sum', { state: t.number }, add, 0)
    const text = scan('sum', { state: t.string }, (before: string, n: number) => `${before}${n}`, '')
    expect(() => continued(begun(operator).record(3), text)).toThrow(expect.objectContaining({ code: 'CODEC_MISMATCH' }))
  })

  test('a codec that changed reads what its older version wrote', () => {
    const old = scan('sum', { state: codec({ encode: (n: number) => n, decode: Number }) }, add, 0)
    const cents = codec({
      version: 2,
      encode: (n: number) => [n],
      decode: (stored) => (stored as [number])[0],
      migrations: { 1: (n) => [(n as number) * 100] },
    })
    expect(continued(begun(old).record(3), scan('sum', { state: cents }, add, 0)).record(1).out.seen).toEqual([301])
  })

  test('a key whose state has expired begins anew', () => {
    const fed = begun(scan('sum', { ttl: { afterMs: 10, time: 'event' } }, add, 0), true)
    fed.record(1, 0, 'a').record(1, 9, 'a').watermark(24).record(1, 25, 'a')
    expect(fed.out.records.map(({ value }) => value)).toEqual([1, 2, 1])
  })

  test('a drain emits nothing and forgets nothing: a later run goes on with the accumulation', () => {
    const total = scan('sum', add, 0)
    const first = begun(total).record(1).end(true)
    expect(continued(first, total).record(2).out.seen).toEqual([3])
  })

  test('an accumulation that is changed in place fails where that happens', async () => {
    const push = scan(
      'list',
      (list: number[], n: number) => {
        list.push(n)
        return list
      },
      [],
    )
    await expect(collect(of(1).pipe(records(), push))).rejects.toThrow(TypeError)
  })

  test('options are checked when the operator is made', () => {
    expect(() => scan('sum', { ttl: { afterMs: 0 } }, add, 0)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    expect(() => scan('sum', { state: {} as never }, add, 0)).toThrow(expect.objectContaining({ code: 'CODEC_INVALID' }))
    expect(() => scan('', add, 0)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })
})
