import { describe, expect, test } from 'vitest'
import { countWindow } from '../../lib/window/countWindow.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { session } from '../../lib/window/session.js'
import { sliding } from '../../lib/window/sliding.js'
import { cleanupTime, lastEventTime, timeWindow } from '../../lib/window/timeWindow.js'
import { tumbling } from '../../lib/window/tumbling.js'

const spans = (windows: readonly { readonly start: number; readonly end: number }[]) => windows.map(({ start, end }) => `${start}-${end}`)
const invalid = expect.objectContaining({ code: 'OPTION_INVALID' })

describe('assigners', () => {
  test.each([
    [{ sizeMs: 10 }, 0, ['0-10']],
    [{ sizeMs: 10 }, 9, ['0-10']],
    [{ sizeMs: 10 }, -1, ['-10-0']],
    [{ sizeMs: 10, offsetMs: 3 }, 2, ['-7-3']],
    [{ sizeMs: 10, offsetMs: -3 }, 7, ['7-17']],
  ])('tumbling %j: the moment %i is in %j', (options, moment, windows) => {
    expect(spans(tumbling(options).assign(undefined, moment))).toEqual(windows)
  })

  test.each([
    [{ sizeMs: 10, slideMs: 5 }, 7, ['5-15', '0-10']],
    [{ sizeMs: 10, slideMs: 5 }, -1, ['-5-5', '-10-0']],
    [{ sizeMs: 10, slideMs: 5, offsetMs: -1 }, 4, ['4-14', '-1-9']],
    [{ sizeMs: 5, slideMs: 2 }, 4, ['4-9', '2-7', '0-5']],
    [{ sizeMs: 2, slideMs: 5 }, 1, ['0-2']],
    [{ sizeMs: 2, slideMs: 5 }, 2, []],
  ])('sliding %j: the moment %i is in %j, the newest first', (options, moment, windows) => {
    expect(spans(sliding(options).assign(undefined, moment))).toEqual(windows)
  })

  test('no window starts at -0', () => {
    expect(Object.is(tumbling({ sizeMs: 10 }).startOf(-0), 0)).toBe(true)
    expect(Object.is(sliding({ sizeMs: 10, slideMs: 10, offsetMs: 0 }).startOf(5), 0)).toBe(true)
  })

  test('a session begins as long as its gap, or as the value says', () => {
    expect(spans(session({ gapMs: 10 }).assign('x', 5))).toEqual(['5-15'])
    expect(spans(session({ gapOf: (gap: number) => gap }).assign(3, 5))).toEqual(['5-8'])
  })

  test.each([0, -1, 1.5, Number.NaN])('a gap of %d that a value asks for is an error', (gap) => {
    expect(() => session({ gapOf: () => gap }).assign('x', 5)).toThrow(expect.objectContaining({ code: 'SESSION_GAP_INVALID' }))
  })

  test.each([
    () => sliding({ sizeMs: 10, slideMs: 0 }),
    () => sliding({ sizeMs: 0, slideMs: 10 }),
    () => sliding({ sizeMs: 10, slideMs: 5, offsetMs: 5 }),
    () => sliding({ sizeMs: 10, slideMs: 5, offsetMs: -5 }),
    () => tumbling({ sizeMs: 10, time: 'wall' as never }),
    () => session({ gapMs: 0 }),
    () => session({ gapMs: -1_000 }),
    () => session({ gapMs: 5, gapOf: () => 5 } as never),
    () => session({} as never),
    () => countWindow(0),
    () => countWindow(2, 0),
  ])('refuses %s', (make) => {
    expect(make).toThrow(invalid)
  })

  test('the global window holds all and ends with time itself', () => {
    expect(globalWindow().assign(undefined, 5)).toEqual([{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, lastMs: lastEventTime }])
  })

  test('what would be freed behind the end of time is not freed', () => {
    expect(cleanupTime(timeWindow(0, 10), 5)).toBe(14)
    expect(cleanupTime(timeWindow(0, lastEventTime - 5), 10)).toBe(Number.POSITIVE_INFINITY)
    expect(cleanupTime(timeWindow(0, Number.POSITIVE_INFINITY), 0)).toBe(Number.POSITIVE_INFINITY)
  })
})
