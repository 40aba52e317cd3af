import { appendFile, readdir, rm, writeFile } from 'node:fs/promises'
import { option } from 'fp-ts'
import { describe, expect, test } from 'vitest'
import { jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import type { FileSinkOptions } from '../../backends/directory/rolling/fileSinkSettings.js'
import { CrashFs } from '../../laws/crashFs.js'
import { checkpointId } from '../../lib/identity.js'
import type { TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { faultyFiles, systemError } from '../support/faultyFiles.js'
import { finishedParts, finishedValues, stagedParts } from '../support/fileSinkTree.js'
import { manualClock, settled } from '../support/manualClock.js'
import { checkpoint, openedFileSink, preCommitted, write } from '../support/openedFileSink.js'
import { failureOf, sinkContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

const onCheckpoint = { rolling: { onCheckpoint: true } } as const
const partsOf = async (path: string, buckets?: readonly string[]) => Object.fromEntries(await finishedParts(nodeFiles, path, buckets))

describe('what a reader finds', () => {
  test('parts in their buckets, whole, behind the commit', async () => {
    const path = `${await temporaryDirectory()}/out`
    const writer = await openedFileSink<{ day: string; n: number }>(path, { ...onCheckpoint, bucket: ({ day }) => day })
    write(writer, { day: 'mon', n: 1 }, { day: 'tue/early', n: 2 }, { day: 'mon', n: 3 }, { day: '', n: 4 })
    const handle = await preCommitted(writer, 1)
    expect((await readdir(path)).sort()).toEqual(['.owner@job@sink@parts', '.parts'])
    await unwrap(writer.commit(handle))
    expect(await partsOf(path, ['', 'mon', 'tue/early'])).toEqual({
      'mon/part-000001-000000001': '{"day":"mon","n":1}\n{"day":"mon","n":3}\n',
      'tue/early/part-000001-000000002': '{"day":"tue/early","n":2}\n',
      'part-000001-000000003': '{"day":"","n":4}\n',
    })
    expect(await readdir(`${path}/.parts`)).toEqual(['.committed-000001-000000001'])
  })

  test('names with a prefix and a suffix, a header, and what was encoded', async () => {
    const path = await temporaryDirectory()
    const encode = (value: number): Uint8Array | string => (value % 2 === 0 ? Buffer.from(`${value};`) : `${value};`)
    const writer = await openedFileSink<number>(path, { ...onCheckpoint, encode, prefix: 'my.rows', suffix: '.txt', header: 'n;' })
    write(writer, 1, 2, 4, 3)
    await checkpoint(writer, 1)
    write(writer, 5)
    await checkpoint(writer, 2)
    expect(await partsOf(path)).toEqual({ 'my.rows-000001-000000001.txt': 'n;1;2;4;3;', 'my.rows-000001-000000002.txt': 'n;5;' })
  })

  test('compressed parts, also of what a later run added', async () => {
    const path = await temporaryDirectory()
    const options = { gzip: true, suffix: '.jsonl' } as const
    const writer = await openedFileSink(path, options)
    write(writer, 'a'.repeat(1_000))
    const handle = await checkpoint(writer, 1)
    const next = await openedFileSink(path, { ...options, epoch: 2, from: [handle] })
    write(next, 'b')
    next.endOfInput?.()
    await checkpoint(next, 2)
    expect(await partsOf(path)).toEqual({ 'part-000001-000000001.jsonl.gz': `"${'a'.repeat(1_000)}"\n"b"\n` })
  })

  test('what an encoder hands over is copied: it may use the same array again', async () => {
    const path = await temporaryDirectory()
    const scratch = new Uint8Array(1)
    const encode = (value: string): Uint8Array => {
      scratch[0] = value.charCodeAt(0)
      return scratch
    }
    const writer = await openedFileSink<string>(path, { ...onCheckpoint, encode })
    write(writer, 'a', 'b', 'c')
    await checkpoint(writer, 1)
    expect(Object.values(await partsOf(path))).toEqual(['abc'])
  })
})

describe('a part ends', () => {
  test('before the record that would follow more than sizeMax bytes', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink(`/out`, { files, rolling: { sizeMax: 8 } })
    write(writer, 'ab', 'é', 'c', 'd', 'e')
    const handle = await checkpoint(writer, 1)
    expect([...(await finishedParts(files, '/out')).values()]).toEqual(['"ab"\n"é"\n', '"c"\n"d"\n"e"\n'])
    expect(handle).toMatchObject({ open: [] })
  })

  test('so long after its first record, and so long after its last one, by the clock alone', async () => {
    const files = new CrashFs()
    const clock = manualClock()
    const writer = await openedFileSink<string>('/out', { files, clock, bucket: (value) => value, rolling: { ageMs: 100, inactivityMs: 30 } })
    for (let time = 0; time < 90; time += 20) {
      write(writer, 'busy')
      if (time === 20) write(writer, 'quiet')
      await clock.advance(20)
    }
    expect(files.openFiles).toBe(0)
    await checkpoint(writer, 1)
    expect([...(await finishedParts(files, '/out', ['busy', 'quiet'])).keys()]).toEqual(['busy/part-000001-000000001', 'quiet/part-000001-000000002'])
    await writer.close()()
    expect(clock.pendingCount).toBe(0)
  })

  test('at the barrier where its time has come and the clock has not called yet', async () => {
    const files = new CrashFs()
    const time = { now: 0 }
    const clock = { ...manualClock(), nowMs: () => time.now }
    const writer = await openedFileSink('/out', { files, clock, rolling: { ageMs: 10 } })
    write(writer, 1)
    expect(await checkpoint(writer, 1)).toMatchObject({ finished: [], open: [{ createdMs: 0, writtenMs: 0 }] })
    time.now = 10
    expect(await checkpoint(writer, 2)).toMatchObject({ finished: [{ bucket: '' }], open: [] })
  })

  test('in time also where an earlier run began it', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files, rolling: { ageMs: 100 } })
    write(first, 1)
    const handle = await checkpoint(first, 1)
    const clock = manualClock(90)
    const next = await openedFileSink('/out', { files, clock, epoch: 2, from: [handle], rolling: { ageMs: 100 } })
    await clock.advance(9)
    expect(await checkpoint(next, 2)).toMatchObject({ finished: [] })
    await clock.advance(1)
    await checkpoint(next, 3)
    expect(await finishedValues(files, '/out')).toEqual([1])
  })

  test('where one bucket more is open than may be, of the one that was written to least recently', async () => {
    const files = new CrashFs()
    const clock = manualClock()
    const writer = await openedFileSink<string>('/out', { files, clock, bucket: (value) => value, openBucketsMax: 2 })
    for (const bucket of ['a', 'b', 'a', 'c']) {
      write(writer, bucket)
      await clock.advance(1)
    }
    expect(files.openFiles).toBe(2)
    expect(await checkpoint(writer, 1)).toMatchObject({ finished: [{ bucket: 'b' }], open: [{ bucket: 'a' }, { bucket: 'c' }] })
  })

  test('with the input', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink('/out', { files })
    write(writer, 1, 2)
    expect(await checkpoint(writer, 1)).toMatchObject({ finished: [] })
    writer.endOfInput?.()
    await checkpoint(writer, 2)
    expect(await finishedValues(files, '/out')).toEqual([1, 2])
    expect(option.isNone(await unwrap(writer.preCommit(checkpointId(3))))).toBe(true)
  })
})

describe('a part that goes on', () => {
  test('has in the next run what it had at the checkpoint, and nothing of what came later', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files })
    write(first, 'a')
    const early = await checkpoint(first, 1)
    write(first, 'lost'.repeat(20_000))
    await settled()
    const next = await openedFileSink('/out', { files, epoch: 2, from: [early] })
    // Nobody tells a run that it was taken over from: what it still writes does not matter.
    write(first, 'lost too'.repeat(20_000))
    await preCommitted(first, 2)
    write(next, 'b')
    next.endOfInput?.()
    await checkpoint(next, 3)
    expect(Object.fromEntries(await finishedParts(files, '/out'))).toEqual({ 'part-000001-000000001': '"a"\n"b"\n' })
  })

  test('is read again only when there is more to write, and stays in every checkpoint', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files })
    write(first, 'a')
    let handle = await checkpoint(first, 1)
    for (let epoch = 2; epoch < 5; epoch += 1) {
      const writer = await openedFileSink('/out', { files, epoch, from: [handle] })
      const before = handle
      handle = await checkpoint(writer, epoch)
      expect({ ...(handle as object), checkpoint: 0 }).toEqual({ ...(before as object), checkpoint: 0 })
      await writer.close()()
    }
    expect(await stagedParts(files, '/out')).toEqual(['.part-000001-000000001.000001-000000001'])
    const last = await openedFileSink('/out', { files, epoch: 5, from: [handle] })
    last.endOfInput?.()
    await checkpoint(last, 6)
    expect(await finishedValues(files, '/out')).toEqual(['a'])
    expect(await stagedParts(files, '/out')).toEqual([])
  })

  test('is what the newest of several handles says', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files, rolling: { sizeMax: 4 } })
    write(first, 'a')
    const aborted = await preCommitted(first, 1)
    write(first, 'b', 'c')
    const decided = await preCommitted(first, 2)
    const next = await openedFileSink('/out', { files, epoch: 2, from: [aborted, decided], rolling: { sizeMax: 4 } })
    next.endOfInput?.()
    await checkpoint(next, 3)
    expect(await finishedValues(files, '/out')).toEqual(['a', 'b', 'c'])
  })

  test('is in the checkpoint whose barrier it passed, whenever its bytes become durable', async () => {
    for (const restored of [1, 2]) {
      const files = new CrashFs()
      const rolling = { sizeMax: 4 } as const
      const first = await openedFileSink('/out', { files, rolling })
      write(first, 'a', 'b', 'c')
      const tasks = [first.preCommit(checkpointId(1))]
      write(first, 'd', 'e')
      tasks.push(first.preCommit(checkpointId(2)))
      write(first, 'f')
      const handles: TransactionHandle[] = []
      for (const task of tasks) handles.push(option.toNullable(await unwrap(task)))
      const next = await openedFileSink('/out', { files, epoch: 2, from: handles.slice(0, restored), rolling })
      next.endOfInput?.()
      await checkpoint(next, 3)
      expect(await finishedValues(files, '/out')).toEqual(['a', 'b', 'c', 'd', 'e'].slice(0, 1 + 2 * restored))
    }
  })

  test('ends where parts have another name by now', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files, suffix: '.a' })
    write(first, 1)
    const handle = await checkpoint(first, 1)
    const next = await openedFileSink('/out', { files, epoch: 2, from: [handle], suffix: '.b' })
    write(next, 2)
    next.endOfInput?.()
    await checkpoint(next, 2)
    expect(Object.fromEntries(await finishedParts(files, '/out'))).toEqual({ 'part-000001-000000001.a': '1\n', 'part-000002-000000001.b': '2\n' })
  })

  test('that is gone, cut short or damaged is an error', async () => {
    const path = await temporaryDirectory()
    const first = await openedFileSink(path)
    write(first, 'a', 'b')
    const handle = await checkpoint(first, 1)
    await first.close()()
    const [name] = await stagedParts(nodeFiles, path)
    const file = `${path}/.parts/${name}`
    const next = await unwrap(fileSink(path).open(sinkContext(2)))
    await unwrap(next.commit(handle))
    await writeFile(file, '"a"\n"c"\n')
    expect(await failureOf(next.abortOthers())).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { what: 'checksum' } })
    await writeFile(file, '"a"\n')
    expect(await failureOf(next.abortOthers())).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { what: 'bytes', found: 4, expected: 8 } })
    await rm(file)
    expect(await failureOf(next.abortOthers())).toMatchObject({ code: 'TRANSACTION_LOST', details: { epoch: 1, part: 1 } })
    await writeFile(file, '"a"\n"b"\nand more')
    await unwrap(next.abortOthers())
    // Damaged behind the back of the run that goes on with it: told before anything of it is visible.
    await writeFile(file, '"x"\n"b"\n')
    write(next, 'c')
    await settled()
    expect(await failureOf(next.preCommit(checkpointId(2)))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { fatal: true } })
    expect(() => write(next, 'd')).toThrow(expect.objectContaining({ code: 'TRANSACTION_DAMAGED' }))
    await next.close()()
  })
})

describe('what the sink remembers', () => {
  test('is the newest checkpoint of which something became visible', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink('/out', { files, rolling: { sizeMax: 4 } })
    const upTo = async () => option.toUndefined(await unwrap(writer.committedUpTo()))
    write(writer, 'a')
    await checkpoint(writer, 1)
    // What goes on can be restored from any checkpoint.
    expect(await upTo()).toBeUndefined()
    write(writer, 'b', 'c')
    const second = await checkpoint(writer, 2)
    expect(await upTo()).toEqual({ epoch: 1, checkpointId: 2 })
    write(writer, 'd', 'e')
    await checkpoint(writer, 3)
    await unwrap(writer.commit(second))
    expect(await upTo()).toEqual({ epoch: 1, checkpointId: 3 })
    expect((await files.list('/out/.parts')).filter((name) => name.startsWith('.committed'))).toEqual(['.committed-000001-000000003'])
  })

  test('lets an older checkpoint, where it is allowed, go on without the part that is visible', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files })
    write(first, 'a')
    const older = await checkpoint(first, 1)
    write(first, 'b')
    first.endOfInput?.()
    await checkpoint(first, 2)
    const next = await openedFileSink('/out', { files, epoch: 2, from: [older] })
    write(next, 'b again')
    next.endOfInput?.()
    await checkpoint(next, 3)
    expect(await finishedValues(files, '/out')).toEqual(['a', 'b', 'b again'])
  })

  test('a decided part that is gone or changed is an error', async () => {
    const path = await temporaryDirectory()
    const first = await openedFileSink(path, onCheckpoint)
    write(first, 'a', 'b')
    const handle = await preCommitted(first, 1)
    await first.close()()
    const next = await unwrap(fileSink(path).open(sinkContext(2)))
    const file = `${path}/.parts/${(await stagedParts(nodeFiles, path))[0]}`
    await writeFile(file, '"a"\n"c"\n')
    expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { path: file, what: 'checksum' } })
    await rm(file)
    expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_LOST' })
    // Nothing became visible: nothing is remembered.
    expect(option.isNone(await unwrap(next.committedUpTo()))).toBe(true)
    await writeFile(file, '"a"\n"b"\n')
    await unwrap(next.commit(handle))
    await appendFile(`${path}/part-000001-000000001`, '"c"\n')
    expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { what: 'bytes', found: 12 } })
    await next.close()()
  })

  test('nothing is overwritten: what stands where a part belongs and is not the part is an error', async () => {
    const path = await temporaryDirectory()
    const first = await openedFileSink(path, onCheckpoint)
    write(first, 'a')
    const handle = await preCommitted(first, 1)
    await first.close()()
    await writeFile(`${path}/part-000001-000000001`, '"b"\n')
    const next = await unwrap(fileSink(path).open(sinkContext(2)))
    expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { path: `${path}/part-000001-000000001` } })
    expect(Object.values(await partsOf(path))).toEqual(['"b"\n'])
    await next.close()()
  })

  test('a bucket that somebody removed is made again', async () => {
    const path = await temporaryDirectory()
    const writer = await openedFileSink(path, { ...onCheckpoint, bucket: () => 'day' })
    write(writer, 1)
    await checkpoint(writer, 1)
    await rm(`${path}/day`, { recursive: true })
    write(writer, 2)
    const handle = await preCommitted(writer, 2)
    expect(await failureOf(writer.commit(handle))).toMatchObject({ code: 'SINK_IO', cause: { code: 'ENOENT' } })
    await unwrap(writer.commit(handle))
    expect(await partsOf(path, ['day'])).toEqual({ 'day/part-000001-000000002': '2\n' })
  })
})

describe('who may write', () => {
  test('one kind of sink, of one job and uid', async () => {
    const path = await temporaryDirectory()
    const of = (job: string, uid: string) => fileSink(path).open(sinkContext(1, job, uid))
    const writer = await unwrap(of('job', 'sink'))
    await writer.close()()
    expect(await failureOf(of('other', 'sink'))).toMatchObject({ code: 'SINK_SHARED' })
    expect(await failureOf(of('job', 'other'))).toMatchObject({ code: 'SINK_SHARED' })
    expect(await failureOf(jsonLinesSink(path).open(sinkContext()))).toMatchObject({ code: 'SINK_SHARED' })
    const lines = await temporaryDirectory()
    await (await unwrap(jsonLinesSink(lines).open(sinkContext()))).close()()
    expect(await failureOf(fileSink(lines).open(sinkContext()))).toMatchObject({ code: 'SINK_SHARED' })
    await rm(`${path}/.owner@job@sink@parts`)
    expect(await failureOf(of('job', 'sink'))).toMatchObject({ code: 'SINK_SHARED', details: { found: '.parts' } })
  })

  test('the newest run', async () => {
    const files = new CrashFs()
    const newer = await openedFileSink('/out', { files, epoch: 3, ...onCheckpoint })
    write(newer, 1)
    await preCommitted(newer, 1)
    const open = () => fileSink('/out', { files }).open(sinkContext(2))
    expect(await failureOf(open())).toMatchObject({ code: 'SINK_FENCED', details: { epoch: 2, found: 3 } })
    await checkpoint(newer, 2).catch(() => undefined)
    expect(await failureOf(open())).toMatchObject({ code: 'SINK_FENCED' })
  })

  test('aborting leaves the files of a newer run alone', async () => {
    const files = new CrashFs()
    const older = await unwrap(fileSink('/out', { files }).open(sinkContext(1)))
    const newer = await openedFileSink('/out', { files, epoch: 2, ...onCheckpoint })
    write(newer, 1)
    const handle = await preCommitted(newer, 1)
    await unwrap(older.abortOthers())
    await unwrap(newer.commit(handle))
    expect(await finishedValues(files, '/out')).toEqual([1])
    await older.close()()
  })
})

describe('what is refused', () => {
  test.each<[unknown, string]>([
    ['../x', 'begins with a dot'],
    ['a/../b', 'begins with a dot'],
    ['/etc', 'empty'],
    ['a//b', 'empty'],
    ['a/', 'empty'],
    ['.parts', 'begins with a dot'],
    ['a\\b', 'character'],
    ['a\0b', 'character'],
    ['c:x', 'character'],
    ['\ud800', 'character'],
    ['con', 'reserves'],
    ['a/NUL.txt', 'reserves'],
    ['a.', 'ends with a dot'],
    [' a', 'space'],
    ['x'.repeat(201), 'longer'],
    [Array.from({ length: 17 }, () => 'a').join('/'), 'deep'],
    ['part-000001-000000001', 'part'],
    [undefined, 'undefined'],
    [7, 'number'],
  ])('bucket %j', async (bucket, reason) => {
    const writer = await openedFileSink('/out', { files: new CrashFs(), bucket: () => bucket as string })
    expect(() => write(writer, 1)).toThrow(expect.objectContaining({ code: 'BUCKET_INVALID', details: expect.objectContaining({ uid: 'sink' }) }))
    expect(() => write(writer, 1)).toThrow(reason)
    expect(option.isNone(await unwrap(writer.preCommit(checkpointId(1))))).toBe(true)
  })

  test('what is no text, no bytes and no JSON', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink<unknown>('/out', { files })
    expect(() => write(writer, undefined)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }))
    const odd = await openedFileSink<unknown>('/odd', { files, encode: () => 7 as unknown as string })
    expect(() => write(odd, 1)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', details: { uid: 'sink', type: 'number' } }))
  })

  test('handles that this sink has not made', async () => {
    const writer = await openedFileSink('/out', { files: new CrashFs() })
    const one = { epoch: 1, number: 1 }
    const part = { bucket: '', name: 'part-000001-000000001', part: one, file: one, bytes: 1, crc32: 1 }
    const good = { format: 1, checkpoint: one, finished: [part], open: [] }
    expect(await failureOf(writer.commit(good))).toMatchObject({ code: 'TRANSACTION_LOST', details: { part: 1 } })
    for (const handle of [
      null,
      7,
      [],
      {},
      { ...good, format: 0 },
      { ...good, checkpoint: { epoch: -1, number: 1 } },
      { ...good, finished: 'x' },
      { ...good, finished: [null] },
      { ...good, finished: [{ ...part, bucket: '../..' }] },
      { ...good, finished: [{ ...part, name: '../part-000001-000000001' }] },
      { ...good, finished: [{ ...part, name: 'passwd' }] },
      { ...good, finished: [{ ...part, file: { epoch: 1, number: 0.5 } }] },
      { ...good, open: [part] },
    ])
      expect(await failureOf(writer.commit(handle as TransactionHandle))).toMatchObject({
        code: 'TRANSACTION_LOST',
        details: { reason: 'the handle is not one of this sink' },
      })
    expect(await failureOf(writer.commit({ ...good, format: 2 }))).toMatchObject({ details: { found: 2, expected: 1 } })
  })

  test.each<FileSinkOptions<unknown>>([
    { rolling: { sizeMax: -1 } },
    { rolling: { ageMs: 0 } },
    { rolling: { inactivityMs: Number.NaN } },
    { openBucketsMax: 0 },
    { finishedPartsMax: 0.5 },
    { bufferBytesMax: 0 },
    { prefix: '' },
    { prefix: '.hidden' },
    { prefix: 'a/b' },
    { prefix: 'x-000001-000000001' },
    { suffix: '/x' },
    { suffix: 'x.' },
  ])('option %j', (options) => {
    expect(() => fileSink('out', options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  test('no file stays open behind the close, not of a part that an earlier run began either', async () => {
    const files = new CrashFs()
    const first = await openedFileSink('/out', { files })
    write(first, 1)
    const handle = await checkpoint(first, 1)
    await first.close()()
    expect(files.openFiles).toBe(0)
    const next = await openedFileSink('/out', { files, epoch: 2, from: [handle] })
    write(next, 2)
    await checkpoint(next, 2)
    expect(files.openFiles).toBe(1)
    await next.close()()
    expect(files.openFiles).toBe(0)
  })

  test('anything behind the close', async () => {
    const writer = await openedFileSink('/out', { files: new CrashFs() })
    write(writer, 1)
    await writer.close()()
    await writer.close()()
    expect(() => write(writer, 2)).toThrow(expect.objectContaining({ code: 'SINK_IO' }))
    expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ details: { reason: 'the writer was closed' } })
    expect(writer.full()).toBe(false)
  })
})

describe('limits', () => {
  test('so many parts that ended ask for a checkpoint, and the run pauses until then', async () => {
    const files = new CrashFs()
    let asked = 0
    const askCheckpoint = (): void => void (asked += 1)
    const writer = await openedFileSink('/out', { files, rolling: { sizeMax: 0 }, finishedPartsMax: 2, askCheckpoint })
    write(writer, 1, 2)
    expect([writer.full(), asked]).toEqual([false, 0])
    write(writer, 3)
    expect([writer.full(), asked]).toEqual([true, 1])
    const drained = writer.drained()
    await checkpoint(writer, 1)
    await drained
    expect(writer.full()).toBe(false)
    expect(await finishedValues(files, '/out')).toEqual([1, 2, 3])
  })

  test('more than waits to be written than the limit pauses the run, however many buckets it is in', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink<string>('/out', { files, bucket: (value) => value.slice(0, 2), bufferBytesMax: 100_000 })
    let paused = 0
    for (let index = 0; index < 200; index += 1) {
      write(writer, `${index % 50}`.padStart(2, '0').padEnd(3_000, 'x'))
      if (!writer.full()) continue
      paused += 1
      await writer.drained()
    }
    expect(paused).toBeGreaterThan(3)
    writer.endOfInput?.()
    await checkpoint(writer, 1)
    const buckets = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(2, '0'))
    expect(await finishedValues(files, '/out', buckets)).toHaveLength(200)
  })
})

describe('when a disk fails', () => {
  const failing = (operation: RegExp, code = 'EIO') => {
    const faults = { on: false }
    const inner = new CrashFs()
    const files = faultyFiles(inner, (found) => (faults.on && operation.test(found) ? systemError(code) : undefined))
    return { inner, files, faults }
  }

  for (const operation of ['create', 'write', 'sync', 'close', 'syncDirectory'])
    test(`at ${operation}, the records go out with the next checkpoint, in order, behind those that are durable`, async () => {
      const { inner, files, faults } = failing(new RegExp(`^${operation} \\.part`))
      const writer = await openedFileSink('/out', { files, rolling: { sizeMax: 60_000 } })
      write(writer, 'a')
      await checkpoint(writer, 1)
      faults.on = true
      const large = 'b'.repeat(70_000)
      write(writer, large, 'c')
      await settled()
      expect(await failureOf(writer.preCommit(checkpointId(2)))).toMatchObject({ code: 'SINK_IO', details: { fatal: false }, cause: { code: 'EIO' } })
      write(writer, 'd')
      expect(await failureOf(writer.preCommit(checkpointId(3)))).toMatchObject({ code: 'SINK_IO', details: { fatal: false } })
      faults.on = false
      write(writer, 'e')
      writer.endOfInput?.()
      await checkpoint(writer, 4)
      expect(await finishedValues(inner, '/out')).toEqual(['a', large, 'c', 'd', 'e'])
      expect(await stagedParts(inner, '/out')).toEqual([])
      await writer.close()()
      expect(inner.openFiles).toBe(0)
    })

  test('when records were only in the file that failed, the writer fails and says so', async () => {
    const { files, faults } = failing(/^sync \.part/)
    const writer = await openedFileSink('/out', { files, bufferBytesMax: 100_000 })
    for (let index = 0; index < 4; index += 1) {
      write(writer, 'x'.repeat(70_000))
      await writer.drained()
    }
    faults.on = true
    expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ code: 'SINK_IO', details: { fatal: true } })
    expect(() => write(writer, 1)).toThrow(expect.objectContaining({ code: 'SINK_IO' }))
    expect(await failureOf(writer.preCommit(checkpointId(2)))).toMatchObject({ details: { fatal: true } })
  })

  test('when it stays full beyond the buffer, the writer fails instead of waiting for ever', async () => {
    const { files, faults } = failing(/^(create|write) \.part/, 'ENOSPC')
    faults.on = true
    const writer = await openedFileSink('/out', { files, bufferBytesMax: 100_000 })
    const fill = async (): Promise<void> => {
      for (;;) {
        write(writer, 'x'.repeat(30_000))
        await writer.drained()
        await settled(1)
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'SINK_IO', details: { fatal: true } })
  })

  test('a commit that failed is repeated and makes its directory durable', async () => {
    const { inner, files, faults } = failing(/^syncDirectory (out|\.parts|day)/)
    const writer = await openedFileSink('/out', { files, ...onCheckpoint, bucket: () => 'day' })
    write(writer, 1)
    const handle = await preCommitted(writer, 1)
    faults.on = true
    expect(await failureOf(writer.commit(handle))).toMatchObject({ code: 'SINK_IO' })
    expect(await failureOf(writer.commit(handle))).toMatchObject({ code: 'SINK_IO' })
    faults.on = false
    await unwrap(writer.commit(handle))
    await unwrap(writer.commit(handle))
    expect(await finishedValues(inner, '/out', ['day'])).toEqual([1])
  })

  test('names that are taken are passed over', async () => {
    const files = new CrashFs()
    const writer = await openedFileSink('/out', { files, ...onCheckpoint })
    await (await files.create('/out/.parts/.part-000001-000000001.000001-000000001')).close()
    write(writer, 1)
    await checkpoint(writer, 1)
    expect(await finishedValues(files, '/out')).toEqual([1])
  })
})
