import { EMPTY, of, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { json } from '../../lib/codec.js'
import { collect } from '../../operators/collect.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

operatorCases<number, number>({
  operator: (source) => EMPTY.pipe(records(), union(source)),
  one: [1, [1]],
  many: [
    [1, 2, 3],
    [1, 2, 3],
  ],
  inside: false,
})

/** Two inputs fed by hand. */
function junction(run = new HandRun(), keyed = false) {
  const a = new HandFeed(run)
  const b = new HandFeed(run)
  const out = noted(a.stream.pipe(union(b.stream)))
  const begin = (): void => {
    a.start(keyed, 'a')
    b.start(keyed, 'b')
    run.open()
  }
  return { a, b, out, run, begin }
}

describe('union', () => {
  test('joins any number of streams, none included', async () => {
    expect(await collect(of(1).pipe(records(), union(of('b').pipe(records()), of('c').pipe(records()))))).toEqual([1, 'b', 'c'])
    expect(await collect(of(1).pipe(records(), union()))).toEqual([1])
  })

  test('an error of any input is the error of the stream', async () => {
    const mine = new Error('mine')
    await expect(collect(of(1).pipe(records(), union(throwError(() => mine).pipe(records()))))).rejects.toBe(mine)
  })

  test('nothing passes before all inputs have started', () => {
    const { a, b, out } = junction()
    a.start()
    a.record('a')
    expect(out.seen).toEqual([])
    b.start()
    expect(out.seen).toEqual(['a'])
  })

  test('a barrier leaves when both inputs have delivered it; what is behind it waits', () => {
    const { a, b, out, begin } = junction()
    begin()
    a.records('a1').barrier(1).records('a2')
    b.records('b1')
    expect(out.seen).toEqual(['a1', 'b1'])
    b.barrier(1).records('b2')
    expect(out.seen).toEqual(['a1', 'b1', '#1', 'a2', 'b2'])
  })

  test('the stream has keys when all inputs have', () => {
    const run = new HandRun()
    const a = new HandFeed(run)
    const b = new HandFeed(run)
    const count = statefulMap('count', { state: json<number>(), initial: 0 }, (n, _value: unknown) => [n + 1, n + 1])
    noted(count(a.stream.pipe(union(b.stream))))
    a.start(true)
    b.start(false)
    expect(run.failures).toMatchObject([{ code: 'STREAM_NOT_KEYED' }])
  })

  test('event time is that of the slowest input', () => {
    const { a, b, out, begin } = junction()
    begin()
    a.watermark(10)
    b.watermark(5)
    b.watermark(20)
    a.watermark(15)
    expect(out.seen).toEqual(['w5', 'w10', 'w15'])
  })

  test('an idle input holds nobody back', () => {
    const { a, b, out, begin } = junction()
    begin()
    a.watermark(10)
    b.idle()
    expect(out.seen).toEqual(['w10'])
    a.idle()
    expect(out.seen).toEqual(['w10', 'idle'])
    b.idle(false)
    b.watermark(12)
    expect(out.seen).toEqual(['w10', 'idle', 'active', 'w12'])
  })

  test('ends when all inputs have, and is drained when one was', () => {
    const { a, b, out, begin } = junction()
    begin()
    a.end()
    expect(out.seen).toEqual([])
    b.end(true)
    expect(out.seen).toEqual(['wInfinity', 'drained'])
    a.complete()
    expect(out.ending).toBeUndefined()
    b.complete()
    expect(out.ending).toBe('complete')
  })

  test('an input that has ended still delivers barriers', () => {
    const { a, b, out, begin } = junction()
    begin()
    a.end().barrier(1)
    b.record('b').barrier(1).record('c')
    expect(out.seen).toEqual(['b', '#1', 'c'])
  })

  test('remembers the event time of each input', () => {
    const first = junction()
    first.begin()
    first.a.watermark(10)
    first.b.watermark(5)
    first.a.barrier(1)
    first.b.barrier(1)
    const run = new HandRun()
    const second = junction(run)
    second.a.start(false, 'a')
    second.b.start(false, 'b')
    run.open(first.run.complete(1))
    second.b.watermark(8)
    expect(second.out.seen).toEqual(['w8'])
    second.b.watermark(12)
    expect(second.out.seen).toEqual(['w8', 'w10'])
  })

  test('a stream of a job and one of records() do not go together', () => {
    const a = new HandFeed(new HandRun())
    const out = noted(a.stream.pipe(union(of(1).pipe(records()) as never)))
    a.start()
    expect(out.ending).toMatchObject({ error: { code: 'SOURCE_NOT_REPLAYABLE' } })
  })

  test('streams with and without keys are told apart by the types', () => {
    const plain = of(1).pipe(records())
    const keyed = plain.pipe(keyBy((n) => n))
    // @ts-expect-error the keys of the inputs differ
    const joined = plain.pipe(union(keyed))
    expect(joined).toBeDefined()
  })
})
