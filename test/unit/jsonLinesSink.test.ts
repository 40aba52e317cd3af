import { appendFile, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { option } from 'fp-ts'
import { expect, onTestFinished, test } from 'vitest'
import { type JsonLinesSinkOptions, jsonLinesSink } from '../../backends/directory/jsonLinesSink.js'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { checkpointId } from '../../lib/identity.js'
import type { SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { type FaultyFiles, faultyFiles, systemError } from '../support/faultyFiles.js'
import { failureOf, sinkContext } from '../support/ports.js'
import { temporaryDirectory } from '../support/temporary.js'

async function openedWriter(
  path: string,
  options?: JsonLinesSinkOptions<unknown>,
  context: SinkContext = sinkContext(),
): Promise<SinkWriter<unknown>> {
  const writer = await unwrap(jsonLinesSink(path, options).open(context))
  onTestFinished(writer.close())
  return writer
}

const write = (writer: SinkWriter<unknown>, ...values: readonly unknown[]): void => {
  for (const value of values) writer.write(value, undefined, undefined)
}

async function preCommitted(writer: SinkWriter<unknown>, id: number): Promise<TransactionHandle> {
  const handle = await unwrap(writer.preCommit(checkpointId(id)))
  if (option.isNone(handle)) throw new Error('expected a handle')
  return JSON.parse(JSON.stringify(handle.value))
}

/** What a reader of committed parts sees. */
async function committed(path: string): Promise<unknown[]> {
  const parts = (await readdir(path)).filter((name) => /^part-.*\.jsonl$/.test(name)).sort()
  const texts = await Promise.all(parts.map((name) => readFile(`${path}/${name}`, 'utf8')))
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line))
}

const hidden = async (path: string): Promise<string[]> => (await readdir(path)).filter((name) => name.startsWith('.part-')).sort()

test('shows the records of a transaction at its commit, whole', async () => {
  const path = `${await temporaryDirectory()}/out`
  const writer = await openedWriter(path)
  write(writer, { a: 1 }, 'two')
  const first = await preCommitted(writer, 1)
  write(writer, 3)
  const second = await preCommitted(writer, 2)
  expect(await committed(path)).toEqual([])
  await unwrap(writer.commit(first))
  expect(await committed(path)).toEqual([{ a: 1 }, 'two'])
  await unwrap(writer.commit(second))
  expect(await committed(path)).toEqual([{ a: 1 }, 'two', 3])
  expect((await readdir(path)).sort()).toEqual(['.owner@job@sink', 'part-000001-000000001.jsonl', 'part-000001-000000002.jsonl'])
  expect((await stat(`${path}/part-000001-000000001.jsonl`)).mode & 0o777).toBe(0o600)
})

test('the barrier ends a transaction at once, whenever its bytes become durable', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  write(writer, 1)
  const first = writer.preCommit(checkpointId(1))
  write(writer, 2)
  const second = writer.preCommit(checkpointId(2))
  const handle = option.toNullable(await unwrap(first))
  await unwrap(writer.commit(handle))
  expect(await committed(path)).toEqual([1])
  expect(await unwrap(first)).toEqual(option.some(handle))
  await unwrap(writer.commit(option.toNullable(await unwrap(second))))
  expect(await committed(path)).toEqual([1, 2])
})

test('a transaction without records has no handle and no file', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  expect(await unwrap(writer.preCommit(checkpointId(1)))).toEqual(option.none)
  expect(await readdir(path)).toEqual(['.owner@job@sink'])
})

test('a commit may come again, in this run and in the next', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  write(writer, 1)
  const handle = await preCommitted(writer, 1)
  await unwrap(writer.commit(handle))
  await unwrap(writer.commit(handle))
  await unwrap((await openedWriter(path, {}, sinkContext(2))).commit(handle))
  expect(await committed(path)).toEqual([1])
})

test('the next run commits what is decided, removes the rest and remembers', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  expect(await unwrap(writer.committedUpTo())).toEqual(option.none)
  write(writer, 1)
  const decided = await preCommitted(writer, 1)
  write(writer, 2)
  const undecided = await preCommitted(writer, 2)
  write(writer, 'x'.repeat(100_000))
  await unwrap(writer.preCommit(checkpointId(3)))
  await writer.close()()
  await writeFile(`${path}/.part-000001-000000009.inprogress`, 'left by a crash')
  await writeFile(`${path}/notes.txt`, 'not ours')

  const next = await openedWriter(path, {}, sinkContext(2))
  await unwrap(next.commit(decided))
  await unwrap(next.abortOthers())
  expect(await hidden(path)).toEqual([])
  expect(await committed(path)).toEqual([1])
  expect(await unwrap(next.committedUpTo())).toEqual(option.some({ epoch: 1, checkpointId: 1 }))
  expect(await failureOf(next.commit(undecided))).toMatchObject({ code: 'TRANSACTION_LOST', details: { epoch: 1, checkpointId: 2 } })
  write(next, 4)
  await unwrap(next.commit(await preCommitted(next, 2)))
  expect(await committed(path)).toEqual([1, 4])
  expect(await unwrap(next.committedUpTo())).toEqual(option.some({ epoch: 2, checkpointId: 2 }))
  expect(await readFile(`${path}/notes.txt`, 'utf8')).toBe('not ours')
})

test('the order of the names is the order of the commits', async () => {
  const path = await temporaryDirectory()
  const expected: number[] = []
  for (const [number, ids] of [
    [1, [9, 10, 11]],
    [2, [11, 100]],
    [10, [101]],
  ] as const) {
    const writer = await openedWriter(path, {}, sinkContext(number))
    for (const id of ids) {
      expected.push(number * 1_000 + id)
      write(writer, number * 1_000 + id)
      await unwrap(writer.commit(await preCommitted(writer, id)))
    }
    await writer.close()()
  }
  expect(await committed(path)).toEqual(expected)
})

test('closing removes what is under way and keeps what is pre-committed', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  write(writer, 1)
  await preCommitted(writer, 1)
  write(writer, 'x'.repeat(100_000))
  await writer.close()()
  await writer.close()()
  expect(await hidden(path)).toEqual(['.part-000001-000000001.pending'])
  expect(() => write(writer, 1)).toThrow(expect.objectContaining({ code: 'SINK_IO' }))
  expect(await failureOf(writer.preCommit(checkpointId(2)))).toMatchObject({ code: 'SINK_IO', details: { reason: 'the writer was closed' } })
  expect(await failureOf(writer.abortOthers())).toMatchObject({ code: 'SINK_IO' })
  expect(writer.full()).toBe(false)
  await writer.drained()
})

test('a directory of another job or uid is refused and left alone', async () => {
  const path = await temporaryDirectory()
  await (await openedWriter(path)).close()()
  expect(await failureOf(jsonLinesSink(path).open(sinkContext(1, 'other')))).toMatchObject({
    code: 'SINK_SHARED',
    details: { found: '.owner@job@sink', expected: '.owner@other@sink' },
  })
  expect(await failureOf(jsonLinesSink(path).open(sinkContext(1, 'job', 'sink2')))).toMatchObject({ code: 'SINK_SHARED' })
  expect(await readdir(path)).toEqual(['.owner@job@sink'])
  await openedWriter(path)
})

test('a directory with parts but without an owner is refused', async () => {
  const path = await temporaryDirectory()
  await writeFile(`${path}/part-000001-000000001.jsonl`, '1\n')
  expect(await failureOf(jsonLinesSink(path).open(sinkContext()))).toMatchObject({
    code: 'SINK_SHARED',
    details: { reason: 'there are parts but no owner' },
  })
})

test('an older run is refused once a newer one has written', async () => {
  const path = await temporaryDirectory()
  const newer = await openedWriter(path, {}, sinkContext(3))
  write(newer, 1)
  await preCommitted(newer, 1)
  expect(await failureOf(jsonLinesSink(path).open(sinkContext(2)))).toMatchObject({ code: 'SINK_FENCED', details: { epoch: 2, found: 3 } })
})

test('aborting touches no file of a newer run', async () => {
  const path = await temporaryDirectory()
  const older = await openedWriter(path, {}, sinkContext(1))
  const newer = await openedWriter(path, {}, sinkContext(2))
  write(newer, 1)
  const handle = await preCommitted(newer, 1)
  await unwrap(older.abortOthers())
  await unwrap(newer.commit(handle))
  expect(await committed(path)).toEqual([1])
})

test('a decided transaction that is gone or changed is an error', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  write(writer, 'a', 'b')
  const handle = await preCommitted(writer, 1)
  await writer.close()()
  const pending = `${path}/.part-000001-000000001.pending`
  const next = await openedWriter(path, {}, sinkContext(2))
  await writeFile(pending, '"a"\n"c"\n')
  expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { path: pending, what: 'checksum' } })
  await truncate(pending, 4)
  expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { what: 'bytes', found: 4, expected: 8 } })
  expect(await committed(path)).toEqual([])
  await rm(pending)
  expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_LOST' })
  await writeFile(pending, '"a"\n"b"\n')
  await unwrap(next.commit(handle))
  await appendFile(`${path}/part-000001-000000001.jsonl`, '"c"\n')
  expect(await failureOf(next.commit(handle))).toMatchObject({ code: 'TRANSACTION_DAMAGED', details: { found: 12 } })
})

test('a handle is checked like any input, and can name nothing outside', async () => {
  const writer = await openedWriter(await temporaryDirectory())
  const part = { epoch: 1, id: 1, bytes: 1, crc32: 1 }
  for (const handle of [
    null,
    'x',
    7,
    [],
    {},
    { parts: 'x' },
    { parts: [null] },
    { parts: [{ ...part, id: '../../x' }] },
    { parts: [{ ...part, epoch: -1 }] },
    { parts: [{ ...part, bytes: 0.5 }] },
  ])
    expect(await failureOf(writer.commit(handle as TransactionHandle))).toMatchObject({
      code: 'TRANSACTION_LOST',
      details: { reason: 'the handle is not one of this sink' },
    })
})

test('what is no JSON is refused at the write', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  const cycle: unknown[] = []
  cycle.push(cycle)
  for (const value of [undefined, () => 1, Symbol('x'), 1n, { deep: 1n }, cycle])
    expect(() => write(writer, value)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }))
  write(writer, 'line\nbreak', '\ud800', 'é😀')
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  expect(await committed(path)).toEqual(['line\nbreak', '\ud800', 'é😀'])
})

test('an error of the user passes as it is', async () => {
  const mine = new Error('mine')
  const writer = await openedWriter(await temporaryDirectory(), {
    encode: () => {
      throw mine
    },
  })
  expect(() => write(writer, 1)).toThrow(mine)
  const other = await openedWriter(await temporaryDirectory())
  expect(() =>
    write(other, {
      toJSON() {
        throw mine
      },
    }),
  ).toThrow(mine)
})

test('encode says what is written', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path, { encode: (value) => [String(value)] })
  write(writer, 1n)
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  expect(await committed(path)).toEqual([['1']])
})

test('is full while more waits to be written than the limit, and drains', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path, { bufferBytesMax: 200_000 })
  const expected: string[] = []
  for (let index = 0; index < 20; index += 1) {
    while (!writer.full() && expected.length < index * 5) {
      expected.push(`${expected.length} ${'é'.repeat(20_000)}`)
      write(writer, expected.at(-1))
    }
    if (index === 10) expect(writer.full()).toBe(true)
    await writer.drained()
    expect(writer.full()).toBe(false)
  }
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  expect(await committed(path)).toEqual(expected)
})

/** Faults that come and go. */
function switched(code: string, operation: RegExp): { files: FaultyFiles; faults: { on: boolean; leftCount: number } } {
  const faults = { on: false, leftCount: Number.POSITIVE_INFINITY }
  const files = faultyFiles(nodeFiles, (found) => (faults.on && operation.test(found) && faults.leftCount-- > 0 ? systemError(code) : undefined))
  return { files, faults }
}

for (const operation of ['create', 'write', 'sync', 'close', 'rename', 'syncDirectory'])
  test(`when ${operation} fails, the records go out with the next checkpoint, in order`, async () => {
    const path = await temporaryDirectory()
    const { files, faults } = switched('ENOSPC', new RegExp(`^${operation} `))
    const writer = await openedWriter(path, { files })
    write(writer, 'a', 'x'.repeat(70_000))
    faults.on = true
    expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({
      code: 'SINK_IO',
      details: { fatal: false, checkpointId: 1 },
      cause: { code: 'ENOSPC' },
    })
    write(writer, 'b')
    expect(await failureOf(writer.preCommit(checkpointId(2)))).toMatchObject({ code: 'SINK_IO', details: { fatal: false } })
    faults.on = false
    write(writer, 'c')
    const handle = await preCommitted(writer, 3)
    expect(handle).toMatchObject({ parts: [{ id: 1 }, { id: 2 }, { id: 3 }] })
    await unwrap(writer.commit(handle))
    expect(await committed(path)).toEqual(['a', 'x'.repeat(70_000), 'b', 'c'])
    expect(await unwrap(writer.committedUpTo())).toEqual(option.some({ epoch: 1, checkpointId: 3 }))
    expect(await hidden(path)).toEqual([])
  })

test('a file that failed once is never used again', async () => {
  const path = await temporaryDirectory()
  const { files, faults } = switched('EIO', /^sync /)
  const writer = await openedWriter(path, { files })
  write(writer, 'a')
  faults.on = true
  faults.leftCount = 1
  expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ details: { fatal: false } })
  await unwrap(writer.commit(await preCommitted(writer, 2)))
  expect(files.operations.filter((operation) => /^(create|write|sync) \.part/.test(operation))).toEqual([
    'create .part-000001-000000001.inprogress',
    'write .part-000001-000000001.inprogress',
    'sync .part-000001-000000001.inprogress',
    'create .part-000001-000000002.inprogress',
    'write .part-000001-000000002.inprogress',
    'sync .part-000001-000000002.inprogress',
  ])
  expect(await committed(path)).toEqual(['a'])
})

test('when records were only in the file that failed, the writer fails and says so', async () => {
  const path = await temporaryDirectory()
  const { files, faults } = switched('EIO', /^sync /)
  const writer = await openedWriter(path, { files, bufferBytesMax: 100_000 })
  for (let index = 0; index < 10; index += 1) {
    write(writer, 'x'.repeat(70_000))
    await writer.drained()
  }
  faults.on = true
  expect(await failureOf(writer.preCommit(checkpointId(1)))).toMatchObject({ code: 'SINK_IO', details: { fatal: true }, cause: { code: 'EIO' } })
  faults.on = false
  expect(() => write(writer, 1)).toThrow(expect.objectContaining({ code: 'SINK_IO' }))
  expect(await failureOf(writer.preCommit(checkpointId(2)))).toMatchObject({ details: { fatal: true } })
  await writer.close()()
  expect(await readdir(path)).toEqual(['.owner@job@sink'])
})

test('when the disk stays full beyond the buffer, the writer fails instead of waiting for ever', async () => {
  const path = await temporaryDirectory()
  const { files, faults } = switched('ENOSPC', /^(create|write) /)
  const writer = await openedWriter(path, { files, bufferBytesMax: 200_000 })
  faults.on = true
  const overflow = async (): Promise<void> => {
    for (;;) {
      write(writer, 'x'.repeat(70_000))
      await writer.drained()
    }
  }
  await expect(overflow()).rejects.toMatchObject({ code: 'SINK_IO', details: { fatal: true }, cause: { code: 'ENOSPC' } })
})

test('a disk that is full for a while costs nothing while all is in memory', async () => {
  const path = await temporaryDirectory()
  const { files, faults } = switched('ENOSPC', /^(create|write) /)
  const writer = await openedWriter(path, { files, bufferBytesMax: 200_000 })
  faults.on = true
  write(writer, 'x'.repeat(70_000), 'y'.repeat(70_000))
  await expect.poll(() => files.operations.some((operation) => operation.startsWith('create .part'))).toBe(true)
  faults.on = false
  write(writer, 'z'.repeat(70_000))
  await writer.drained()
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  expect((await committed(path)).map((text) => String(text)[0])).toEqual(['x', 'y', 'z'])
})

test('names that are taken are passed over', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  await writeFile(`${path}/.part-000001-000000001.inprogress`, '')
  write(writer, 1)
  await unwrap(writer.commit(await preCommitted(writer, 1)))
  expect(await committed(path)).toEqual([1])
})

test('a commit that failed is repeated and makes its directory durable', async () => {
  const path = await temporaryDirectory()
  const { files, faults } = switched('EIO', /^syncDirectory /)
  const writer = await openedWriter(path, { files })
  write(writer, 1)
  const handle = await preCommitted(writer, 1)
  faults.on = true
  expect(await failureOf(writer.commit(handle))).toMatchObject({ code: 'SINK_IO', cause: { code: 'EIO' } })
  faults.on = false
  const before = files.operations.length
  await unwrap(writer.commit(handle))
  expect(files.operations.slice(before).some((operation) => operation.startsWith('syncDirectory'))).toBe(true)
})

test('a file where the directory should be is an error', async () => {
  const path = `${await temporaryDirectory()}/file`
  await writeFile(path, '')
  expect(await failureOf(jsonLinesSink(path).open(sinkContext()))).toMatchObject({ code: 'SINK_IO' })
})

test('a part that moved away after its commit is noticed only where it matters', async () => {
  const path = await temporaryDirectory()
  const writer = await openedWriter(path)
  for (const id of [1, 2]) {
    write(writer, id)
    await unwrap(writer.commit(await preCommitted(writer, id)))
  }
  await rename(`${path}/part-000001-000000001.jsonl`, `${path}/archived`)
  expect(await unwrap(writer.committedUpTo())).toEqual(option.some({ epoch: 1, checkpointId: 2 }))
})

test('options out of their range are refused', () => {
  expect(() => jsonLinesSink('x', { bufferBytesMax: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
