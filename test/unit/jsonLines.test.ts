import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { type JsonLinesOptions, jsonLines } from '../../backends/directory/jsonLines.js'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import type { DeadLetter } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { faultyFiles, systemError } from '../support/faultyFiles.js'
import { manualClock, settled } from '../support/manualClock.js'
import { drain, failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

const bad = sideOutput<DeadLetter>('bad')

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = `${await temporaryDirectory()}/lines.jsonl`
  await writeFile(path, content)
  return path
}

const valuesOf = async (content: string | Uint8Array, options?: JsonLinesOptions): Promise<unknown[]> =>
  (await readAll(jsonLines(await fileOf(content), t.unknown, options))).values

async function lettersOf(content: string | Uint8Array, options?: JsonLinesOptions): Promise<{ values: unknown[]; letters: DeadLetter[] }> {
  const reader = await openedReader(jsonLines(await fileOf(content), t.unknown, { deadLetters: bad, ...options }))
  const values: unknown[] = []
  const letters: DeadLetter[] = []
  for (;;) {
    const read = await unwrap(reader.read(3))
    if (read.kind === 'end') break
    for (const [index, value] of read.batch.values.entries()) {
      const letter = read.batch.malformed?.get(index)
      if (letter === undefined) values.push(value)
      else letters.push(letter)
    }
  }
  await reader.close()()
  return { values, letters }
}

test('reads one value a line', async () => {
  expect(await valuesOf('1\n{"a":"b"}\n[null,true]\n')).toEqual([1, { a: 'b' }, [null, true]])
  expect(await valuesOf('')).toEqual([])
})

test('skips blank lines and a byte order mark, and accepts CRLF', async () => {
  expect(await valuesOf('\ufeff1\r\n\r\n  \n\n2\r\n')).toEqual([1, 2])
  expect(await valuesOf('\ufeff\n"\ufeff"\n')).toEqual(['\ufeff'])
})

test('reads UTF-8 of any length, across the borders of what is read at once', async () => {
  const lines = ['"é"', '"漢字"', '"😀😀"', '1', '"plain"', '{"ключ":"значение"}']
  for (let readBytes = 1; readBytes < 40; readBytes += 1)
    expect(await valuesOf(`${lines.join('\n')}\n`, { readBytes })).toEqual(lines.map((line) => JSON.parse(line)))
})

test('reads a finished file to its end, with or without a last newline', async () => {
  expect(await valuesOf('1\n2')).toEqual([1, 2])
  expect(await valuesOf('1\n{"a":2}\r')).toEqual([1, { a: 2 }])
  const path = await fileOf('1\n{"torn":')
  const reader = await openedReader(jsonLines(path, t.unknown))
  await unwrap(reader.read(10))
  expect(await failureOf(reader.read(10))).toMatchObject({ code: 'RECORD_MALFORMED', details: { path, position: 2, reason: 'no JSON' } })
})

test('every offset resumes behind its record', async () => {
  const content = `\ufeff${Array.from({ length: 30 }, (_, index) => JSON.stringify({ index, text: 'é'.repeat(index) })).join('\r\n\n')}`
  for (const readBytes of [40, 1_000, 10_000]) {
    const source = jsonLines(await fileOf(content), t.unknown, { readBytes })
    const { values, offsets } = await readAll(source, undefined, 7)
    expect(values).toHaveLength(30)
    for (const [index, offset] of offsets.entries()) {
      const rest = await readAll(source, JSON.parse(JSON.stringify(offset)))
      expect(rest.values).toEqual(values.slice(index + 1))
      expect(rest.offsets).toEqual(offsets.slice(index + 1))
    }
  }
})

test('a reader starts at the offset given', async () => {
  const source = jsonLines(await fileOf('1\n2\n'), t.number)
  const first = await openedReader(source)
  expect(first.start).toEqual({ position: 0, head: 0, tail: 0 })
  const { offsets } = await drain(first)
  expect((await openedReader(source, sourceContext(offsets[0]))).start).toEqual(offsets[0])
})

test('an offset stays good while its file grows', async () => {
  const path = await fileOf('1\n')
  const { offsets } = await readAll(jsonLines(path, t.number))
  await appendFile(path, '2\n')
  expect((await readAll(jsonLines(path, t.number), offsets[0])).values).toEqual([2])
})

test('a bad line ends the run, after the lines before it', async () => {
  const path = await fileOf('1\n"two"\n3\n')
  const reader = await openedReader(jsonLines(path, t.number))
  expect(await unwrap(reader.read(10))).toMatchObject({ batch: { values: [1] } })
  for (let again = 0; again < 2; again += 1)
    expect(await failureOf(reader.read(10))).toMatchObject({ code: 'RECORD_MALFORMED', details: { path, position: 2 } })
})

test('dead letters take what is no JSON, what the codec refuses and what is no UTF-8', async () => {
  const content = Buffer.concat([Buffer.from('1\n{"a":\n'), Buffer.from([0x22, 0xff, 0x22, 0x0a]), Buffer.from('"ok"\n\n{')])
  const { values, letters } = await lettersOf(content)
  expect(values).toEqual([1, 'ok'])
  expect(letters).toMatchObject([
    { offset: { position: 2 }, text: '{"a":', reason: 'no JSON' },
    { offset: { position: 8 }, reason: 'no UTF-8' },
    { offset: { position: 18 }, text: '{', reason: 'no JSON' },
  ])
  const source = jsonLines(await fileOf('1\n"two"\n3\n'), t.number, { deadLetters: bad })
  expect(source.deadLetters).toBe(bad)
  const read = await unwrap((await openedReader(source)).read(10))
  if (read.kind === 'end') throw new Error('expected a batch')
  expect([...(read.batch.malformed?.keys() ?? [])]).toEqual([1])
  expect((await readAll(source, read.batch.offsetAfter(1))).values).toEqual([3])
})

test('the text of a dead letter is cut at a limit', async () => {
  const { letters } = await lettersOf(`${'x'.repeat(5_000)}\n`)
  expect(letters[0]?.text).toBe('x'.repeat(1024))
})

test('a line over the limit is an error or a dead letter, however much is read at once', async () => {
  const content = `1\n"${'x'.repeat(30)}"\n2\n"${'y'.repeat(28)}"\n"${'z'.repeat(29)}"`
  for (const readBytes of [1, 7, 32, 1_000]) {
    const options = { readBytes, lineBytesMax: 30 }
    const { values, letters } = await lettersOf(content, options)
    expect(values).toEqual([1, 2, 'y'.repeat(28)])
    expect(letters).toMatchObject([
      { offset: { position: 2 }, reason: 'longer than 30 bytes' },
      { offset: { position: 68 }, reason: 'longer than 30 bytes' },
    ])
    const reader = await openedReader(jsonLines(await fileOf(content), t.unknown, options))
    await unwrap(reader.read(10))
    expect(await failureOf(reader.read(10))).toMatchObject({ code: 'RECORD_TOO_LONG', details: { position: 2 } })
  }
})

test('a missing file is an error at the first start', async () => {
  const path = `${await temporaryDirectory()}/none`
  expect(await failureOf(jsonLines(path, t.unknown).open(sourceContext()))).toMatchObject({ code: 'SOURCE_IO', details: { path } })
  expect(
    await failureOf(jsonLines(path, t.unknown, { onOffsetGone: 'earliest' }).open(sourceContext({ position: 5, head: 0, tail: 0 }))),
  ).toMatchObject({ code: 'SOURCE_IO' })
})

test('a file that is gone, truncated or replaced since is an error on restore', async () => {
  const long = Array.from({ length: 200 }, (_, index) => `{"index":${index},"text":"some text that fills"}\n`)
  const path = await fileOf(long.join(''))
  const source = jsonLines(path, t.unknown)
  const { offsets } = await readAll(source)
  const resumed = () => failureOf(source.open(sourceContext(offsets[150])))
  await truncate(path, 3_000)
  expect(await resumed()).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD', details: { path, bytes: 3_000 } })
  await writeFile(path, long.join('').replace('"index":0', '"index":9'))
  expect(await resumed()).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  await writeFile(path, long.with(150, long[150]?.replace('fills', 'holds') ?? '').join(''))
  expect(await resumed()).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  await rm(path)
  expect(await resumed()).toMatchObject({ code: 'SOURCE_OFFSET_GONE', details: { reason: 'the file is missing' } })
  await writeFile(path, long.join(''))
  expect((await readAll(source, offsets[198])).values).toHaveLength(1)
})

test('onOffsetGone: earliest starts over instead', async () => {
  const path = await fileOf('1\n2\n3\n')
  const source = jsonLines(path, t.unknown, { onOffsetGone: 'earliest' })
  const { offsets } = await readAll(source)
  await writeFile(path, '4\n5\n6\n7\n')
  expect((await readAll(source, offsets[1])).values).toEqual([4, 5, 6, 7])
  await writeFile(path, '8\n')
  expect((await readAll(source, offsets[1])).values).toEqual([8])
  await writeFile(path, '1\n2\n3\n')
  expect((await readAll(source, offsets[1])).values).toEqual([3])
})

test('an offset of another kind of source is refused', async () => {
  const source = jsonLines(await fileOf('1\n'), t.unknown)
  for (const offset of [7, 'x', [], { position: -1, head: 0, tail: 0 }, { position: 1.5, head: 0, tail: 0 }, { position: 1 }])
    expect(await failureOf(source.open(sourceContext(offset)))).toMatchObject({ code: 'STATE_KIND_CHANGED' })
})

test('a followed file is read as it grows, and a torn line waits for its newline', async () => {
  const path = await fileOf('1\n2')
  const clock = manualClock()
  const reader = await openedReader(jsonLines(path, t.unknown, { follow: true, followMs: 50 }), sourceContext(undefined, clock))
  expect(await unwrap(reader.read(10))).toMatchObject({ batch: { values: [1] } })
  let found: unknown
  const reading = unwrap(reader.read(10)).then((read) => (found = read))
  await waiting(clock)
  await clock.advance(50)
  await waiting(clock)
  expect(found).toBeUndefined()
  await appendFile(path, '3\n4')
  await clock.advance(50)
  await reading
  expect(found).toMatchObject({ batch: { values: [23] } })
  await reader.close()()
})

/** Waits until a reader has asked the clock to be called. */
async function waiting(clock: ReturnType<typeof manualClock>): Promise<void> {
  for (let turn = 0; turn < 10_000 && clock.pendingCount === 0; turn += 1) await settled(1)
  expect(clock.pendingCount).toBe(1)
}

test('a followed file may appear later', async () => {
  const path = `${await temporaryDirectory()}/later`
  const clock = manualClock()
  const reader = await openedReader(jsonLines(path, t.unknown, { follow: true }), sourceContext({ position: 0, head: 0, tail: 0 }, clock))
  const reading = unwrap(reader.read(10))
  await waiting(clock)
  await writeFile(path, '1\n')
  await clock.advance(100)
  expect(await reading).toMatchObject({ batch: { values: [1] } })
  await reader.close()()
})

test('a pending read settles when the reader is closed, and nothing stays behind', async () => {
  for (const content of ['1\n', undefined]) {
    const path = content === undefined ? `${await temporaryDirectory()}/none` : await fileOf(content)
    const clock = manualClock()
    const reader = await openedReader(jsonLines(path, t.unknown, { follow: true }), sourceContext(undefined, clock))
    if (content !== undefined) await unwrap(reader.read(10))
    const reading = failureOf(reader.read(10))
    await waiting(clock)
    await reader.close()()
    await reader.close()()
    expect(await reading).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
    expect(await failureOf(reader.read(10))).toMatchObject({ code: 'SOURCE_IO' })
    expect(clock.pendingCount).toBe(0)
  }
})

const misdeeds: Record<string, { readonly reason: RegExp; readonly misdeed: (path: string) => Promise<void> }> = {
  'that shrinks': { reason: /shrank/, misdeed: (path) => truncate(path, 4) },
  'that is replaced': {
    reason: /replaced/,
    misdeed: async (path) => {
      await writeFile(`${path}.new`, '1\n')
      await rename(`${path}.new`, path)
    },
  },
  'that is removed': { reason: /replaced/, misdeed: (path) => rm(path) },
  'that is rewritten': { reason: /rewritten/, misdeed: (path) => writeFile(path, '5\n6\n7\n8\n') },
}

for (const [what, { reason, misdeed }] of Object.entries(misdeeds)) {
  test(`a followed file ${what} is an error, not a wait`, async () => {
    const path = await fileOf('1\n2\n3\n')
    const clock = manualClock()
    const reader = await openedReader(jsonLines(path, t.unknown, { follow: true }), sourceContext(undefined, clock))
    await unwrap(reader.read(10))
    const reading = failureOf(reader.read(10))
    await waiting(clock)
    await misdeed(path)
    await clock.advance(100)
    expect(await reading).toMatchObject({ code: 'SOURCE_IO', details: { reason: expect.stringMatching(reason) } })
    await reader.close()()
  })
}

test('a failing disk is an error with its cause, at every operation', async () => {
  const path = await fileOf('1\n2\n3\n')
  const offset = (await readAll(jsonLines(path, t.unknown))).offsets[0]
  let failures = 0
  for (let index = 1; ; index += 1) {
    const files = faultyFiles(nodeFiles, (_, at) => (at === index ? systemError('EIO') : undefined))
    const source = jsonLines(path, t.unknown, { files })
    const opened = await source.open(sourceContext(offset))()
    const error = opened._tag === 'Left' ? opened.left : await failureOf(opened.right.read(10)).catch(() => undefined)
    if (opened._tag === 'Right') await opened.right.close()()
    if (files.operations.length < index) break
    if (error !== undefined) {
      failures += 1
      expect(error).toMatchObject({ code: 'SOURCE_IO', cause: { code: 'EIO' } })
    }
  }
  expect(failures).toBeGreaterThan(3)
})

test('options out of their range are refused', () => {
  for (const options of [{ readBytes: 0 }, { lineBytesMax: 0.5 }, { followMs: -1 }, { readBytes: Number.POSITIVE_INFINITY }])
    expect(() => jsonLines('x', t.unknown, options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})

test('a source that was never opened touches no file', () => {
  const files = faultyFiles(nodeFiles, () => systemError('EIO'))
  jsonLines('x', t.unknown, { files })
  expect(files.operations).toEqual([])
})
