import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sideOutput } from '../../lib/sideOutput.js'
import { sliceWidth } from '../../lib/window/slicedMachine.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { window } from '../../operators/window.js'
import { fedWindow, joined } from '../support/fedWindow.js'

const late = sideOutput<string>('late')
const { merge: _merge, ...unmergeable } = joined.aggregate
const inOrder = (list: string): string => list.split('+').sort().join('+')

/** The same windows, sharing slices and each by itself. */
const both = (assigner: ReturnType<typeof sliding>, allowedLatenessMs = 0) => {
  const result = (list: string, { key, start, end }: { key: unknown; start: number; end: number }) =>
    `${String(key)} ${start}-${end} ${inOrder(list)}`
  const common = { assigner, allowedLatenessMs, late, result }
  return [window('shared', { ...common, aggregate: joined.aggregate }), window('alone', { ...common, aggregate: unmergeable })] as const
}

describe('sliding windows', () => {
  test.each([
    [10, 5, 5],
    [10, 4, 2],
    [60_000, 1_000, 1_000],
    [10, 10, undefined],
    [2, 5, undefined],
    [3_600_001, 1_000, undefined],
  ])('of %i ms every %i ms share slices of %s ms', (sizeMs, slideMs, widthMs) => {
    expect(sliceWidth(sliding({ sizeMs, slideMs }))).toBe(widthMs)
  })

  test.each(['shared', 'alone'])('emit each window once, the oldest first (%s)', (way) => {
    const { put, took, watermark, out } = fedWindow(both(sliding({ sizeMs: 10, slideMs: 5 }))[way === 'shared' ? 0 : 1])
    put('a1', 'a7', 'b7', 'a12')
    watermark(4)
    expect(took()).toEqual(['a -5-5 a1'])
    watermark(9)
    expect((took() as string[]).sort()).toEqual(['a 0-10 a1+a7', 'b 0-10 b7'])
    watermark(100)
    expect((took() as string[]).sort()).toEqual(['a 10-20 a12', 'a 5-15 a12+a7', 'b 5-15 b7'])
    expect(out.records.map(({ timestamp }) => timestamp)).toEqual([4, 9, 9, 14, 14, 19])
  })

  test.each(['shared', 'alone'])('a record that missed some of its windows goes to the others, and is not late (%s)', (way) => {
    const { put, took, watermark, late: aside } = fedWindow(both(sliding({ sizeMs: 10, slideMs: 5 }))[way === 'shared' ? 0 : 1], { late })
    watermark(9)
    put('a7', 'a3')
    watermark(14)
    expect(took()).toEqual(['a 5-15 a7'])
    expect(aside?.records.map(({ value }) => value)).toEqual(['a3'])
  })

  test('records in the gaps are in no window: they vanish, and only those behind event time are late', () => {
    const gaps = window('gaps', { assigner: sliding({ sizeMs: 2, slideMs: 5 }), late, ...joined })
    const { put, took, watermark, late: aside } = fedWindow(gaps, { late })
    put('a1', 'a3', 'a6')
    watermark(10)
    put('a9', 'a14')
    watermark(50)
    expect(took()).toEqual(['a 0-2 a1', 'a 5-7 a6'])
    expect(aside?.records.map(({ value }) => value)).toEqual(['a9'])
  })

  const event = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -40, max: 60 })).map(([key, at]) => `${key}${at}`) },
    { weight: 1, arbitrary: fc.integer({ min: -40, max: 80 }) },
    { weight: 1, arbitrary: fc.constant('restore' as const) },
  )
  const sizes = fc.constantFrom([10, 5], [10, 4], [9, 6], [7, 3], [12, 1]).chain(([sizeMs, slideMs]) =>
    fc.record({
      sizeMs: fc.constant(sizeMs as number),
      slideMs: fc.constant(slideMs as number),
      offsetMs: fc.integer({ min: 1 - (slideMs as number), max: (slideMs as number) - 1 }),
    }),
  )

  test('sharing slices changes no result, whatever comes late and wherever it is restored', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0, 3, 25), fc.array(event, { maxLength: 40, size: 'max' }), (options, lateness, events) => {
        const steps = both(sliding(options), lateness).map((operator) => {
          let fed = fedWindow(operator, { late })
          let watermark = Number.NEGATIVE_INFINITY
          let restored = false
          const found: unknown[] = []
          for (const each of [...events, 1_000]) {
            if (each === 'restore') {
              // A hand-fed run keeps one checkpoint.
              if (restored) continue
              restored = true
              fed = fedWindow(operator, { late, from: fed.checkpoint() })
            } else if (typeof each === 'number') fed.watermark((watermark = Math.max(watermark, each)))
            else fed.put(each)
            found.push(fed.took().sort(), fed.late?.records.length)
          }
          return found
        })
        expect(steps[0]).toEqual(steps[1])
      }),
      { numRuns: 200 },
    )
  })

  test('what was stored in other slices is refused, not misread', () => {
    const first = fedWindow(both(sliding({ sizeMs: 10, slideMs: 5 }))[0])
    first.put('a1')
    const checkpoint = first.checkpoint()
    for (const other of [sliding({ sizeMs: 20, slideMs: 5 }), sliding({ sizeMs: 10, slideMs: 2 }), tumbling({ sizeMs: 10 })])
      expect(() => fedWindow(both(other)[0], { from: checkpoint })).toThrow(expect.objectContaining({ code: 'STATE_KIND_CHANGED' }))
  })
})
