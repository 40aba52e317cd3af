import { describe, expect, test } from 'vitest'
import { WatermarkValve } from '../../lib/watermarkValve.js'

function valve(inputs = 2) {
  const seen: unknown[] = []
  return { seen, valve: new WatermarkValve(inputs, { watermark: (ms) => seen.push(ms), status: (idle) => seen.push(idle ? 'idle' : 'active') }) }
}

describe('the event time of several inputs', () => {
  test('is the smallest, and only rises', () => {
    const { seen, valve: v } = valve(3)
    v.inputWatermark(0, 10)
    v.inputWatermark(1, 5)
    expect(seen).toEqual([])
    v.inputWatermark(2, 7)
    v.inputWatermark(1, 3)
    v.inputWatermark(1, 6)
    v.inputWatermark(1, 20)
    expect(seen).toEqual([5, 6, 7])
  })

  test('of one input is that of the input', () => {
    const { seen, valve: v } = valve(1)
    v.inputWatermark(0, -5)
    v.inputWatermark(0, -5)
    v.inputWatermark(0, -1)
    expect(seen).toEqual([-5, -1])
  })

  test('an idle input is left out, at once', () => {
    const { seen, valve: v } = valve()
    v.inputWatermark(0, 10)
    v.inputStatus(1, true)
    expect(seen).toEqual([10])
    v.inputWatermark(0, 12)
    expect(seen).toEqual([10, 12])
  })

  test('an input that comes back with an older watermark holds nobody back until it has caught up', () => {
    const { seen, valve: v } = valve()
    v.inputWatermark(0, 10)
    v.inputWatermark(1, 5)
    v.inputStatus(1, true)
    v.inputStatus(1, false)
    v.inputWatermark(1, 8)
    v.inputWatermark(0, 12)
    expect(seen).toEqual([5, 10, 12])
    v.inputWatermark(1, 13)
    v.inputWatermark(0, 20)
    expect(seen).toEqual([5, 10, 12, 13])
  })

  test('when the last active input goes idle the largest is let out first', () => {
    const { seen, valve: v } = valve()
    v.inputWatermark(0, 10)
    v.inputWatermark(1, 5)
    v.inputStatus(0, true)
    v.inputStatus(1, true)
    expect(seen).toEqual([5, 10, 'idle'])
    v.inputStatus(0, false)
    expect(seen.at(-1)).toBe('active')
  })

  test('a status that is no news changes nothing', () => {
    const { seen, valve: v } = valve()
    v.inputStatus(0, false)
    v.inputStatus(0, true)
    v.inputStatus(0, true)
    expect(seen).toEqual([])
  })

  test('the end of time comes when all inputs have ended', () => {
    const { seen, valve: v } = valve()
    v.inputWatermark(0, Number.POSITIVE_INFINITY)
    v.inputWatermark(1, 7)
    v.inputWatermark(1, Number.POSITIVE_INFINITY)
    expect(seen.filter((each) => typeof each === 'number')).toEqual([7, Number.POSITIVE_INFINITY])
  })

  test('restored, it goes on as before; the end of time is not restored', () => {
    const first = valve()
    first.valve.inputWatermark(0, 10)
    first.valve.inputWatermark(1, 5)
    first.valve.inputWatermark(1, Number.POSITIVE_INFINITY)
    expect(first.seen.at(-1)).toBe(10)
    const second = valve()
    second.valve.restore(JSON.parse(JSON.stringify(first.valve.snapshot())))
    second.valve.inputWatermark(0, 9)
    second.valve.inputWatermark(0, 12)
    second.valve.inputWatermark(1, 11)
    expect(second.seen).toEqual([11])
  })

  test('restored with another number of inputs it keeps what was let out, and no more', () => {
    const first = valve(2)
    first.valve.inputWatermark(0, 10)
    first.valve.inputWatermark(1, 5)
    const second = valve(3)
    second.valve.restore(JSON.parse(JSON.stringify(first.valve.snapshot())))
    for (const input of [0, 1, 2]) second.valve.inputWatermark(input, 4)
    for (const input of [0, 1, 2]) second.valve.inputWatermark(input, 6)
    expect(second.seen).toEqual([6])
  })

  test('refuses an event time that is none', () => {
    expect(() => valve().valve.restore({ watermark: 'later', idle: false, inputs: [] })).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }),
    )
  })
})
