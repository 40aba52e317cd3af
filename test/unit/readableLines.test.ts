import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readableLines } from '../../backends/nodeStreams/readableLines.js'
import type { DeadLetter } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

const text = '\uFEFFäh\r\n\nto be\nor not'
const pieces = (size: number): Readable => {
  const bytes = Buffer.from(text)
  return Readable.from(Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size)))
}

test.each([1, 2, 3, 5, 100])('reads lines out of chunks of %i bytes', async (size) => {
  const source = readableLines({ open: () => pieces(size) })
  expect(await readAll(source)).toEqual({ values: ['äh', '', 'to be', 'or not'], offsets: [1, 2, 3, 4] })
  expect((await readAll(source, 2)).values).toEqual(['to be', 'or not'])
})

test('text is read as bytes are', async () => {
  expect((await readAll(readableLines({ open: () => Readable.from(['a\nb', 'c\n']) }))).values).toEqual(['a', 'bc'])
})

test('a file is begun at a position in bytes', async () => {
  const path = `${await temporaryDirectory()}/lines.txt`
  await writeFile(path, text)
  const starts: (number | undefined)[] = []
  const source = readableLines({
    offsets: 'bytes',
    open: (from) => {
      starts.push(from)
      return createReadStream(path, from === undefined ? {} : { start: from })
    },
  })
  const { offsets } = await readAll(source)
  expect(offsets).toEqual([8, 9, 15, 21])
  expect(await readAll(source, offsets[1])).toEqual({ values: ['to be', 'or not'], offsets: [15, 21] })
  expect(starts).toEqual([undefined, 9])
  expect(await failureOf(source.open(sourceContext('x')))).toMatchObject({ code: 'CODEC_MISMATCH' })
})

const bad = (): Readable => Readable.from([Buffer.from('a\n'), Buffer.from([255, 10]), Buffer.from(`${'x'.repeat(50)}\nb\n`)])

test('a bad line ends the run behind the lines before it, or goes to its side output', async () => {
  const reader = await openedReader(readableLines({ open: bad, lineBytesMax: 20 }))
  expect(await unwrap(reader.read(9))).toMatchObject({ batch: { values: ['a'] } })
  expect(await failureOf(reader.read(9))).toMatchObject({ code: 'RECORD_MALFORMED', details: { position: 2 } })
  const letters = await openedReader(readableLines({ open: bad, lineBytesMax: 20, deadLetters: sideOutput<DeadLetter>('letters') }))
  const found: unknown[] = []
  const values: string[] = []
  for (let read = await unwrap(letters.read(9)); read.kind === 'batch'; read = await unwrap(letters.read(9))) {
    found.push(...(read.batch.malformed?.values() ?? []))
    values.push(...read.batch.values)
  }
  expect(found).toMatchObject([
    { offset: 2, reason: 'no UTF-8' },
    { offset: 4, reason: 'longer than 20 bytes' },
  ])
  expect(values).toHaveLength(4)
})

test('a stream of something else is an error', async () => {
  const reader = await openedReader(readableLines({ open: () => Readable.from([5]) }))
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_IO', cause: { message: expect.stringContaining('number') } })
})

test.each([
  ['lineBytesMax', { lineBytesMax: 0 }],
  ['offsets', { offsets: 'pages' }],
])('a bad %s is refused when the source is made', (name, options) => {
  expect(() => readableLines({ open: () => pieces(1), ...options } as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})
