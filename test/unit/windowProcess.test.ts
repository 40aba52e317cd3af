import { describe, expect, test } from 'vitest'
import { json } from '../../lib/codec.js'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { valueState } from '../../lib/state/valueState.js'
import { countRecords } from '../../lib/window/aggregate.js'
import type { Assigner } from '../../lib/window/assigner.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { timeWindow } from '../../lib/window/timeWindow.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { window } from '../../operators/window.js'
import { fedWindow, shownWindow } from '../support/fedWindow.js'

const tens = tumbling({ sizeMs: 10 })
const large = sideOutput<string>('large')

describe('window with process', () => {
  test('sees all records in the order of arrival, with the key, the window and event time', () => {
    const seen: unknown[] = []
    const operator = window('seen', {
      assigner: tens,
      process(values: readonly string[], { key, start, end, watermark }) {
        seen.push([values, key, start, end, watermark])
      },
    })
    fedWindow(operator).put('a3', 'a1').watermark(12)
    expect(seen).toEqual([[['a3', 'a1'], 'a', 0, 10, 12]])
  })

  test('emits none or many, with the last event time of the window, and to side outputs', () => {
    const operator = window('many', {
      assigner: tens,
      process(values: readonly string[], { emitTo }, emit) {
        for (const value of values) value.length > 2 ? emitTo(large, value) : emit(value)
      },
      emits: emits<string>(),
    })
    const fed = fedWindow(operator, { late: large })
    fed.put('a1', 'a2', 'b11', 'b12').watermark(19)
    expect(fed.out.records).toEqual([
      { value: 'a1', timestamp: 9, key: 'a' },
      { value: 'a2', timestamp: 9, key: 'a' },
    ])
    expect(fed.late?.records.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['b11', 19],
      ['b12', 19],
    ])
  })

  test('lets go of states of keys that have expired, although their keys never come again', () => {
    const operator = window('seen', {
      assigner: tens,
      globalState: { windows: valueState(json<number>(), { initial: 0, ttl: { afterMs: 15, time: 'event' } }) },
      process(_values: readonly string[], { globalState }) {
        globalState.windows.update(globalState.windows.value() + 1)
      },
    })
    const fed = fedWindow(operator)
    for (const [at, key] of [...'abcdefgh'].entries()) fed.put(`${key}${at * 10}`).watermark(at * 10 + 9)
    expect(fed.took()).toEqual([])
    const rows = fed.checkpoint().chunks.filter(({ table }) => table === 'global.windows')
    expect(rows.map(({ rows }) => rows)).toEqual([2])
  })

  test('keeps states per key and per window; those of the window go with it', () => {
    const number = valueState(json<number>(), { initial: 0 })
    const cleared: unknown[] = []
    const operator = window('states', {
      assigner: tens,
      allowedLatenessMs: 5,
      globalState: { firings: number },
      windowState: { firings: number },
      process(values: readonly string[], { globalState, windowState }, emit) {
        globalState.firings.update(globalState.firings.value() + 1)
        windowState.firings.update(windowState.firings.value() + 1)
        emit(`${values.length} ${globalState.firings.value()} ${windowState.firings.value()}`)
      },
      emits: emits<string>(),
      clear({ key, start, windowState, globalState }) {
        cleared.push([key, start, windowState.firings.value(), globalState.firings.value()])
      },
    })
    const first = fedWindow(operator)
    first.put('a1').watermark(9)
    first.put('a2')
    expect(first.took()).toEqual(['1 1 1', '2 2 2'])
    const second = fedWindow(operator, { from: first.checkpoint() })
    second.put('a3', 'a12').watermark(19)
    expect(second.took()).toEqual(['3 3 3', '1 4 1'])
    expect(cleared).toEqual([['a', 0, 3, 3]])
    second.watermark(24)
    expect(cleared).toHaveLength(2)
  })

  test('states of the window alone are enough', () => {
    const operator = window('states', {
      assigner: tens,
      allowedLatenessMs: 5,
      windowState: { firings: valueState(json<number>(), { initial: 0 }) },
      aggregate: countRecords(),
      result(count, { windowState }) {
        windowState.firings.update(windowState.firings.value() + 1)
        return `${count} ${windowState.firings.value()}`
      },
    })
    expect(fedWindow(operator).put('a1').watermark(9).put('a2').took()).toEqual(['1 1', '2 2'])
  })

  test('a result of an aggregate sees the states, too', () => {
    const operator = window('totals', {
      assigner: tens,
      globalState: { total: valueState(json<number>(), { initial: 0 }) },
      aggregate: countRecords(),
      result(count, { globalState }) {
        globalState.total.update(globalState.total.value() + count)
        return globalState.total.value()
      },
    })
    const fed = fedWindow(operator)
    fed.put('a1', 'a2', 'b1', 'a12').watermark(19)
    expect(fed.took()).toEqual([2, 1, 3])
  })

  test('records are stored with the codec that is given', () => {
    const upper = { version: 1, encode: (text: string) => text.toUpperCase(), decode: (stored: unknown) => stored as string }
    const operator = window('stored', { assigner: tens, elements: upper, ...shownWindow, emits: emits<string>() })
    const first = fedWindow(operator)
    first.put('a1')
    const second = fedWindow(operator, { from: first.checkpoint() })
    second.put('a2').watermark(9)
    expect(second.took()).toEqual(['a 0-10 A1+a2'])
  })

  test('windows of one’s own may be of any size, and several', () => {
    const growing: Assigner<string> = {
      name: 'growing',
      time: 'event',
      trigger: tens.trigger,
      assign: (value) => [timeWindow(0, Number(value.slice(1))), timeWindow(0, 10 * Number(value.slice(1)))],
    }
    const operator = window('grown', { assigner: growing, ...shownWindow, emits: emits<string>() })
    const first = fedWindow(operator)
    first.put('a2', 'a3')
    const second = fedWindow(operator, { from: first.checkpoint() })
    second.watermark(29)
    expect(second.took()).toEqual(['a 0-2 a2', 'a 0-3 a3', 'a 0-20 a2', 'a 0-30 a3'])
  })

  test('a window that would be freed behind the end of time emits all the same', () => {
    const fed = fedWindow(window('last', { assigner: tumbling({ sizeMs: 1_000 }), allowedLatenessMs: 2_000, ...shownWindow, emits: emits<string>() }))
    fed.feed.record('x', Number.MAX_SAFE_INTEGER - 1_500, 'k').watermark(Number.MAX_SAFE_INTEGER - 990)
    expect(fed.took()).toHaveLength(1)
    fed.feed.end()
    expect(fed.took()).toEqual([])
  })

  test.each([{}, { aggregate: countRecords(), reduce: (a: unknown) => a }, { reduce: (a: unknown) => a, process: () => undefined }])(
    'refuses none and two of aggregate, reduce and process',
    (options) => {
      expect(() => window('which', { assigner: tens, ...options } as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    },
  )

  test.each([-1, 0.5, Number.NaN])('refuses an allowed lateness of %d', (allowedLatenessMs) => {
    expect(() => window('late', { assigner: tens, allowedLatenessMs, aggregate: countRecords() })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  test('a trigger that is set for stored windows of the short way is refused: they have no timers', () => {
    const first = fedWindow(window('kept', { assigner: tens, aggregate: countRecords() }))
    first.put('a1')
    const other = window('kept', { assigner: tens, trigger: countTrigger(2), aggregate: countRecords() })
    expect(() => fedWindow(other, { from: first.checkpoint() })).toThrow(expect.objectContaining({ code: 'STATE_KIND_CHANGED' }))
  })
})
