import { option } from 'fp-ts'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { fromAsyncIterable } from '../../backends/functions/fromAsyncIterable.js'
import { RestoreError, SourceError } from '../../lib/errors.js'
import { unwrap } from '../../lib/task.js'
import { manualClock, settled } from '../support/manualClock.js'
import { drain, failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'

async function* numbers(to: number) {
  for (let number = 1; number <= to; number += 1) yield number
}

test('reads what a function iterates, and goes on behind the items that were read', async () => {
  const source = fromAsyncIterable({ open: () => numbers(5) })
  const { values, offsets } = await readAll(source)
  expect(values).toEqual([1, 2, 3, 4, 5])
  expect(offsets).toEqual([1, 2, 3, 4, 5])
  expect((await readAll(source, 3)).values).toEqual([4, 5])
  expect((await readAll(source, 5)).values).toEqual([])
})

test('an iterable that is not asynchronous, or that has to be waited for, is read too', async () => {
  expect((await readAll(fromAsyncIterable({ open: () => [1, 2] }))).values).toEqual([1, 2])
  expect((await readAll(fromAsyncIterable({ open: async () => numbers(2) }))).values).toEqual([1, 2])
})

test('is pulled a batch at a time, and never asked for what nobody reads', async () => {
  let asked = 0
  async function* open() {
    for (;;) yield (asked += 1)
  }
  const reader = await openedReader(fromAsyncIterable({ open }))
  expect(asked).toBe(0)
  await unwrap(reader.read(3))
  await settled()
  expect(asked).toBe(3)
})

test('a batch does not wait for an item that is not there', async () => {
  let give: (() => void) | undefined
  async function* open() {
    yield 1
    await new Promise<void>((resolve) => {
      give = resolve
    })
    yield 2
  }
  const reader = await openedReader(fromAsyncIterable({ open }))
  expect(await unwrap(reader.read(10))).toMatchObject({ batch: { values: [1] } })
  const second = unwrap(reader.read(10))
  await settled()
  give?.()
  expect(await second).toMatchObject({ batch: { values: [2] } })
  expect(await unwrap(reader.read(10))).toEqual({ kind: 'end' })
  expect(await unwrap(reader.read(10))).toEqual({ kind: 'end' })
})

test('an error comes behind the items before it, with its cause', async () => {
  const cause = new Error('the line is dead')
  async function* open() {
    yield 1
    throw cause
  }
  const reader = await openedReader(fromAsyncIterable({ open }))
  expect(await unwrap(reader.read(10))).toMatchObject({ batch: { values: [1] } })
  expect(await failureOf(reader.read(10))).toMatchObject({ code: 'SOURCE_IO', cause })
})

test.each([
  ['open', () => fromAsyncIterable({ open: () => Promise.reject(new Error('closed')) })],
  [
    'the iterator',
    () =>
      fromAsyncIterable({
        open: () => ({
          [Symbol.asyncIterator]: () => {
            throw new Error('closed')
          },
        }),
      }),
  ],
])('an error of %s fails the start, with its cause', async (_, make) => {
  expect(await failureOf(make().open(sourceContext()))).toMatchObject({ code: 'SOURCE_IO', cause: { message: 'closed' } })
})

test('a next() that throws is an error as any other, and errors of ours pass as they are', async () => {
  const mine = new SourceError('SOURCE_REFUSED', { status: 401 })
  const throwing = (error: Error) =>
    fromAsyncIterable({
      open: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw error
          },
        }),
      }),
    })
  expect(await failureOf((await openedReader(throwing(new Error('now')))).read(1))).toMatchObject({ code: 'SOURCE_IO' })
  expect(await failureOf((await openedReader(throwing(mine))).read(1))).toBe(mine)
})

test('closing aborts the signal, calls return() and settles a read that waits', async () => {
  let signal: AbortSignal | undefined
  const events: string[] = []
  async function* open(_: undefined, given: AbortSignal) {
    signal = given
    try {
      yield 1
      await new Promise<void>((resolve) => given.addEventListener('abort', () => resolve()))
    } finally {
      events.push('returned')
    }
  }
  const clock = manualClock()
  const reader = await openedReader(fromAsyncIterable({ open }), sourceContext(undefined, clock))
  await unwrap(reader.read(10))
  const waiting = failureOf(reader.read(10))
  await settled()
  await reader.close()()
  await reader.close()()
  expect(await waiting).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
  expect(signal?.aborted).toBe(true)
  expect(events).toEqual(['returned'])
  expect(clock.pendingCount).toBe(0)
})

test('an iterable that does not listen to its signal holds the end up for so long only', async () => {
  const clock = manualClock()
  async function* open() {
    await new Promise(() => {})
    yield 1
  }
  const reader = await openedReader(fromAsyncIterable({ open, closeMs: 3_000 }), sourceContext(undefined, clock))
  void reader.read(1)()
  await settled()
  let closed = false
  void reader
    .close()()
    .then(() => {
      closed = true
    })
  await clock.advance(2_999)
  expect(closed).toBe(false)
  await clock.advance(1)
  expect(closed).toBe(true)
})

test('an error of return() is nobody’s: everything that was handed on has been read', async () => {
  const open = () => ({
    [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }), return: () => Promise.reject(new Error('late')) }),
  })
  const reader = await unwrap(fromAsyncIterable({ open }).open(sourceContext()))
  await expect(reader.close()()).resolves.toBeUndefined()
})

test('data that ends before the offset is an error, or begins again where that was chosen', async () => {
  let returned = 0
  const open = (): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true, value: undefined }),
      return: async () => ({ done: true, value: (returned += 1) }),
    }),
  })
  expect(await failureOf(fromAsyncIterable({ open }).open(sourceContext(3)))).toMatchObject({
    code: 'SOURCE_OFFSET_AHEAD',
    details: { offset: 3, found: 0 },
  })
  expect(returned).toBe(1)
  expect((await readAll(fromAsyncIterable({ open: () => [7, 8], onOffsetGone: 'earliest' }), 3)).values).toEqual([7, 8])
})

test('data that stops coming before the offset is an error, not a wait', async () => {
  const clock = manualClock()
  async function* open() {
    yield 1
    await new Promise(() => {})
  }
  const failure = failureOf(fromAsyncIterable({ open, skipStallMs: 1_000, closeMs: 0 }).open(sourceContext(2, clock)))
  await settled()
  await clock.advance(1_000)
  await clock.advance(0)
  expect(await failure).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD', details: { found: 1, reason: 'no more came for 1000 ms' } })
})

const seeking = (more = {}) =>
  fromAsyncIterable({
    open: (from?: { readonly id: number }) => [{ id: 1 }, { id: 2 }, { id: 3 }].filter(({ id }) => id > (from?.id ?? 0)),
    offsetOf: ({ id }) => ({ id }),
    offset: t.type({ id: t.number }),
    ...more,
  })

test('an iterable that can begin anywhere is begun at the offset of its items', async () => {
  expect(await readAll(seeking())).toEqual({ values: [{ id: 1 }, { id: 2 }, { id: 3 }], offsets: [{ id: 1 }, { id: 2 }, { id: 3 }] })
  expect((await readAll(seeking(), { id: 2 })).values).toEqual([{ id: 3 }])
})

test('a checkpoint before the first item begins at the first', async () => {
  const reader = await openedReader(seeking(), { ...sourceContext(), from: option.some(null) })
  expect((await drain(reader)).values).toHaveLength(3)
})

test.each([
  ['a count', fromAsyncIterable({ open: () => [1] }), { position: 1 }, 'STATE_KIND_CHANGED'],
  ['a count', fromAsyncIterable({ open: () => [1] }), -1, 'STATE_KIND_CHANGED'],
  ['what the codec reads', seeking(), 5, 'CODEC_MISMATCH'],
] as const)('a stored offset that is not %s is refused', async (_, source, from, code) => {
  expect(await failureOf(source.open(sourceContext(from)))).toMatchObject({ code, details: { uid: 'source' } })
})

test('an offset that is gone is told by whoever opens, and begins again where that was chosen', async () => {
  const open = (from?: number) => {
    if (from !== undefined) throw new RestoreError('SOURCE_OFFSET_GONE', { from })
    return [5]
  }
  const options = { open, offsetOf: (value: number) => value, offset: t.number }
  expect(await failureOf(fromAsyncIterable(options).open(sourceContext(4)))).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  expect((await readAll(fromAsyncIterable({ ...options, onOffsetGone: 'earliest' }), 4)).values).toEqual([5])
})

test.each([undefined, null, Number.NaN, 5n, new Date(0), { at: undefined }])(
  'an offset that a checkpoint cannot hold is an error: %s',
  async (offset) => {
    const reader = await openedReader(seeking({ offsetOf: () => offset as never }))
    const read = await unwrap(reader.read(1))
    expect(() => read.kind === 'batch' && read.batch.offsetAfter(0)).toThrow('VALUE_NOT_ENCODABLE')
  },
)

test.each([
  ['open', { open: 5 }],
  ['skipStallMs', { open: () => [], skipStallMs: 0 }],
  ['closeMs', { open: () => [], closeMs: -1 }],
])('a bad %s is refused when the source is made', (name, options) => {
  expect(() => fromAsyncIterable(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})

test('what was opened and is no iterable is a mistake of the program', async () => {
  await expect(fromAsyncIterable({ open: () => 5 as never }).open(sourceContext())()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
})
