import { describe, expect, test } from 'vitest'
import { countRecords } from '../../lib/window/aggregate.js'
import { eventTimeTrigger } from '../../lib/window/eventTimeTrigger.js'
import { session } from '../../lib/window/session.js'
import { sliding } from '../../lib/window/sliding.js'
import { tumbling } from '../../lib/window/tumbling.js'
import { window } from '../../operators/window.js'
import { handFed } from '../support/handFed.js'
import { HandRun } from '../support/handRun.js'

const dayMs = 86_400_000

function fed(operator: never) {
  const run = new HandRun({ development: false })
  const feed = handFed(operator, run).start(true)
  run.open()
  return feed
}

/** Each would take minutes if its work grew with the square. */
describe('windows in large numbers', () => {
  test('ten thousand concurrent sessions of one key, also when they all merge', () => {
    const feed = fed(
      window('sessions', {
        assigner: session({ gapMs: 10 }),
        aggregate: countRecords(),
        result: (count, { start, end }) => [start, end, count],
      }) as never,
    )
    for (let index = 0; index < 10_000; index += 1) feed.record('x', index * 20, 'k')
    for (let index = 9_999; index >= 0; index -= 1) feed.record('x', index * 20 + 10, 'k')
    feed.watermark(1_000_000)
    expect(feed.out.records.map(({ value }) => value)).toEqual([[0, 200_000, 20_000]])
  })

  test('ten thousand sessions of one key that end together', () => {
    const feed = fed(window('sessions', { assigner: session({ gapMs: 10 }), aggregate: countRecords() }) as never)
    for (let index = 0; index < 10_000; index += 1) feed.record('x', index * 20, 'k')
    feed.watermark(1_000_000)
    expect(feed.out.records).toHaveLength(10_000)
  })

  test('a hundred thousand timers of one key and of many', () => {
    const feed = fed(window('timers', { assigner: tumbling({ sizeMs: 1 }), trigger: eventTimeTrigger(), aggregate: countRecords() }) as never)
    for (let index = 0; index < 50_000; index += 1) feed.record('x', index, 'k').record('x', 0, index)
    feed.watermark(1_000_000)
    expect(feed.out.records).toHaveLength(100_000)
  })

  test('windows of a thousand days', () => {
    const sizeMs = 1_000 * dayMs
    const feed = fed(
      window('days', {
        assigner: tumbling({ sizeMs }),
        trigger: eventTimeTrigger(),
        aggregate: countRecords(),
        result: (count, { start, end }) => [(end - start) / dayMs, count],
      }) as never,
    )
    feed.record('x', 1_700_000_000_000, 'k').record('x', 1_700_000_000_001, 'k').watermark(1_900_000_000_000)
    expect(feed.out.records.map(({ value }) => value)).toEqual([[1_000, 2]])
  })

  test('a day every second: each record is folded once', () => {
    let adds = 0
    const counted = {
      ...countRecords(),
      add: (count: number) => {
        adds += 1
        return count + 1
      },
    }
    const feed = fed(window('slid', { assigner: sliding({ sizeMs: dayMs, slideMs: 1_000 }), aggregate: counted }) as never)
    for (let index = 0; index < 10_000; index += 1) feed.record('x', index, index % 10)
    feed.watermark(20_000)
    expect(adds).toBe(10_000)
    expect(feed.out.records.filter(({ timestamp }) => timestamp === 10_999).map(({ value }) => value)).toEqual(Array(10).fill(1_000))
  })
})
