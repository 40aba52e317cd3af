import * as t from 'io-ts'
import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { countEvictor } from '../../lib/window/countEvictor.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import type { FirstOrSecond } from '../../lib/window/firstOrSecond.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { purging } from '../../lib/window/purging.js'
import { session } from '../../lib/window/session.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { type CoGroupOptions, coGroup } from '../../operators/coGroup.js'
import { collect } from '../../operators/collect.js'
import { fromSide } from '../../operators/fromSide.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const each = () => ({ assigner: globalWindow(), trigger: purging(countTrigger(1)) })

operatorCases<string, string>({
  operator: (source) =>
    EMPTY.pipe(
      records(),
      keyBy((): 'x' => 'x'),
      coGroup('group', source.pipe(keyBy((): 'x' => 'x')), { ...each(), emits: emits<string>() }, (a: readonly string[], b, _window, emit) =>
        emit(`${a.length} ${b.join('')}`),
      ),
    ),
  one: ['a', ['0 a']],
  many: [
    ['a', 'b'],
    ['0 a', '0 b'],
  ],
  throwing: (error) => (source) =>
    source.pipe(
      keyBy((): 'x' => 'x'),
      coGroup(
        'throws',
        EMPTY.pipe(
          records(),
          keyBy((): 'x' => 'x'),
        ),
        each(),
        () => {
          throw error
        },
      ),
    ),
  inside: false,
})

const late = sideOutput<FirstOrSecond<string, string>>('late')

function grouped(options: Partial<CoGroupOptions<string, string>> = {}, run = new HandRun()) {
  const a = new HandFeed(run)
  const b = new HandFeed(run)
  const stream = coGroup(
    'group',
    b.stream,
    { assigner: tumbling({ sizeMs: 10 }), late, ...options, emits: emits<string>() },
    (first: readonly string[], second: readonly string[], { key, start, end }, emit) =>
      emit(`${key} ${start}-${end} ${first.join('+')}|${second.join('+')}`),
  )(a.stream as never)
  const out = noted(stream)
  const tooLate = noted(stream.pipe(fromSide(late)))
  return {
    a,
    b,
    out,
    tooLate,
    run,
    begin(from?: Parameters<HandRun['open']>[0]) {
      a.start(true, 'a')
      b.start(true, 'b')
      run.open(from)
    },
  }
}

describe('coGroup', () => {
  test('groups the records of both streams per key and window; a side may be empty; results have the last time', () => {
    const { a, b, out, begin } = grouped()
    begin()
    a.record('a', 1, 'k').record('o', 2, 'only a').record('next', 12, 'k')
    b.record('x', 9, 'k').record('y', 3, 'k').record('p', 4, 'only b')
    a.record('b', 5, 'k').watermark(9)
    expect(out.seen).toEqual([])
    b.watermark(9)
    expect(out.records.toSorted((one, two) => `${one.key}`.localeCompare(`${two.key}`))).toEqual([
      { value: 'k 0-10 a+b|x+y', timestamp: 9, key: 'k' },
      { value: 'only a 0-10 o|', timestamp: 9, key: 'only a' },
      { value: 'only b 0-10 |p', timestamp: 9, key: 'only b' },
    ])
    a.end()
    b.end()
    expect(out.records.slice(3).map(({ value, timestamp }) => [value, timestamp])).toEqual([['k 10-20 next|', 19]])
  })

  test('records too late for their window go to the side output, and say which stream they are from', () => {
    const { a, b, out, tooLate, begin } = grouped({ allowedLatenessMs: 5 })
    begin()
    a.record('a', 1, 'k').watermark(9)
    b.watermark(9).record('x', 2, 'k')
    expect(out.seen).toEqual(['k 0-10 a|', 'w9', 'k 0-10 a|x'])
    a.watermark(14).record('b', 1, 'k')
    b.watermark(13).record('y', 2, 'k').watermark(14)
    a.record('c', 1, 'k')
    b.record('z', 2, 'k')
    expect(out.seen.slice(3)).toEqual(['k 0-10 a+b|x', 'w13', 'k 0-10 a+b|x+y', 'w14'])
    expect(tooLate.records.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      [{ from: 'first', value: 'c' }, 1],
      [{ from: 'second', value: 'z' }, 2],
    ])
  })

  test('triggers and evictors look at the records of both streams together', () => {
    const { a, b, out, begin } = grouped({ assigner: globalWindow(), trigger: countTrigger(3), evictor: countEvictor(2) })
    begin()
    a.record('a', 1, 'k').record('b', 1, 'k')
    b.record('x', 1, 'k').record('y', 1, 'k')
    a.record('c', 1, 'k').record('d', 1, 'k')
    expect(out.seen).toEqual(['k -Infinity-Infinity b|x', 'k -Infinity-Infinity c+d|'])
  })

  test('a record of one stream joins the sessions of the other, and an assigner sees where a record is from', () => {
    const { a, b, out, begin } = grouped({ assigner: session({ gapMs: 10 }) })
    begin()
    a.record('a', 0, 'k').record('b', 15, 'k')
    b.record('x', 8, 'k')
    a.watermark(30)
    b.watermark(30)
    expect(out.seen).toEqual(['k 0-25 a+b|x', 'w30'])
    const dynamic = grouped({ assigner: session({ gapOf: ({ from }: FirstOrSecond<string, string>) => (from === 'first' ? 5 : 50) }) })
    dynamic.begin()
    dynamic.a.record('a', 0, 'k').watermark(99)
    dynamic.b.record('x', 9, 'k').watermark(99)
    expect(dynamic.out.seen).toEqual(['k 0-5 a|', 'k 9-59 |x', 'w99'])
  })

  test.each([
    ['plain data', {}],
    ['codecs', { first: t.string, second: t.string }],
  ])('what windows hold is there after a restore, with %s', (_name, codecs) => {
    const first = grouped(codecs)
    first.begin()
    first.a.record('a', 1, 'k').barrier(1).record('behind', 1, 'k')
    first.b.record('x', 1, 'k').barrier(1)
    const second = grouped(codecs)
    second.begin(first.run.complete(1))
    second.b.record('y', 2, 'k').watermark(9)
    second.a.record('b', 2, 'k').watermark(9)
    expect(second.out.seen).toEqual(['k 0-10 a+b|x+y', 'w9'])
  })

  test('what was stored is read by the codec of its stream', () => {
    const first = grouped()
    first.begin()
    first.a.record('a', 1, 'k').barrier(1)
    first.b.record('x', 1, 'k').barrier(1)
    const checkpoint = first.run.complete(1)
    const refused = grouped({ second: t.literal('other') as never })
    expect(() => refused.begin(checkpoint)).toThrow(
      expect.objectContaining({ code: 'CODEC_MISMATCH', details: expect.objectContaining({ uid: 'group' }) }),
    )
    expect(() => grouped({ first: t.string }).begin(checkpoint)).not.toThrow()
  })

  test('records without event time, and streams without keys, are refused', async () => {
    const { a, run, begin } = grouped()
    begin()
    expect(() => a.record('a', undefined, 'k')).not.toThrow()
    expect(run.failures).toMatchObject([{ code: 'TIMESTAMP_INVALID', details: { uid: 'group' } }])
    const unkeyed = of('x').pipe(records())
    const keyed = of('a').pipe(
      records(),
      keyBy(() => 'k'),
    )
    for (const [one, two] of [
      [keyed, unkeyed],
      [unkeyed, keyed],
    ])
      await expect(collect(coGroup('u', two as never, each(), () => {})(one as never))).rejects.toMatchObject({ code: 'STREAM_NOT_KEYED' })
  })

  test('its uid and its options are checked where it is called', () => {
    const call = (uid: string, allowedLatenessMs: number) => () => coGroup(uid, EMPTY as never, { ...each(), allowedLatenessMs }, () => {})
    expect(call('', 0)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(call('u', -1)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
