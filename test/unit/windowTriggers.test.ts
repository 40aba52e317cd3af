import { describe, expect, test } from 'vitest'
import { json } from '../../lib/codec.js'
import { emits } from '../../lib/emits.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { reducingState } from '../../lib/state/reducingState.js'
import { continuousEventTime } from '../../lib/window/continuousEventTime.js'
import { continuousProcessingTime } from '../../lib/window/continuousProcessingTime.js'
import { countTrigger } from '../../lib/window/countTrigger.js'
import { countWindow } from '../../lib/window/countWindow.js'
import { deltaTrigger } from '../../lib/window/deltaTrigger.js'
import { endOfStreamTrigger } from '../../lib/window/endOfStreamTrigger.js'
import { eventTimeTrigger } from '../../lib/window/eventTimeTrigger.js'
import { globalWindow } from '../../lib/window/globalWindow.js'
import { neverTrigger } from '../../lib/window/neverTrigger.js'
import { processingTimeout } from '../../lib/window/processingTimeout.js'
import { processingTimeTrigger } from '../../lib/window/processingTimeTrigger.js'
import { purging } from '../../lib/window/purging.js'
import { session } from '../../lib/window/session.js'
import { lastEventTime } from '../../lib/window/timeWindow.js'
import { type Trigger, trigger } from '../../lib/window/trigger.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { window } from '../../operators/window.js'
import { fedWindow, joined, shownWindow } from '../support/fedWindow.js'

const tens = tumbling({ sizeMs: 10 })
const triggered = (by: Trigger<never, never> | Trigger, assigner = tens as Parameters<typeof window>[1]['assigner'], allowedLatenessMs = 0) =>
  window('triggered', { assigner, trigger: by as Trigger, allowedLatenessMs, ...joined })
const all = globalWindow()

describe('triggers', () => {
  test('eventTimeTrigger emits at the end, and for each late record that is allowed', () => {
    const { put, took, watermark } = fedWindow(triggered(eventTimeTrigger(), tens, 5))
    put('a1').watermark(8)
    expect(took()).toEqual([])
    watermark(9)
    expect(took()).toEqual(['a 0-10 a1'])
    put('a2', 'a3')
    expect(took()).toEqual(['a 0-10 a1+a2', 'a 0-10 a1+a2+a3'])
    watermark(14)
    put('a4')
    expect(took()).toEqual([])
  })

  test('behind a purge a late firing holds the late record alone', () => {
    const { put, took, watermark } = fedWindow(triggered(purging(eventTimeTrigger()), tens, 5))
    put('a1').watermark(9)
    put('a2', 'a3')
    expect(took()).toEqual(['a 0-10 a1', 'a 0-10 a2', 'a 0-10 a3'])
    watermark(14)
    expect(took()).toEqual([])
  })

  test('countTrigger emits with every so many records, keeps them, and does not look at time', () => {
    const { put, took, watermark } = fedWindow(triggered(countTrigger(2)))
    put('a1', 'a2', 'b3', 'a4', 'a5', 'a6')
    expect(took()).toEqual(['a 0-10 a1+a2', 'a 0-10 a1+a2+a4+a5'])
    watermark(100)
    expect(took()).toEqual([])
  })

  test('the count of a window goes with it', () => {
    const { put, took, watermark } = fedWindow(triggered(countTrigger(2)))
    put('a1').watermark(9)
    put('a11')
    expect(took()).toEqual([])
    watermark(19)
    put('a21', 'a22')
    expect(took()).toEqual(['a 20-30 a21+a22'])
  })

  test('countWindow(n) emits every n records once', () => {
    const { put, took } = fedWindow(window('counted', { ...countWindow(2), ...joined }))
    put('a1', 'b2', 'a3', 'a4', 'a5', 'a6')
    expect(took()).toEqual(['a -Infinity-Infinity a1+a3', 'a -Infinity-Infinity a4+a5'])
  })

  test('countWindow(n, slide) emits the last n, also before there are so many', () => {
    const { put, took } = fedWindow(window('counted', { ...countWindow(3, 2), ...joined }))
    put('a1', 'a2', 'a3', 'a4', 'a5', 'a6')
    expect((took() as string[]).map((text) => text.split(' ')[2])).toEqual(['a1+a2', 'a2+a3+a4', 'a4+a5+a6'])
  })

  test('continuousEventTime emits at each multiple of its interval, and at the end', () => {
    const { put, took, watermark } = fedWindow(triggered(continuousEventTime(4)))
    put('a1', 'a2')
    watermark(3)
    expect(took()).toEqual([])
    watermark(4)
    expect(took()).toEqual(['a 0-10 a1+a2'])
    watermark(8)
    watermark(9)
    expect(took()).toEqual(['a 0-10 a1+a2', 'a 0-10 a1+a2'])
    watermark(50)
    expect(took()).toEqual([])
  })

  test('continuousEventTime needs event time', () => {
    const { feed, took } = fedWindow(triggered(continuousEventTime(4), all))
    feed.record('x', undefined, 'k')
    expect(took).toThrow(expect.objectContaining({ code: 'TIMESTAMP_INVALID' }))
  })

  test('continuousProcessingTime emits while the window is open, also when the clock has passed its end', async () => {
    const { put, took, watermark, clock } = fedWindow(triggered(continuousProcessingTime(4)))
    put('a1')
    await clock(4)
    expect(took()).toEqual(['a 0-10 a1'])
    await clock(8)
    await clock(9)
    await clock(13)
    expect(took()).toHaveLength(3)
    watermark(9)
    await clock(1_000)
    expect(took()).toEqual([])
  })

  test('continuous triggers merge with their sessions', async () => {
    const byEvent = fedWindow(triggered(continuousEventTime(5), session({ gapMs: 10 })))
    byEvent.put('a1', 'a8').watermark(5)
    expect(byEvent.took()).toEqual(['a 1-18 a1+a8'])
    byEvent.watermark(17)
    expect(byEvent.took()).toHaveLength(3)
    const byClock = fedWindow(triggered(continuousProcessingTime(5), session({ gapMs: 10, time: 'processing' })))
    byClock.put('a0')
    await byClock.clock(2)
    byClock.put('a1')
    await byClock.clock(5)
    expect(byClock.took()).toEqual(['a 0-12 a0+a1'])
  })

  test('processingTimeTrigger emits when the clock reaches the last moment', async () => {
    const { put, took, clock } = fedWindow(triggered(processingTimeTrigger(), tumbling({ sizeMs: 10, time: 'processing' })))
    put('a70')
    await clock(8)
    expect(took()).toEqual([])
    await clock(9)
    expect(took()).toEqual(['a 0-10 a70'])
    put('a70')
    expect(took()).toEqual([])
    await clock(19)
    expect(took()).toHaveLength(1)
  })

  test('processingTimeout emits what another trigger has not, when the time is up', async () => {
    const { put, took, clock } = fedWindow(triggered(processingTimeout(countTrigger(3), { afterMs: 50 }), all))
    put('a1', 'a2')
    await clock(49)
    expect(took()).toEqual([])
    await clock(50)
    expect(took()).toHaveLength(1)
    put('a3', 'a4')
    expect(took()).toEqual([])
    put('a5')
    expect(took()).toHaveLength(1)
    await clock(500)
    expect(took()).toEqual([])
  })

  test('processingTimeout may begin its wait anew, and let the nested one remember', async () => {
    const { put, took, clock } = fedWindow(
      triggered(processingTimeout(countTrigger(3), { afterMs: 50, resetOnElement: true, clearOnTimeout: false }), all),
    )
    put('a1')
    await clock(40)
    put('a2')
    await clock(89)
    expect(took()).toEqual([])
    await clock(90)
    expect(took()).toHaveLength(1)
    put('a3')
    expect(took()).toHaveLength(1)
  })

  test('processingTimeout around processingTimeout, and around purging', async () => {
    const { put, took, clock } = fedWindow(
      triggered(processingTimeout(processingTimeout(purging(countTrigger(2)), { afterMs: 10 }), { afterMs: 15 }), all),
    )
    put('a1', 'a2', 'a3')
    expect(took()).toEqual(['a -Infinity-Infinity a1+a2'])
    await clock(10)
    expect(took()).toEqual(['a -Infinity-Infinity a3'])
  })

  test('deltaTrigger emits behind a step that is large enough', () => {
    const { put, took } = fedWindow(
      triggered(deltaTrigger<string>({ threshold: 5, delta: (a, b) => Number(b.slice(1)) - Number(a.slice(1)) }) as never, all),
    )
    put('a1', 'a6', 'a7')
    expect(took()).toEqual(['a -Infinity-Infinity a1+a6+a7'])
    put('a12')
    expect(took()).toEqual([])
    put('a13')
    expect(took()).toHaveLength(1)
  })

  test('neverTrigger never emits, endOfStreamTrigger once, with the last event time there is', () => {
    const never = fedWindow(triggered(neverTrigger(), all))
    never.put('a1').feed.end()
    expect(never.took()).toEqual([])
    const once = fedWindow(triggered(endOfStreamTrigger(), all))
    once.put('a1', 'a2').feed.end()
    expect(once.out.records).toEqual([{ value: 'a -Infinity-Infinity a1+a2', timestamp: lastEventTime, key: 'a' }])
  })

  test('a trigger of one’s own has states and timers per key and window', () => {
    const biggest = trigger({
      state: { seen: reducingState(json<number>(), (a: number, b: number) => Math.max(a, b)) },
      onElement(value: string, timestamp, { lastMs }, { state, timers }) {
        state.seen.add(Number(value.slice(1)))
        if ((timestamp ?? 0) % 2 === 0) timers.eventTime(lastMs - 3)
        return state.seen.get() === 7 ? 'purge' : 'continue'
      },
      onEventTime: (atMs, { lastMs }) => (atMs === lastMs - 3 ? 'fire' : 'continue'),
    })
    const { put, took, watermark } = fedWindow(triggered(biggest as never))
    put('a1', 'a2', 'b1', 'a12').watermark(6)
    expect(took()).toEqual(['a 0-10 a1+a2'])
    put('a7')
    watermark(9)
    put('a15').watermark(16)
    expect(took()).toEqual(['a 10-20 a12+a15'])
  })

  test('setting a trigger replaces the default', () => {
    const { put, took } = fedWindow(triggered(neverTrigger()))
    put('a1').watermark(100)
    expect(took()).toEqual([])
  })

  test('a window whose trigger fires while it is empty emits nothing', () => {
    const { put, took } = fedWindow(triggered(trigger({ onElement: () => 'fireAndPurge', onEventTime: () => 'fire' })))
    put('a1').watermark(9)
    expect(took()).toEqual(['a 0-10 a1'])
  })

  test('timers and counts survive a restore', async () => {
    const late = sideOutput<string>('late')
    const operator = window('restored', {
      assigner: all,
      trigger: processingTimeout(countTrigger(3), { afterMs: 50 }),
      late,
      ...shownWindow,
      emits: emits<string>(),
    })
    const first = fedWindow(operator)
    first.put('a1', 'b1', 'a2')
    const second = fedWindow(operator, { from: first.checkpoint() })
    second.put('a3')
    expect(second.took()).toEqual(['a -Infinity-Infinity a1+a2+a3'])
    await second.clock(50)
    expect(second.took()).toEqual(['b -Infinity-Infinity b1'])
  })
})
