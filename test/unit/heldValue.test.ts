import { expect, test } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import { heldCodec } from '../../lib/twin/heldValue.js'
import { throttledCodec } from '../../lib/twin/throttled.js'
import { timedCodec } from '../../lib/twin/timedValue.js'

const values = stateCodec<unknown>(json())

// What was stored is read by every later release: these texts do not change.
test.each([
  [{ dueMs: 20, heldMs: 5, timestamp: 5, value: 'a' }, '[[2,1,1,3],20,5,5,"a"]'],
  [{ dueMs: 20, heldMs: undefined, timestamp: undefined, value: [1] }, '[[2,4,4,3],20,null,null,[1]]'],
])('a value that waits, %o', (held, text) => {
  expect(heldCodec(values).toText(held)).toBe(text)
  expect(heldCodec(values).fromText(text, 1)).toEqual(held)
})

test.each([
  [{ untilMs: 20, last: undefined }, '[[2],20]'],
  [{ untilMs: 20, last: { heldMs: undefined, timestamp: -5, value: undefined } }, undefined],
  [{ untilMs: 20, last: { heldMs: 7, timestamp: 7, value: 'a' } }, '[[2,1,1,3],20,7,7,"a"]'],
])('a key that is throttled, %o', (throttled, text) => {
  const stored = throttledCodec(values).toText(throttled)
  if (text !== undefined) expect(stored).toBe(text)
  expect(throttledCodec(values).fromText(stored, 1)).toEqual(throttled)
})

test.each([
  [{ timestamp: 5, value: 'a' }, '[[1,3],5,"a"]'],
  [{ timestamp: undefined, value: null }, '[[4,4],null,null]'],
])('a value with its event time, %o', (timed, text) => {
  expect(timedCodec(values).toText(timed)).toBe(text)
  expect(timedCodec(values).fromText(text, 1)).toEqual(timed)
})
