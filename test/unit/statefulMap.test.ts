import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { codec, json } from '../../lib/codec.js'
import type { Stream } from '../../lib/element.js'
import type { Key } from '../../lib/key.js'
import { collect } from '../../operators/collect.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word}${n + 1}`])

operatorCases<string, string>({
  operator: (source) =>
    source.pipe(
      keyBy((word) => word),
      count,
    ),
  one: ['a', ['a1']],
  many: [
    ['a', 'b', 'a', 'a', 'b'],
    ['a1', 'b1', 'a2', 'a3', 'b2'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      keyBy((word) => word),
      statefulMap('count', { state: t.number, initial: 0 }, (): readonly [number, string] => {
        throw error
      }),
    ),
})

describe('statefulMap', () => {
  test('without initial a state starts as undefined; returning undefined discards it', async () => {
    const toggle = statefulMap('toggle', { state: json<{ on: true }>() }, (state, _value: string) =>
      state === undefined ? [{ on: true } as const, 'on'] : [undefined, 'off'],
    )
    expect(
      await collect(
        of('a', 'a', 'b', 'a').pipe(
          records(),
          keyBy((word) => word),
          toggle,
        ),
      ),
    ).toEqual(['on', 'off', 'on', 'on'])
  })

  test('a discarded state is discarded after a restore as well', () => {
    const toggle = statefulMap('toggle', { state: t.literal(true) }, (state, _value: string) =>
      state === undefined ? [true, 'on'] : [undefined, 'off'],
    )
    const operator = (source: Stream<string>) =>
      source.pipe(
        keyBy((word) => word),
        toggle,
      )
    const first = handFed(operator).start()
    first.run.open()
    first.records('a', 'b').barrier(1)
    first.run.complete(1)
    first.records('a').barrier(2)
    const checkpoint = first.run.complete(2)
    const run = new HandRun()
    const second = handFed(operator, run).start()
    run.open(checkpoint)
    second.records('a', 'b')
    expect(second.out.seen).toEqual(['on', 'off'])
  })

  const keys: readonly Key[] = [
    '',
    'a',
    '\u0000a',
    '\uD800',
    '__proto__',
    '1',
    1,
    0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    true,
    'true',
    false,
    null,
    'null',
    new Date(1),
    ['a', 1],
    ['a', '1'],
    [['a'], 1],
    [],
  ]

  test('keys of every kind keep their state apart, and find it again after a restore', () => {
    const nth = statefulMap('nth', { state: t.number, initial: 0 }, (n, _index: number) => [n + 1, n + 1])
    const operator = (source: Stream<number>) =>
      source.pipe(
        keyBy((index) => keys[index] as Key),
        nth,
      )
    const all = keys.map((_key, index) => index)
    const first = handFed(operator).start()
    first.run.open()
    first.records(...all).barrier(1)
    expect(first.out.records.map(({ value }) => value)).toEqual(keys.map(() => 1))
    const run = new HandRun()
    const second = handFed(operator, run).start()
    run.open(first.run.complete(1))
    second.records(...all)
    expect(second.out.records.map(({ value }) => value)).toEqual(keys.map(() => 2))
  })

  test('records keep key and event time', () => {
    const fed = handFed(count).start(true)
    fed.run.open()
    fed.record('x', 5, 'k')
    expect(fed.out.records).toEqual([{ value: 'x1', timestamp: 5, key: 'k' }])
  })

  test('on a stream without keys it is an error that says what to write', async () => {
    await expect(collect(count(of('a').pipe(records()) as never))).rejects.toMatchObject({
      code: 'STREAM_NOT_KEYED',
      details: { uid: 'count' },
      hint: expect.stringContaining('keyBy'),
    })
  })

  test.each(['', 'a b', 'a/b', '..', 'con', 'x'.repeat(101), 7])('refuses the uid %j', (uid) => {
    expect(() => statefulMap(uid as string, { state: t.number, initial: 0 }, (n, _value: string) => [n, n])).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID' }),
    )
  })

  test('refuses what is no codec', () => {
    expect(() => statefulMap('x', { state: {} as never, initial: 0 }, (n: number, _value: string) => [n, n])).toThrow(
      expect.objectContaining({ code: 'CODEC_INVALID' }),
    )
  })

  test('more keys than limits.rowsMax are an error', () => {
    const fed = handFed(count, new HandRun({ limits: { rowsMax: 2 } })).start(true)
    fed.run.open()
    fed.record('x', undefined, 1).record('x', undefined, 2).record('x', undefined, 1).record('x', undefined, 3)
    expect(fed.run.failures).toMatchObject([{ code: 'STATE_FULL', details: { uid: 'count', rowsMax: 2 } }])
  })

  describe('a step that changes its state in place', () => {
    const push = statefulMap('push', { state: json<number[]>(), initial: [] }, (list, n: number) => {
      list.push(n)
      return [list, list.length]
    })

    test('fails at the first touch, the initial state included', () => {
      const fed = handFed(push).start(true)
      fed.run.open()
      fed.record(1, undefined, 'a')
      expect(fed.run.failures).toEqual([expect.any(TypeError)])
    })

    test('does not fail in production', () => {
      const inProduction = statefulMap('push', { state: json<number[]>() }, (list: number[] | undefined, n: number) => {
        const next = list ?? []
        next.push(n)
        return [next, next.length]
      })
      const fed = handFed(inProduction, new HandRun({ development: false })).start(true)
      fed.run.open()
      fed.record(1, undefined, 'a').record(1, undefined, 'a')
      expect(fed.out.records.map(({ value }) => value)).toEqual([1, 2])
    })
  })

  test('a state that the codec refuses declines the checkpoint, and says whose it is', () => {
    const refusing = codec<number>({
      encode: () => () => 1,
      decode: () => 0,
    })
    const fed = handFed(
      statefulMap('bad', { state: refusing, initial: 0 }, (n, _value: string) => [n + 1, n]),
      new HandRun({ development: false }),
    ).start(true)
    fed.run.open()
    fed.record('x', undefined, 'k').barrier(1)
    expect(() => fed.run.complete(1)).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', details: expect.objectContaining({ uid: 'bad' }) }),
    )
  })

  test('a migration reads what an older version stored', () => {
    const v1 = codec<number>({ version: 1, encode: (n) => n, decode: (n) => n as number })
    const v2 = codec<{ n: number }>({ version: 2, encode: (s) => s, decode: (s) => s as { n: number }, migrations: { 1: (n) => ({ n }) } })
    const first = handFed(statefulMap('total', { state: v1, initial: 0 }, (n, value: number) => [n + value, n + value])).start(true)
    first.run.open()
    first.record(5, undefined, 'k').barrier(1)
    const checkpoint = first.run.complete(1)
    const run = new HandRun()
    const second = handFed(
      statefulMap('total', { state: v2, initial: { n: 0 } }, ({ n }, value: number) => [{ n: n + value }, n + value]),
      run,
    ).start(true)
    run.open(checkpoint)
    second.record(1, undefined, 'k')
    expect(second.out.records[0]?.value).toBe(6)
    const back = new HandRun()
    handFed(
      statefulMap('total', { state: v1, initial: 0 }, (n, value: number) => [n + value, n]),
      back,
    ).start(true)
    second.barrier(2)
    expect(() => back.open(run.complete(2))).toThrow(
      expect.objectContaining({ code: 'STATE_VERSION_UNSUPPORTED', details: expect.objectContaining({ uid: 'total', found: 2 }) }),
    )
  })

  test('a stored state of another shape is CODEC_MISMATCH, and names the uid', () => {
    const first = handFed(count).start(true)
    first.run.open()
    first.record('x', undefined, 'k').barrier(1)
    const run = new HandRun()
    handFed(
      statefulMap('count', { state: t.string, initial: '' }, (s, _value: string) => [s, s]),
      run,
    ).start(true)
    expect(() => run.open(first.run.complete(1))).toThrow(
      expect.objectContaining({ code: 'CODEC_MISMATCH', details: expect.objectContaining({ uid: 'count', version: 1 }) }),
    )
  })
})
