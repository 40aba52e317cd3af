import { describe, expect, test } from 'vitest'
import { json } from '../../lib/codec.js'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { valueState } from '../../lib/state/valueState.js'
import { countRecords } from '../../lib/window/aggregate.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { deltaTrigger } from '../../lib/window/deltaTrigger.js'
import { processingTimeout } from '../../lib/window/processingTimeout.js'
import { purging } from '../../lib/window/purging.js'
import { session } from '../../lib/window/session.js'
import { trigger } from '../../lib/window/trigger.js'
import { window } from '../../operators/window.js'
import { fedWindow, joined, shownWindow } from '../support/fedWindow.js'

const late = sideOutput<string>('late')
const folded = window('sessions', { assigner: session({ gapMs: 10 }), ...joined })
const listed = window('sessions', { assigner: session({ gapMs: 10 }), ...shownWindow, emits: emits<string>() })

describe.each([
  ['one accumulator', folded],
  ['all records', listed],
])('sessions that keep %s', (_kept, operator) => {
  test('hold what follows each other, and end a gap behind the last', () => {
    const { put, took, feed, out } = fedWindow(operator)
    put('a0', 'b3', 'a7', 'a16')
    feed.watermark(24)
    expect(took()).toEqual(['b 3-13 b3'])
    feed.watermark(25)
    expect(took()).toEqual(['a 0-26 a0+a7+a16'])
    expect(out.records.at(-1)?.timestamp).toBe(25)
  })

  test('records exactly a gap apart are one session, one more is another', () => {
    const { put, took, watermark } = fedWindow(operator)
    put('a0', 'a10', 'a21')
    watermark(100)
    expect(took()).toEqual(['a 0-20 a0+a10', 'a 21-31 a21'])
  })

  test('a record between two sessions makes them one', () => {
    const { put, took, watermark } = fedWindow(operator)
    put('a0', 'a15', 'a8')
    watermark(100)
    expect(took()).toHaveLength(1)
    put('a200', 'a215', 'a230', 'a222', 'a208')
    watermark(300)
    const [merged] = took() as string[]
    expect(merged?.startsWith('a 200-240 ')).toBe(true)
    expect(merged?.slice(10).split('+').sort()).toEqual(['a200', 'a208', 'a215', 'a222', 'a230'])
  })

  test('a session that grows at its start keeps its end', () => {
    const { put, took, watermark } = fedWindow(operator)
    put('a5', 'a2')
    watermark(13)
    expect(took()).toEqual([])
    watermark(14)
    expect(took()).toEqual(['a 2-15 a5+a2'])
  })

  test('a grown session emits once, at its new end', () => {
    const { put, took, watermark } = fedWindow(operator)
    put('a0', 'a5')
    watermark(9)
    expect(took()).toEqual([])
    watermark(14)
    expect(took()).toEqual(['a 0-15 a0+a5'])
  })

  test('a restored session grows on', () => {
    const first = fedWindow(operator)
    first.put('a0', 'b2', 'a20', 'a5')
    const second = fedWindow(operator, { from: first.checkpoint() })
    second.put('a13', 'b4').watermark(40)
    const values = second.took() as string[]
    expect(values).toHaveLength(2)
    expect(values[0]).toBe('b 2-14 b2+b4')
    expect(values[1]?.startsWith('a 0-30 ')).toBe(true)
    expect(values[1]?.slice(7).split('+').sort()).toEqual(['a0', 'a13', 'a20', 'a5'])
  })
})

describe('sessions', () => {
  test('a late record is taken where it extends a live session, and only there', () => {
    const tolerant = window('sessions', { assigner: session({ gapMs: 10 }), late, ...joined })
    const { put, took, watermark, late: aside } = fedWindow(tolerant, { late })
    put('a20').watermark(15)
    put('a12', 'a1')
    expect(aside?.records.map(({ value }) => value)).toEqual(['a1'])
    watermark(29)
    expect(took()).toEqual(['a 12-30 a20+a12'])
  })

  test('sessions that have emitted and wait for late records merge with them and emit again', () => {
    const tolerant = window('sessions', { assigner: session({ gapMs: 10 }), allowedLatenessMs: 100, ...joined })
    const { put, took, watermark } = fedWindow(tolerant)
    put('a0', 'a15').watermark(30)
    expect(took()).toEqual(['a 0-10 a0', 'a 15-25 a15'])
    put('a8')
    expect(took()).toEqual(['a 0-25 a0+a15+a8'])
    watermark(125)
    put('a8')
    expect(took()).toEqual([])
  })

  test('counts of a trigger are added when sessions merge', () => {
    const fourth = window('sessions', { assigner: session({ gapMs: 10 }), trigger: purging(countTrigger(4)), ...joined })
    const { put, took } = fedWindow(fourth)
    put('a0', 'a5', 'a20')
    expect(took()).toEqual([])
    put('a12')
    expect(took()).toEqual(['a 0-30 a0+a5+a20+a12'])
  })

  test('by the clock of the machine', async () => {
    const { put, took, clock, out } = fedWindow(window('sessions', { assigner: session({ gapMs: 10, time: 'processing' }), ...joined }))
    put('a0')
    await clock(5)
    put('a0')
    await clock(13)
    expect(took()).toEqual([])
    await clock(14)
    expect(took()).toEqual(['a 0-15 a0+a0'])
    expect(out.records.at(-1)?.timestamp).toBe(14)
  })

  test.each([
    ['deltaTrigger', deltaTrigger<string>({ threshold: 1, delta: () => 2 })],
    ['processingTimeout', processingTimeout(countTrigger(2), { afterMs: 5 })],
    ['one that says nothing of merging', trigger({ onElement: () => 'fire' })],
    ['purging around one of those', purging(trigger({ onElement: () => 'fire' }))],
  ])('refuse a trigger that cannot merge: %s', (_name, cannot) => {
    expect(() => window('sessions', { assigner: session({ gapMs: 10 }), trigger: cannot as never, ...joined })).toThrow(
      expect.objectContaining({ code: 'TRIGGER_CANNOT_MERGE' }),
    )
  })

  test('a trigger that merges a state which cannot is told so', () => {
    const wrong = trigger({
      state: { last: valueState(json<number>()) },
      onElement: (_value: string) => 'continue',
      onMerge: (_window, context) => context.mergeState('last'),
    })
    const { put, took } = fedWindow(window('sessions', { assigner: session({ gapMs: 10 }), trigger: wrong, ...joined }))
    put('a0')
    expect(() => {
      put('a5')
      took()
    }).toThrow(expect.objectContaining({ code: 'TRIGGER_CANNOT_MERGE' }))
  })

  test('refuse an aggregate without merge, and states of windows', () => {
    const { merge: _without, ...unmergeable } = countRecords()
    expect(() => window('sessions', { assigner: session({ gapMs: 10 }), aggregate: unmergeable })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    expect(() => window('sessions', { assigner: session({ gapMs: 10 }), windowState: { seen: valueState(json<number>()) }, ...joined })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
