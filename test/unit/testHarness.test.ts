import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { testHarness } from '../../laws/harness/testHarness.js'
import { countRecords, emits, tumbling, valueState } from '../../lib/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { sideOutput } from '../../operators/sideOutput.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'

const count = statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word}${n + 1}`])
const alarm = processKeyed(
  'alarm',
  { state: { seen: valueState(t.number, { initial: 0 }) }, emits: emits<string>() },
  {
    onRecord(word: string, { state, timers, timestamp }) {
      state.seen.update(state.seen.value() + 1)
      if (timestamp === undefined) timers.processingTime(timers.processingMs + 10)
      else timers.eventTime(timestamp + 10)
      void word
    },
    onTimer(at, { key, state, emit }) {
      emit(`${String(key)} ${state.seen.value()} at ${at}`)
      state.seen.clear()
    },
  },
)
const byWord = { key: (word: string) => word }

describe('a test harness', () => {
  it('shows what comes out, with event time and key, in order', () => {
    const harness = testHarness(count, byWord)
    expect(harness.push('a', 3).watermark(3).idle().idle(false).push('a').end().take()).toEqual([
      { kind: 'record', value: 'a1', timestamp: 3, key: 'a' },
      { kind: 'watermark', timestamp: 3 },
      { kind: 'status', idle: true },
      { kind: 'status', idle: false },
      { kind: 'record', value: 'a2', timestamp: undefined, key: 'a' },
      { kind: 'watermark', timestamp: Number.POSITIVE_INFINITY },
      { kind: 'end' },
    ])
    expect(harness.take()).toEqual([])
  })

  it('fires timers of event time at the watermark, and of processing time when the clock is set', () => {
    const harness = testHarness(alarm, { ...byWord, startMs: 100 })
    expect(harness.push('a', 5).push('b').watermark(14).values()).toEqual([])
    expect(harness.watermark(15).values()).toEqual(['a 1 at 15'])
    expect(harness.processingTime(109).values()).toEqual(['a 1 at 15'])
    expect(harness.processingTime(110).values()).toEqual(['a 1 at 15', 'b 1 at 110'])
    expect(harness.keptRows).toBe(0)
  })

  it('goes on from a snapshot, as often as one likes, timers included', () => {
    const harness = testHarness(alarm, byWord)
    const snapshot = harness.push('a', 5).snapshot()
    expect(harness.push('a', 6).watermark(20).values()).toEqual(['a 2 at 15', 'a 0 at 16'])
    for (let time = 0; time < 2; time += 1) {
      expect(harness.restore(snapshot).keptRows).toBe(2)
      expect(harness.watermark(20).values()).toEqual(['a 1 at 15'])
    }
  })

  it('restores into a changed pipeline, and refuses one that lacks what is kept', () => {
    const harness = testHarness<string, string>((source) =>
      source.pipe(
        keyBy((word) => word),
        count,
      ),
    )
    const snapshot = harness.push('a').snapshot()
    const louder = mapValues((text: string) => text.toUpperCase())
    harness.restore(snapshot, (source) =>
      source.pipe(
        keyBy((word) => word),
        count,
        louder,
      ),
    )
    expect(harness.push('a').values()).toEqual(['A2'])
    expect(() => harness.restore(snapshot, louder)).toThrow('STATE_UNCLAIMED')
  })

  it('collects side outputs with their event time', () => {
    const late = sideOutput<number>('late')
    const harness = testHarness(window('counts', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), late }), {
      key: (_: number) => 'all',
      sides: [late as never],
    })
    harness.push(1, 1).watermark(9).push(2, 2)
    expect(harness.side(late)).toEqual([2])
    expect(harness.take().at(-1)).toEqual({ kind: 'side', tag: 'late', value: 2, timestamp: 2 })
  })

  it('feeds several inputs, whose barriers meet', () => {
    const harness = testHarness<string, string>((source, other) => source.pipe(union(other as typeof source)), { inputs: 2 })
    harness.push('a', 1, 0).watermark(5, 0).push('b', 2, 1)
    expect(harness.values()).toEqual(['a', 'b'])
    expect(harness.take().some(({ kind }) => kind === 'watermark')).toBe(false)
    expect(harness.watermark(3, 1).take()).toEqual([{ kind: 'watermark', timestamp: 3 }])
    harness.snapshot()
    expect(harness.end().take().at(-1)).toEqual({ kind: 'end' })
  })

  it('throws what the operator throws, from the call that caused it', () => {
    const mistake = new Error('mine')
    const harness = testHarness(
      mapValues((word: string) => {
        if (word === 'b') throw mistake
        return word
      }),
    )
    expect(harness.push('a').values()).toEqual(['a'])
    expect(() => harness.push('b')).toThrow(mistake)
    harness.close()
  })
})
