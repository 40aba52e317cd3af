import { appendFile, copyFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { decodeLines } from '../../backends/directory/reading/decodeLines.js'
import { type FileSourceOptions, fileSource } from '../../backends/directory/reading/fileSource.js'
import type { DeadLetter, ReplayableSource, SourceOffset, SourceReader } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { faultyFiles, systemError } from '../support/faultyFiles.js'
import { type ManualClock, manualClock, settled } from '../support/manualClock.js'
import { failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

type Files = { readonly [name: string]: string | Uint8Array }

async function folderOf(files: Files): Promise<string> {
  const folder = await temporaryDirectory()
  for (const [name, content] of Object.entries(files)) await writeFile(`${folder}/${name}`, content)
  return folder
}

const linesOf = (path: string, options?: FileSourceOptions): ReplayableSource<string> => fileSource(path, decodeLines(), options)

const readLines = async (files: Files, pattern: string, options?: FileSourceOptions): Promise<string[]> =>
  (await readAll(linesOf(`${await folderOf(files)}/${pattern}`, options))).values

/** A reader that follows files, in the hands of a test. */
interface Tail {
  readonly reader: SourceReader<string>
  readonly clock: ManualClock
  /** The records of the next batch; the offset behind them is kept. */
  next(): Promise<readonly string[]>
  /** How the next read fails. */
  fails(): Promise<unknown>
  /** Asserts that there is nothing to read. */
  waits(): Promise<void>
  offset: SourceOffset
}

async function tailOf(path: string, options: FileSourceOptions = {}, from?: SourceOffset): Promise<Tail> {
  const clock = manualClock()
  const reader = await openedReader(linesOf(path, { follow: true, ...options }), sourceContext(from, clock))
  let pending: Promise<readonly string[]> | undefined
  const reading = (): Promise<readonly string[]> => {
    pending ??= unwrap(reader.read(100)).then((read) => {
      if (read.kind === 'end') throw new Error('what is followed does not end')
      tail.offset = read.batch.offsetAfter(read.batch.values.length - 1)
      return read.batch.values
    })
    pending.catch(() => undefined)
    return pending
  }
  const tail: Tail = {
    reader,
    clock,
    offset: reader.start,
    async next() {
      const batch = reading()
      let done = false
      void batch.then(
        () => (done = true),
        () => (done = true),
      )
      for (let turn = 0; turn < 1_000 && !done; turn += 1) await clock.advance(100)
      pending = undefined
      return batch
    },
    fails: () =>
      tail.next().then(
        (batch) => Promise.reject(new Error(`expected a failure, found ${JSON.stringify(batch)}`)),
        (error: unknown) => error,
      ),
    async waits() {
      let found: unknown
      reading().then(
        (batch) => (found = batch),
        (error: unknown) => (found = error),
      )
      for (let turn = 0; turn < 4; turn += 1) {
        for (let wait = 0; wait < 10_000 && clock.pendingCount === 0 && found === undefined; wait += 1) await settled(1)
        await clock.advance(100)
      }
      expect(found).toBeUndefined()
    },
  }
  return tail
}

test('reads the files of a pattern by name, numbers as numbers', async () => {
  const files = { 'part-10': 'c\n', 'part-2': 'b\n', 'part-1': 'a\n', other: 'x\n', '.part-3': 'x\n' }
  expect(await readLines(files, 'part-*')).toEqual(['a', 'b', 'c'])
  expect(await readLines(files, 'part-?')).toEqual(['a', 'b'])
  expect(await readLines(files, '')).toEqual(['x', 'a', 'b', 'c'])
  expect(await readLines(files, 'other')).toEqual(['x'])
  expect(await readLines(files, 'none-*')).toEqual([])
  expect(await readLines({ 'a(1).log': 'a\n', 'a1.log': 'x\n' }, 'a(?).log')).toEqual(['a'])
})

test('a rotation is read from its oldest file on', async () => {
  const numbered = { 'app.log': 'd\n', 'app.log.1': 'c\n', 'app.log.2.gz': gzipSync('b\n'), 'app.log.10.gz': gzipSync('a\n') }
  expect(await readLines(numbered, 'app.log*', { order: 'numbered' })).toEqual(['a', 'b', 'c', 'd'])
  const dated = { 'app.log': 'c\n', 'app.log-20260102': 'b\n', 'app.log-20260101.gz': gzipSync('a\n') }
  expect(await readLines(dated, 'app.log*', { order: 'dated' })).toEqual(['a', 'b', 'c'])
  expect(await readLines({ 'app.log': 'c\n', 'app.1.log': 'b\n', 'app.2.log': 'a\n' }, 'app*', { order: 'numbered' })).toEqual(['a', 'b', 'c'])
})

test('two files of which none is older are refused', async () => {
  for (const order of ['numbered', 'dated'] as const) {
    const source = linesOf(`${await folderOf({ 'a.log': 'a\n', 'b.log': 'b\n' })}/*.log`, { order })
    expect(await failureOf((await openedReader(source)).read(1))).toMatchObject({ code: 'SOURCE_FILES_UNORDERED' })
  }
})

test('directories among the files are passed over, and so is a compressed file whose source is there', async () => {
  const folder = await folderOf({ 'a.log': 'a\n', 'c.log': 'c\n', 'c.log.gz': 'not yet' })
  await mkdir(`${folder}/b.log`)
  expect((await readAll(linesOf(`${folder}/*`))).values).toEqual(['a', 'c'])
})

test('what stands behind the last newline of a finished file is a record, or malformed', async () => {
  const files = { a: 'one\ntwo', b: 'three\nfour' }
  expect(await readLines(files, '?')).toEqual(['one', 'two', 'three', 'four'])
  const deadLetters = sideOutput<DeadLetter>('bad')
  const folder = await folderOf(files)
  expect((await readAll(linesOf(`${folder}/?`, { unterminated: 'malformed', deadLetters }))).values).toEqual(['one', 'three'])
  const reader = await openedReader(linesOf(`${folder}/?`, { unterminated: 'malformed' }))
  await unwrap(reader.read(10))
  expect(await failureOf(reader.read(10))).toMatchObject({
    code: 'RECORD_MALFORMED',
    details: { path: `${folder}/a`, position: 4, reason: 'no newline at the end of the file' },
  })
})

test('an offset names one file and does not grow with their number', async () => {
  const folder = await folderOf(Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, `line ${index}\n`])))
  const { values, offsets } = await readAll(linesOf(`${folder}/f*`))
  expect(values).toHaveLength(200)
  expect(offsets[199]).toMatchObject({ name: 'f199', older: 199, position: 9 })
  expect(JSON.stringify(offsets[199]).length).toBeLessThan(200)
})

test('a record that cannot be decoded ends the run, or is a dead letter that tells where', async () => {
  const folder = await folderOf({ a: 'good\n', b: Buffer.from([0xff, 10, 65, 10]) })
  const deadLetters = sideOutput<DeadLetter>('bad')
  const source = linesOf(`${folder}/?`, { deadLetters })
  expect(source.deadLetters).toBe(deadLetters)
  const reader = await openedReader(source)
  await unwrap(reader.read(10))
  const read = await unwrap(reader.read(10))
  if (read.kind === 'end') throw new Error('expected a batch')
  expect([...(read.batch.malformed ?? [])]).toMatchObject([[0, { offset: { name: 'b', position: 0 }, reason: 'no UTF-8' }]])
  expect(read.batch.values[1]).toBe('A')
  expect((await readAll(source, read.batch.offsetAfter(0))).values).toEqual(['A'])
  const strict = await openedReader(fileSource(`${folder}/a`, decodeLines(t.literal('other'))))
  expect(await failureOf(strict.read(10))).toMatchObject({ code: 'RECORD_MALFORMED', details: { position: 0 } })
})

test('a record over the limit is an error or a dead letter, however much is read at once', async () => {
  const deadLetters = sideOutput<DeadLetter>('bad')
  const content = `1\n${'x'.repeat(31)}\n2\n${'y'.repeat(30)}\n${'z'.repeat(90)}`
  for (const readBytes of [1, 7, 32, 1_000]) {
    const path = `${await folderOf({ a: content, b: 'b\n' })}/?`
    expect((await readAll(linesOf(path, { recordBytesMax: 30, readBytes, deadLetters }))).values).toEqual(['1', '2', 'y'.repeat(30), 'b'])
    const reader = await openedReader(linesOf(path, { recordBytesMax: 30, readBytes }))
    await unwrap(reader.read(10))
    expect(await failureOf(reader.read(10))).toMatchObject({ code: 'RECORD_TOO_LONG', details: { position: 2 } })
  }
})

test('a followed log is read as it grows and rotates, a torn line waits for its newline', async () => {
  const folder = await folderOf({ 'app.log': 'one\ntw' })
  const log = `${folder}/app.log`
  const tail = await tailOf(`${log}*`, { order: 'numbered' })
  expect(await tail.next()).toEqual(['one'])
  await tail.waits()
  await appendFile(log, 'o\n')
  expect(await tail.next()).toEqual(['two'])
  await rename(log, `${log}.1`)
  await writeFile(log, '')
  await tail.waits()
  // The writer has not opened the new file yet.
  await appendFile(`${log}.1`, 'three\n')
  expect(await tail.next()).toEqual(['three'])
  await writeFile(log, 'four\n')
  expect(await tail.next()).toEqual(['four'])
  expect(tail.offset).toMatchObject({ name: 'app.log', position: 5 })
  await tail.reader.close()()
})

test('the rest of a file that was rotated before it was read comes before the new one', async () => {
  const folder = await folderOf({ 'app.log': 'one\n' })
  const log = `${folder}/app.log`
  const tail = await tailOf(`${log}*`, { order: 'numbered' })
  expect(await tail.next()).toEqual(['one'])
  await appendFile(log, 'two\nthr')
  await rename(log, `${log}.1`)
  await writeFile(log, 'four\n')
  expect(await tail.next()).toEqual(['two'])
  expect(await tail.next()).toEqual(['thr'])
  expect(await tail.next()).toEqual(['four'])
  await tail.reader.close()()
})

test('followed files and their directory may appear later', async () => {
  const folder = await temporaryDirectory()
  const tail = await tailOf(`${folder}/later/*.log`)
  await tail.waits()
  await mkdir(`${folder}/later`)
  await tail.waits()
  await writeFile(`${folder}/later/1.log`, 'one\n')
  expect(await tail.next()).toEqual(['one'])
  await writeFile(`${folder}/later/2.log`, 'two\n')
  expect(await tail.next()).toEqual(['two'])
  await tail.reader.close()()
})

test('a newer file is begun only after the time that its writers are given', async () => {
  const folder = await folderOf({ 1: 'one\n' })
  const tail = await tailOf(`${folder}/*`, { graceMs: 1_000 })
  expect(await tail.next()).toEqual(['one'])
  await tail.waits()
  await writeFile(`${folder}/2`, 'two\n')
  await tail.waits()
  await appendFile(`${folder}/1`, 'late\n')
  expect(await tail.next()).toEqual(['late'])
  const began = tail.clock.nowMs()
  expect(await tail.next()).toEqual(['two'])
  expect(tail.clock.nowMs() - began).toBeGreaterThanOrEqual(1_000)
  await tail.reader.close()()
})

test('a pending read settles when the reader is closed, and nothing stays behind', async () => {
  for (const files of [{}, { 'a.log': 'a\n' }, { 'a.log.gz': gzipSync('a\n') }]) {
    const clock = manualClock()
    const source = linesOf(`${await folderOf(files)}/a.log*`, { follow: true })
    const reader = await openedReader(source, sourceContext(undefined, clock))
    if (Object.keys(files).length > 0) await unwrap(reader.read(10))
    const reading = failureOf(reader.read(10))
    for (let turn = 0; turn < 10_000 && clock.pendingCount === 0; turn += 1) await settled(1)
    await reader.close()()
    await reader.close()()
    expect(await reading).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
    expect(await failureOf(reader.read(10))).toMatchObject({ code: 'SOURCE_IO' })
    expect(clock.pendingCount).toBe(0)
  }
})

test('a file that was renamed or compressed since the checkpoint is found again', async () => {
  const text = Array.from({ length: 300 }, (_, index) => `line ${index} of the first file`)
  const content = `${text.join('\n')}\n`
  for (const order of ['numbered', 'dated'] as const) {
    const [first, second] = order === 'numbered' ? ['1', '2'] : ['20260102', '20260101']
    const folder = await folderOf({ 'app.log': content })
    const log = `${folder}/app.log`
    const source = linesOf(`${log}*`, { order })
    const { offsets } = await readAll(source)
    await rename(log, `${log}.${first}`)
    await writeFile(log, 'line 0 of another file\n')
    expect((await readAll(source, offsets[298])).values).toEqual([text[299], 'line 0 of another file'])
    await rm(`${log}.${first}`)
    await writeFile(`${log}.${second}.gz`, gzipSync(content))
    await writeFile(`${log}.${first}`, 'line 0 of a third file\n')
    for (const index of [0, 100, 298])
      expect((await readAll(source, offsets[index])).values).toEqual([...text.slice(index + 1), 'line 0 of a third file', 'line 0 of another file'])
    await rm(`${log}.${second}.gz`)
    expect(await failureOf(source.open(sourceContext(offsets[298])))).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
    expect((await readAll(linesOf(`${log}*`, { order, onOffsetGone: 'next' }), offsets[298])).values).toHaveLength(2)
  }
})

test('a file that may be either of two is not guessed', async () => {
  const folder = await folderOf({ 'app.log': 'started\none\n' })
  const source = linesOf(`${folder}/app.log*`, { order: 'numbered' })
  const { offsets } = await readAll(source)
  await rm(`${folder}/app.log`)
  await writeFile(`${folder}/app.log.1.gz`, gzipSync('started\none\n'))
  await writeFile(`${folder}/app.log`, 'started\ntwo\n')
  expect(await failureOf(source.open(sourceContext(offsets[0])))).toMatchObject({
    code: 'SOURCE_OFFSET_GONE',
    details: { reason: expect.stringMatching(/more than one file.*app.log.1.gz, app.log/) },
  })
  expect((await readAll(source, offsets[1])).values).toEqual(['started', 'two'])
})

test('a file that is gone, shorter or rewritten since is an error on restore, or what was chosen', async () => {
  const folder = await folderOf({ 1: 'a\nb\n', 2: 'c\nd\n', 3: 'e\n' })
  const source = (options?: FileSourceOptions) => linesOf(`${folder}/*`, options)
  const { offsets } = await readAll(source())
  const resumed = (options?: FileSourceOptions) => readAll(source(options), offsets[2]).then(({ values }) => values)
  const failure = () => failureOf(source().open(sourceContext(offsets[2])))
  await truncate(`${folder}/2`, 1)
  expect(await failure()).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD', details: { path: `${folder}/2`, position: 2, bytes: 1 } })
  await writeFile(`${folder}/2`, 'x\nd\n')
  expect(await failure()).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  await rm(`${folder}/2`)
  expect(await failure()).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  expect(await resumed({ onOffsetGone: 'next' })).toEqual(['e'])
  expect(await resumed({ onOffsetGone: 'earliest' })).toEqual(['a', 'b', 'e'])
  await writeFile(`${folder}/2`, 'c\nd\n')
  expect(await resumed()).toEqual(['d', 'e'])
})

test('offsets of another kind of source are refused', async () => {
  const source = linesOf(`${await folderOf({ a: 'a\n' })}/*`)
  for (const offset of [7, 'x', [], { position: 1, head: 0, tail: 0 }, { name: 'a', file: 'b', older: 0, position: 1.5, head: 0, tail: 0 }])
    expect(await failureOf(source.open(sourceContext(offset)))).toMatchObject({ code: 'STATE_KIND_CHANGED' })
})

test('a file that shrinks while it is read is an error, and stays one', async () => {
  const folder = await folderOf({ 'app.log': 'one\ntwo\n' })
  const tail = await tailOf(`${folder}/app.log*`, { order: 'numbered' })
  await tail.next()
  await truncate(`${folder}/app.log`, 0)
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_TRUNCATED', details: { path: `${folder}/app.log`, position: 8 } })
  const again = linesOf(`${folder}/app.log*`, { order: 'numbered', follow: true })
  expect(await failureOf(again.open(sourceContext(tail.offset)))).toMatchObject({ code: 'SOURCE_OFFSET_AHEAD' })
})

test('a log that is copied before it is truncated is read on in the copy', async () => {
  for (const after of ['', 'four\n', 'a line that is longer than what stood in the file before\n']) {
    const folder = await folderOf({ 'app.log': 'one\n' })
    const log = `${folder}/app.log`
    const options: FileSourceOptions = { order: 'numbered', onTruncated: 'copied' }
    const tail = await tailOf(`${log}*`, options)
    expect(await tail.next()).toEqual(['one'])
    const { offset } = tail
    await appendFile(log, 'two\nthree\n')
    await copyFile(log, `${log}.1`)
    await truncate(log, 0)
    await appendFile(log, after)
    expect(await tail.next()).toEqual(['two', 'three'])
    if (after !== '') expect(await tail.next()).toEqual([after.trim()])
    else await tail.waits()
    await tail.reader.close()()
    expect((await readAll(linesOf(`${log}*`, options), offset)).values).toEqual(['two', 'three', ...(after === '' ? [] : [after.trim()])])
  }
})

test('a copied log that begins again like before is told by its copy, not by what it holds', async () => {
  const ticks = (count: number, last: string): string => `${'tick\n'.repeat(count)}${last}\n`
  for (const [begun, copied, again] of [
    ['lin', 'line 0\nline 1\n', 'line 2\nline 3\nline 4\n'],
    ['tick\ntick\n', ticks(3, 'old'), ticks(4, 'new')],
    // As long as what was read.
    ['line 0\n', 'line 0\nline 1\n', 'line 2\n'],
  ] as const) {
    const folder = await folderOf({ 'app.log.1': 'earlier\n', 'app.log': begun })
    const log = `${folder}/app.log`
    const options: FileSourceOptions = { order: 'numbered', onTruncated: 'copied' }
    const tail = await tailOf(`${log}*`, options)
    const read = [...(await tail.next())]
    if (begun.endsWith('\n')) read.push(...(await tail.next()))
    await tail.waits()
    const { offset } = tail
    const left = read.slice()
    await appendFile(log, copied.slice(begun.length))
    await rename(`${log}.1`, `${log}.2`)
    await copyFile(log, `${log}.1`)
    await truncate(log, 0)
    await appendFile(log, again)
    const whole = `earlier\n${copied}${again}`.trimEnd().split('\n')
    while (read.length < whole.length) read.push(...(await tail.next()))
    expect(read).toEqual(whole)
    await tail.waits()
    await tail.reader.close()()
    expect([...left, ...(await readAll(linesOf(`${log}*`, options), offset)).values]).toEqual(whole)
  }
})

test('a log that was copied and not truncated yet is read once', async () => {
  const folder = await folderOf({ 'app.log.2': 'one\n', 'app.log.1': 'two\nthree\n', 'app.log': 'two\nthree\n' })
  const log = `${folder}/app.log`
  const tail = await tailOf(`${log}*`, { order: 'numbered', onTruncated: 'copied' })
  expect([...(await tail.next()), ...(await tail.next())]).toEqual(['one', 'two', 'three'])
  await tail.waits()
  await truncate(log, 0)
  await appendFile(log, 'four\n')
  expect(await tail.next()).toEqual(['four'])
  await tail.reader.close()()
})

test('a log that begins with the whole of its copy is read after a while', async () => {
  const folder = await folderOf({ 'app.log.1': 'started\n', 'app.log': 'started\none\n' })
  const path = `${folder}/app.log*`
  const tail = await tailOf(path, { order: 'numbered', onTruncated: 'copied' })
  expect([...(await tail.next()), ...(await tail.next())]).toEqual(['started', 'started', 'one'])
  expect(tail.clock.nowMs()).toBeGreaterThanOrEqual(1_000)
  await tail.reader.close()()
})

test('what stood before a copied log may be compressed or removed', async () => {
  for (const then of ['compressed', 'removed'] as const) {
    const folder = await folderOf({ 'app.log.1': 'started\nold\n', 'app.log': 'started\n' })
    const log = `${folder}/app.log`
    const tail = await tailOf(`${log}*`, { order: 'numbered', onTruncated: 'copied' })
    expect([...(await tail.next()), ...(await tail.next())]).toEqual(['started', 'old', 'started'])
    if (then === 'compressed') await writeFile(`${log}.1.gz`, gzipSync('started\nold\n'))
    await rm(`${log}.1`)
    await appendFile(log, 'new\n')
    expect(await tail.next()).toEqual(['new'])
    await tail.waits()
    await tail.reader.close()()
  }
})

test('a log of which more was read than its copy has is an error, or begun again', async () => {
  const folder = await folderOf({ 'app.log.1': 'one\n', 'app.log': 'two\nbetween\n' })
  const log = `${folder}/app.log`
  const options: FileSourceOptions = { order: 'numbered', onTruncated: 'copied' }
  const tail = await tailOf(`${log}*`, options)
  expect([...(await tail.next()), ...(await tail.next())]).toEqual(['one', 'two', 'between'])
  await rename(`${log}.1`, `${log}.2`)
  await writeFile(`${log}.1`, 'two\n')
  await truncate(log, 0)
  await appendFile(log, 'three\n')
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_TRUNCATED', cause: { code: 'SOURCE_OFFSET_GONE' } })
  expect(await failureOf(linesOf(`${log}*`, options).open(sourceContext(tail.offset)))).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
  expect((await readAll(linesOf(`${log}*`, { ...options, onOffsetGone: 'next' }), tail.offset)).values).toEqual(['three'])
})

test('a truncated log without its copy is an error', async () => {
  const folder = await folderOf({ 'app.log': 'one\ntwo\n' })
  const tail = await tailOf(`${folder}/app.log*`, { order: 'numbered', onTruncated: 'copied' })
  await tail.next()
  await writeFile(`${folder}/app.log.1`, 'something else\n')
  await truncate(`${folder}/app.log`, 0)
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_TRUNCATED', cause: { code: 'SOURCE_OFFSET_GONE' } })
})

const misdeeds: { readonly [what: string]: (folder: string) => Promise<void> } = {
  'that is rewritten': (folder) => writeFile(`${folder}/2`, 'x\ny\nz\n'),
  'whose name another one takes': async (folder) => {
    await writeFile(`${folder}/new`, 'x\n')
    await rename(`${folder}/new`, `${folder}/2`)
  },
  'before it that grows': (folder) => appendFile(`${folder}/1`, 'late\n'),
}
for (const [what, misdeed] of Object.entries(misdeeds))
  test(`a file ${what} is an error`, async () => {
    const folder = await folderOf({ 1: 'one\n', 2: 'two\n' })
    const tail = await tailOf(`${folder}/?`)
    await tail.next()
    await tail.next()
    await tail.waits()
    await misdeed(folder)
    expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_CHANGED' })
  })

test('a file that grows after its torn last line was taken is an error', async () => {
  const folder = await folderOf({ 1: 'torn', 2: '' })
  const tail = await tailOf(`${folder}/?`)
  await tail.waits()
  await writeFile(`${folder}/2`, 'two\n')
  expect(await tail.next()).toEqual(['torn'])
  await appendFile(`${folder}/1`, ' and mended\n')
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_CHANGED', details: { position: 4 } })
})

test('a file that comes before one that was read is an error, while it runs and on restore', async () => {
  const folder = await folderOf({ 'day-1': 'one\n', 'day-3': 'three\n' })
  const tail = await tailOf(`${folder}/day-*`)
  await tail.next()
  await tail.next()
  await tail.waits()
  await writeFile(`${folder}/day-2`, 'two\n')
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_LATE', details: { before: 'day-3' } })
  const source = linesOf(`${folder}/day-*`)
  expect(await failureOf(source.open(sourceContext(tail.offset)))).toMatchObject({ code: 'SOURCE_FILE_LATE' })
  await rm(`${folder}/day-2`)
  await rm(`${folder}/day-1`)
  expect((await readAll(source, tail.offset)).values).toEqual([])
})

test('a removed file of a rotation leaves its place unknown, which is an error or what was chosen', async () => {
  for (const onOffsetGone of ['fail', 'next'] as const) {
    const folder = await folderOf({ 'app.log.1': 'one\n', 'app.log': '' })
    const tail = await tailOf(`${folder}/app.log*`, { order: 'numbered', onOffsetGone })
    expect(await tail.next()).toEqual(['one'])
    await tail.waits()
    await rm(`${folder}/app.log.1`)
    if (onOffsetGone === 'fail') expect(await tail.fails()).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
    else {
      await tail.waits()
      await writeFile(`${folder}/app.log`, 'two\n')
      expect(await tail.next()).toEqual(['two'])
      await tail.reader.close()()
    }
  }
})

test('a file that is compressed while it is read is read to its end, and the next one after it', async () => {
  const folder = await folderOf({ 'app.log.1': 'one\n', 'app.log': '' })
  const log = `${folder}/app.log`
  const tail = await tailOf(`${log}*`, { order: 'numbered' })
  expect(await tail.next()).toEqual(['one'])
  await appendFile(`${log}.1`, 'two\n')
  expect(await tail.next()).toEqual(['two'])
  await writeFile(`${log}.1.gz`, gzipSync('one\ntwo\n'))
  await tail.waits()
  await rm(`${log}.1`)
  await tail.waits()
  await writeFile(log, 'three\n')
  expect(await tail.next()).toEqual(['three'])
  await tail.reader.close()()
})

test('a compressed file that still grows is waited for, one that ends in the middle is an error', async () => {
  const lines = Array.from({ length: 4_000 }, (_, index) => `${index} ${(index * 7_919) % 10_007}`)
  const whole = gzipSync(`${lines.join('\n')}\n`)
  const half = whole.subarray(0, whole.length >> 1)
  const folder = await folderOf({ '1.log.gz': half })
  const tail = await tailOf(`${folder}/*.gz`, { readBytes: 4_096 })
  const found: string[] = []
  const { reader, clock } = tail
  while (found.length < lines.length) {
    let batch: readonly string[] | undefined
    void unwrap(reader.read(1_000)).then((read) => (batch = read.kind === 'batch' ? read.batch.values : []))
    for (let turn = 0; turn < 10_000 && batch === undefined && clock.pendingCount === 0; turn += 1) await settled(1)
    if (batch === undefined) {
      expect(found.length).toBeGreaterThan(1_000)
      expect(found.length).toBeLessThan(3_000)
      await writeFile(`${folder}/1.log.gz`, whole)
      for (let turn = 0; turn < 10_000 && batch === undefined; turn += 1) await clock.advance(100)
    }
    found.push(...(batch ?? []))
  }
  expect(found).toEqual(lines)
  await reader.close()()
  const cut = await openedReader(linesOf(`${await folderOf({ '1.log.gz': half, '2.log.gz': gzipSync('next\n') })}/*.gz`))
  await unwrap(cut.read(1_000_000))
  let failure: unknown
  while (failure === undefined)
    failure = await unwrap(cut.read(1_000_000)).then(
      () => undefined,
      (error: unknown) => error,
    )
  expect(failure).toMatchObject({ code: 'SOURCE_FILE_DAMAGED', details: { reason: 'it ends in the middle' } })
})

test('a compressed file is damaged, empty, or made of several members', async () => {
  const damaged = await openedReader(linesOf(`${await folderOf({ 'a.gz': 'this is no gzip' })}/a.gz`))
  expect(await failureOf(damaged.read(1))).toMatchObject({ code: 'SOURCE_FILE_DAMAGED', cause: { code: 'Z_DATA_ERROR' } })
  expect(await readLines({ 'a.gz': '', 'b.gz': gzipSync(''), 'c.gz': Buffer.concat([gzipSync('one\nt'), gzipSync('wo\n')]) }, '*.gz')).toEqual([
    'one',
    'two',
  ])
})

test('a followed compressed file may get another member, and must not shrink', async () => {
  const path = `${await folderOf({ 'a.gz': gzipSync('one\n') })}/a.gz`
  const tail = await tailOf(path)
  expect(await tail.next()).toEqual(['one'])
  await tail.waits()
  await appendFile(path, gzipSync('two\n'))
  expect(await tail.next()).toEqual(['two'])
  await appendFile(path, Buffer.alloc(100))
  await tail.waits()
  await truncate(path, 20)
  expect(await tail.fails()).toMatchObject({ code: 'SOURCE_FILE_TRUNCATED', details: { position: 8 } })
})

test('a missing file is an error, a missing directory too', async () => {
  const folder = await temporaryDirectory()
  expect(await failureOf(linesOf(`${folder}/none`).open(sourceContext()))).toMatchObject({
    code: 'SOURCE_IO',
    details: { reason: 'the file is missing' },
  })
  const reader = await openedReader(linesOf(`${folder}/none/*`))
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_IO', cause: { code: 'ENOENT' } })
})

test('each failure of the file system is an error with its cause, and every file is closed', async () => {
  const files = { 'a.log.2.gz': gzipSync('one\n'), 'a.log.1': 'two\n', 'a.log': 'three\n' }
  const path = `${await folderOf(files)}/a.log*`
  const { offsets } = await readAll(linesOf(path, { order: 'numbered' }))
  let failures = 0
  for (let fails = 1; ; fails += 1) {
    let open = 0
    const faulty = faultyFiles(nodeFiles, (operation, index) => {
      if (operation.startsWith('open')) open += 1
      if (operation.startsWith('close')) open -= 1
      if (index !== fails) return undefined
      if (operation.startsWith('open')) open -= 1
      return systemError('EIO')
    })
    const source = linesOf(path, { order: 'numbered', files: faulty })
    const opened = await source.open(sourceContext(offsets[0]))()
    let error: unknown = opened._tag === 'Left' ? opened.left : undefined
    if (opened._tag === 'Right') {
      const values: string[] = []
      while (error === undefined) {
        const read = await opened.right.read(10)()
        if (read._tag === 'Left') error = read.left
        else if (read.right.kind === 'end') break
        else values.push(...read.right.batch.values)
      }
      if (error === undefined) expect(values).toEqual(['two', 'three'])
      await opened.right.close()()
    }
    expect(open).toBe(0)
    if (faulty.operations.length < fails) break
    if (error !== undefined) {
      failures += 1
      expect(error).toMatchObject({ code: 'SOURCE_IO', cause: { code: 'EIO' } })
    }
  }
  expect(failures).toBeGreaterThan(20)
})

test('options out of their range are refused', () => {
  for (const options of [
    { readBytes: 0 },
    { recordBytesMax: 0.5 },
    { pollMs: 0 },
    { graceMs: -1 },
    { readBytes: Number.POSITIVE_INFINITY },
    { order: 'mtime' as 'name' },
    { onTruncated: 'ignore' as 'fail' },
  ])
    expect(() => linesOf('x', options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  for (const path of ['', 'a*/b', 'a/**']) expect(() => linesOf(path)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  expect(() => fileSource('x', {} as ReturnType<typeof decodeLines>)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})

test('a source that was never opened touches no file', () => {
  const files = faultyFiles(nodeFiles, () => systemError('EIO'))
  linesOf('x', { files })
  expect(files.operations).toEqual([])
})
