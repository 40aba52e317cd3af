import { EMPTY, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { keyBy } from '../../operators/keyBy.js'
import { records } from '../../operators/records.js'
import { windowJoin } from '../../operators/windowJoin.js'
import { HandFeed, noted } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'
import { operatorCases } from '../support/operatorCases.js'

const second = of('x').pipe(
  records(),
  keyBy((): 'k' => 'k'),
)

operatorCases<string, string>({
  operator: (source) =>
    second.pipe(
      windowJoin('join', source.pipe(keyBy((): 'k' => 'k')), { assigner: globalWindow(), trigger: countTrigger(1) }, (a: string, b: string) => a + b),
    ),
  one: ['a', ['xa']],
  many: [
    ['a', 'b'],
    ['xa', 'xa', 'xb'],
  ],
  throwing: (error) => (source) =>
    second.pipe(
      windowJoin('throws', source.pipe(keyBy((): 'k' => 'k')), { assigner: globalWindow(), trigger: countTrigger(1) }, () => {
        throw error
      }),
    ),
  inside: false,
})

function joined(assigner: ReturnType<typeof tumbling> = tumbling({ sizeMs: 10 }), run = new HandRun()) {
  const a = new HandFeed(run)
  const b = new HandFeed(run)
  const join = windowJoin('join', b.stream, { assigner }, (x: string, y: string, { key, start }) => `${key}${start} ${x}${y}`)
  const out = noted(join(a.stream as never))
  return {
    a,
    b,
    out,
    run,
    begin(from?: Parameters<HandRun['open']>[0]) {
      a.start(true, 'a')
      b.start(true, 'b')
      run.open(from)
    },
    watermark(timestampMs: number) {
      a.watermark(timestampMs)
      b.watermark(timestampMs)
      return out.seen
    },
  }
}

describe('windowJoin', () => {
  test('every pair of a key and window, with its last time; what has no partner gives none', () => {
    const { a, b, out, begin, watermark } = joined()
    begin()
    a.record('a', 1, 'k').record('b', 9, 'k').record('c', 10, 'k').record('d', 1, 'l')
    b.record('x', 3, 'k').record('y', 4, 'k').record('z', 1, 'm')
    expect(watermark(30)).toEqual(['k0 ax', 'k0 ay', 'k0 bx', 'k0 by', 'w30'])
    expect(out.records.map(({ timestamp, key }) => [timestamp, key])).toEqual(Array.from({ length: 4 }, () => [9, 'k']))
  })

  test('a pair is joined in each window that both are in', () => {
    const { a, b, begin, watermark } = joined(sliding({ sizeMs: 10, slideMs: 5 }))
    begin()
    a.record('a', 6, 'k')
    b.record('x', 7, 'k').record('y', 12, 'k')
    expect(watermark(30)).toEqual(['k0 ax', 'k5 ax', 'k5 ay', 'w30'])
  })

  test('what waits for the end of its window is there after a restore', () => {
    const first = joined()
    first.begin()
    first.a.record('a', 1, 'k').barrier(1)
    first.b.record('x', 1, 'k').barrier(1)
    const again = joined()
    again.begin(first.run.complete(1))
    again.b.record('y', 2, 'k')
    expect(again.watermark(9)).toEqual(['k0 ax', 'k0 ay', 'w9'])
  })

  test('its uid is checked where it is called', () => {
    expect(() => windowJoin('', EMPTY as never, { assigner: globalWindow() }, () => 0)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })
})
