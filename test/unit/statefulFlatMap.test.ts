import * as t from 'io-ts'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/codec.js'
import { collect } from '../../operators/collect.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { statefulFlatMap } from '../../operators/statefulFlatMap.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

/** Emits values of one key in pairs. */
const pairs = statefulFlatMap('pairs', { state: t.string }, (waiting, word: string) =>
  waiting === undefined ? [word, []] : [undefined, [`${waiting}${word}`]],
)

operatorCases<string, string>({
  operator: (source) =>
    source.pipe(
      keyBy((word) => word.charAt(0)),
      pairs,
    ),
  one: ['a1', []],
  many: [
    ['a1', 'b1', 'a2', 'a3', 'b2', 'b3'],
    ['a1a2', 'b1b2'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      keyBy((word) => word),
      statefulFlatMap('pairs', { state: t.string }, (): readonly [string, string[]] => {
        throw error
      }),
    ),
})

describe('statefulFlatMap', () => {
  test('emits none, one or many of any iterable', async () => {
    const repeat = statefulFlatMap('repeat', { state: t.number, initial: 0 }, (n, word: string) => [
      n + 1,
      new Set(Array.from({ length: n }, (_, at) => `${word}${at}`)),
    ])
    expect(
      await collect(
        of('a', 'a', 'a').pipe(
          records(),
          keyBy((word) => word),
          repeat,
        ),
      ),
    ).toEqual(['a0', 'a0', 'a1'])
  })

  test('the state is stored before the results go on: a failing iterable fails the stream', async () => {
    const mine = new Error('mine')
    const failing = statefulFlatMap('failing', { state: t.number, initial: 0 }, (n, _word: string) => [
      n + 1,
      (function* () {
        yield 'first'
        throw mine
      })(),
    ])
    await expect(
      collect(
        of('a').pipe(
          records(),
          keyBy((word) => word),
          failing,
        ),
      ),
    ).rejects.toBe(mine)
  })

  test('results keep key and event time', () => {
    const twice = statefulFlatMap('twice', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, [word, word]])
    const fed = handFed(twice).start(true)
    fed.run.open()
    fed.record('x', 5, 'k')
    expect(fed.out.records).toEqual([
      { value: 'x', timestamp: 5, key: 'k' },
      { value: 'x', timestamp: 5, key: 'k' },
    ])
  })

  test('on a stream without keys it is an error that says what to write', async () => {
    await expect(collect(pairs(of('a').pipe(records()) as never))).rejects.toMatchObject({ code: 'STREAM_NOT_KEYED', details: { uid: 'pairs' } })
  })

  test('a step that changes its initial state in place fails at the first touch', () => {
    const fed = handFed(
      statefulFlatMap('push', { state: json<number[]>(), initial: [] }, (list, n: number) => {
        list.push(n)
        return [list, [list.length]]
      }),
      new HandRun(),
    ).start(true)
    fed.run.open()
    fed.record(1, undefined, 'a')
    expect(fed.run.failures).toEqual([expect.any(TypeError)])
  })

  test('refuses a uid that is no name', () => {
    expect(() => statefulFlatMap('a b', { state: t.number, initial: 0 }, (n, _value: string) => [n, []])).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID' }),
    )
  })
})
