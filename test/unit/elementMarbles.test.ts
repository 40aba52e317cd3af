import { deepStrictEqual } from 'node:assert'
import * as t from 'io-ts'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { type ElementMarbles, type ElementMarblesOptions, elementMarbles } from '../../laws/marbles/elementMarbles.js'
import { readDiagram } from '../../laws/marbles/marbles.js'
import { StreamError } from '../../lib/errors.js'
import { countRecords, tumbling } from '../../lib/index.js'
import * as durable from '../../operators/durable/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'

const drawn = (draw: (marbles: ElementMarbles) => void, options?: ElementMarblesOptions): ElementMarbles => {
  const scheduler = new TestScheduler((found, expected) => deepStrictEqual(found, expected))
  let marbles: ElementMarbles | undefined
  scheduler.run((helpers) => {
    marbles = elementMarbles(scheduler, helpers, options)
    draw(marbles)
  })
  return marbles as ElementMarbles
}
const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word}${n + 1}`])
const byWord = keyBy((word: string) => word)

describe('a diagram', () => {
  it.each(['-a-b--(ab)--|', '-a-1-W5-~-+-|', '(aW12b)--W100-2|', 'a 9ms W7 1-|', '  1-2 3ms 4-#'])(
    '%s takes as many frames as it did when it was drawn',
    (diagram) => {
      const frames = (text: string, values?: object) => TestScheduler.parseMarbles(text, values, undefined, false, true).map(({ frame }) => frame)
      const read = readDiagram(diagram)
      // The last notification of both stands in the same frame.
      expect(frames(read[0], read[1]).at(-1)).toBe(frames(diagram).at(-1))
    },
  )

  it('has records, barriers, watermarks and idleness', () => {
    const [text, values] = readDiagram('aW12~+1', { a: 7 })
    expect([...text].filter((letter) => letter !== '-').map((letter) => values[letter])).toEqual([
      7,
      { mark: 'watermark 12' },
      { mark: 'idle' },
      { mark: 'active' },
      { mark: 'barrier 1' },
    ])
  })

  it('takes a name such as __proto__ for no letter of its own', () => {
    expect(Object.keys(readDiagram('ab', { __proto__: { a: 1 } } as never)[1])).toHaveLength(2)
  })
})

describe('elements in marbles', () => {
  it('pass an operator with its barriers and its event time', () => {
    drawn(({ cold, expectElements }) => {
      const source = cold(' -a-b-1-a-W5-~-+-(bW9)-2-|')
      const expected = '    -c-d-1-e-W5-~-+-(fW9)-2-|'
      expectElements(source.pipe(byWord, count)).toBe(expected, { c: 'a1', d: 'b1', e: 'a2', f: 'b2' })
    })
  })

  it('are told apart from what was expected', () => {
    const wrong = (expected: string) => () =>
      drawn(({ cold, expectElements }) => expectElements(cold('-a-1-W5-|').pipe(mapValues((word) => word))).toBe(expected))
    expect(wrong('-a-1-W5-|')).not.toThrow()
    expect(wrong('-a-2-W5-|')).toThrow()
    expect(wrong('-a-1-W6-|')).toThrow()
    expect(wrong('-1-a-W5-|')).toThrow()
    expect(wrong('-a-1-W5--|')).toThrow()
  })

  it('show how a junction holds back what is behind a barrier', () => {
    drawn(({ cold, hot, expectElements }) => {
      const left = cold('  -a-1-b--------|')
      const right = hot('  --d-----1---e---|')
      const expected = '   -ad-----(1b)e---|'
      expectElements(left.pipe(union(right))).toBe(expected)
    })
  })

  it('show windows by their watermarks, and what is left at the end', () => {
    drawn(({ cold, expectElements }) => {
      const records = { values: { a: 1, b: 5, c: 12 }, timestamp: (at: number) => at, key: () => 'all' }
      const source = cold(' -a-b-c-1-W9---|', records)
      const expected = '    -------1-(dW9)(e|)'
      expectElements(source.pipe(window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }))).toBe(expected, { d: 2, e: 1 })
    })
  })

  it('wait by the clock of the scheduler', () => {
    drawn(({ cold, expectElements }) => {
      const source = cold(' ab--1--W5--c 9ms |')
      const expected = '    ----1b-W5------c 5ms |'
      expectElements(source.pipe(durable.debounceTime('typed', { dueMs: 4 }))).toBe(expected)
    })
  })

  it('are an error where the source is one', () => {
    drawn(({ cold, expectElements }) => expectElements(cold('-a-1-#').pipe(byWord, count)).toBe('-c-1-#', { c: 'a1' }))
  })

  it('begin with what an earlier diagram has kept', () => {
    const source = '-a-1-a-|'
    const before = drawn(({ cold, expectElements }) => expectElements(cold(source).pipe(byWord, count)).toBe('-c-1-d-|', { c: 'a1', d: 'a2' }))
    drawn(({ cold, expectElements }) => expectElements(cold('-a-|').pipe(byWord, count)).toBe('-d-|', { d: 'a2' }), { from: before.snapshot(1) })
    expect(() => before.snapshot(2)).toThrow('barrier 2')
  })

  it('refuse a barrier that comes twice', () => {
    drawn(({ cold, expectElements }) =>
      expectElements(cold('-1-1-|').pipe(byWord, count)).toBe(
        '-1-#',
        {},
        new StreamError('BARRIER_REPEATED', { operator: 'keyBy', found: 1, expected: 'above 1' }),
      ),
    )
  })
})
