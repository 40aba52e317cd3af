import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { fromReadable } from '../../backends/nodeStreams/fromReadable.js'
import { unwrap } from '../../lib/task.js'
import { settled } from '../support/manualClock.js'
import { failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

test('reads the chunks of a stream, and goes on behind those that were read', async () => {
  const source = fromReadable<number>({ open: () => Readable.from([1, 2, 3]) })
  expect(await readAll(source)).toEqual({ values: [1, 2, 3], offsets: [1, 2, 3] })
  expect((await readAll(source, 2)).values).toEqual([3])
  expect(await failureOf(source.open(sourceContext(4)))).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD', details: { found: 3 } })
})

test('a stream that can begin anywhere is begun at the offset of its chunks', async () => {
  const source = fromReadable({
    open: async (from?: number) => Readable.from([10, 20, 30].filter((id) => id > (from ?? 0)).map((id) => ({ id }))),
    offsetOf: ({ id }: { readonly id: number }) => id,
    offset: t.number,
  })
  expect((await readAll(source)).offsets).toEqual([10, 20, 30])
  expect((await readAll(source, 10)).values).toEqual([{ id: 20 }, { id: 30 }])
})

test('a stream that nobody reads is not pulled beyond its high-water mark', async () => {
  let made = 0
  const open = () =>
    new Readable({
      objectMode: true,
      highWaterMark: 4,
      read() {
        this.push((made += 1))
      },
    })
  const reader = await openedReader(fromReadable<number>({ open }))
  expect(await unwrap(reader.read(2))).toMatchObject({ batch: { values: [1, 2] } })
  await settled()
  expect(made).toBeLessThanOrEqual(2 + 4 + 1)
})

test('the error of a stream comes behind the chunks before it, with its cause', async () => {
  const cause = new Error('torn')
  const open = () =>
    Readable.from(
      (async function* () {
        yield 1
        throw cause
      })(),
    )
  const reader = await openedReader(fromReadable<number>({ open }))
  expect(await unwrap(reader.read(5))).toMatchObject({ batch: { values: [1] } })
  expect(await failureOf(reader.read(5))).toMatchObject({ code: 'SOURCE_IO', cause })
})

test('an error that comes before anybody reads waits for the first read', async () => {
  const path = `${await temporaryDirectory()}/missing`
  const reader = await openedReader(fromReadable<Buffer>({ open: () => createReadStream(path) }))
  await settled()
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_IO', cause: { code: 'ENOENT' } })
})

test.each(['unread', 'read'])('a stream that is %s is destroyed when the reader is closed', async (how) => {
  const streams: Readable[] = []
  const open = () => {
    const readable = new Readable({ objectMode: true, read() {} })
    readable.push(1)
    streams.push(readable)
    return readable
  }
  const reader = await openedReader(fromReadable<number>({ open }))
  if (how === 'read') await unwrap(reader.read(1))
  const waiting = how === 'read' ? failureOf(reader.read(1)) : undefined
  await settled()
  await reader.close()()
  await settled()
  expect(streams.map(({ destroyed }) => destroyed)).toEqual([true])
  if (waiting !== undefined) expect(await waiting).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
})

test('what was opened and is no stream is a mistake of the program', async () => {
  await expect(fromReadable({ open: () => [1] as never }).open(sourceContext())()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  expect(() => fromReadable({ open: () => Readable.from([]), closeMs: -1 })).toThrow('OPTION_INVALID')
})
