import { expect, test } from 'vitest'
import { storedTime, timeStored } from '../../lib/storedTime.js'

const times: readonly (readonly [number, number | string])[] = [
  [Number.NEGATIVE_INFINITY, 'none'],
  [-1, -1],
  [0, 0],
  [1_700_000_000_000, 1_700_000_000_000],
  [Number.POSITIVE_INFINITY, 'end'],
]

test.each(times)('the event time %s is kept as %s, for ever, and read back', (timestampMs, kept) => {
  expect(storedTime(timestampMs)).toBe(kept)
  expect(timeStored(kept)).toBe(timestampMs)
})

test.each(['', 'ended', null, undefined, true])('%s is no event time that was kept', (stored) => {
  expect(() => timeStored(stored)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
})
