import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { collect } from '../../../operators/collect.js'
import { distinctUntilChanged } from '../../../operators/durable/distinctUntilChanged.js'
import { keyBy } from '../../../operators/keyBy.js'
import { records } from '../../../operators/records.js'
import { begun, continued } from '../../support/continued.js'
import { operatorCases } from '../../support/operatorCases.js'

operatorCases<string, string>({
  operator: distinctUntilChanged('changes'),
  one: ['a', ['a']],
  many: [
    ['a', 'a', 'b', 'b', 'a'],
    ['a', 'b', 'a'],
  ],
  throwing: (error) =>
    distinctUntilChanged('changes', () => {
      throw error
    }),
})

describe('distinctUntilChanged', () => {
  test('compares with the last value that went on, by the comparator', async () => {
    const near = (a: number, b: number): boolean => Math.abs(a - b) < 3
    expect(await collect(of(1, 2, 3, 4, 5, 9).pipe(records(), distinctUntilChanged('near', near)))).toEqual([1, 4, 9])
  })

  test('compares what is selected, and keeps only that', () => {
    const operator = distinctUntilChanged(
      'rooms',
      { value: t.string },
      (a, b) => a === b,
      ({ room }: { room: string; at: number }) => room,
    )
    const second = continued(begun(operator).records({ room: 'hall', at: 1 }), operator)
    expect(second.records({ room: 'hall', at: 2 }, { room: 'attic', at: 3 }).out.seen).toEqual([{ room: 'attic', at: 3 }])
  })

  test('the first value goes on whatever it is, undefined too', () => {
    const operator = distinctUntilChanged<undefined>('changes')
    const first = begun(operator).records(undefined, undefined)
    expect(first.out.seen).toEqual([undefined])
    expect(continued(first, operator).records(undefined).out.seen).toEqual([])
  })

  test('compares within a key', async () => {
    interface Lamp {
      readonly lamp: number
      readonly on: boolean
    }
    const onOff = distinctUntilChanged('state', (a: Lamp, b: Lamp) => a.on === b.on)
    const lamps: Lamp[] = [
      { lamp: 1, on: true },
      { lamp: 2, on: true },
      { lamp: 1, on: true },
      { lamp: 2, on: false },
    ]
    expect(
      await collect(
        of(...lamps).pipe(
          records(),
          keyBy(({ lamp }) => lamp),
          onOff,
        ),
      ),
    ).toEqual([lamps[0], lamps[1], lamps[3]])
  })

  test('a key that has expired begins anew', () => {
    const fed = begun(distinctUntilChanged('changes', { ttl: { afterMs: 10, time: 'event' } }), true)
    fed.record('x', 0, 'a').record('x', 5, 'a').watermark(10).record('x', 11, 'a')
    expect(fed.out.records.map(({ timestamp }) => timestamp)).toEqual([0, 11])
  })
})
