import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { ndjsonTail } from '../../backends/http/ndjsonTail.js'
import { checkpointId } from '../../lib/identity.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import type { TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { processOf } from '../guarantees/processes.js'
import { type Counted, countedOf, Reading, readings } from '../guarantees/records.js'
import { Rig } from '../guarantees/rig.js'
import { targets } from '../guarantees/sinks.js'
import { sources } from '../guarantees/sources.js'
import { readAll, sinkContext } from '../support/ports.js'
import { asFixture, fromFixture } from './directoryHistory.js'
import { recorded } from './recorded.js'

const { life } = processOf(undefined)
const noStorage = undefined as unknown as CheckpointStorage

// Postgres has its own in test/postgres, and fileSink in fileSink.test.ts.
const sourceNames = ['memorySource', 'jsonLines', 'fileSource', 'ndjsonTail', 'readableLines', 'fromReadable', 'fromAsyncIterable'] as const
const sinkNames = ['jsonLinesSink', 'callbackSink', 'webhookSink', 'writableSink'] as const

describe('the offset of a source', () => {
  const read = 7
  const all = async (name: (typeof sourceNames)[number], from?: SourceOffset) =>
    readAll<unknown>((await sources[name](new Rig(undefined)))(life), from)
  const offsets = async (): Promise<{ readonly [name: string]: SourceOffset }> => {
    const found: { [name: string]: SourceOffset } = {}
    for (const name of sourceNames) found[name] = (await all(name)).offsets[read - 1] as SourceOffset
    return found
  }

  it.each(sourceNames)('that an earlier release stored is gone on from: %s', async (name) => {
    const { values } = await all(name, (await recorded('sourceOffsets', offsets))[name])
    expect(values.map((value) => (typeof value === 'string' ? JSON.parse(value) : value))).toEqual(readings.slice(read))
  })

  it('is stored as ever', async () => {
    expect(await offsets()).toEqual(await recorded('sourceOffsets', offsets))
  })
})

describe('the position in a file of a server', () => {
  const text = readings.map((reading) => `${JSON.stringify(reading)}\n`).join('')
  const fileOf = (content: string, etag: string) =>
    ndjsonTail({ url: 'https://example.org/log.ndjson', codec: Reading, fetch: async () => new Response(content, { headers: { etag } }) })
  const offset = async () => (await readAll(fileOf(text, '"first"'))).offsets[3] as SourceOffset

  it('that an earlier release stored is gone on from', async () => {
    expect((await readAll(fileOf(text, '"first"'), await recorded('ndjsonPosition', offset))).values).toEqual(readings.slice(4))
  })

  it('is stored as ever', async () => {
    expect(await offset()).toEqual(await recorded('ndjsonPosition', offset))
  })

  it('is refused in another file', async () => {
    const stored = await recorded('ndjsonPosition', offset)
    const gone = { code: 'SOURCE_OFFSET_GONE' }
    await expect(readAll(fileOf(text, '"second"'), stored)).rejects.toMatchObject(gone)
    await expect(readAll(fileOf(text.toUpperCase(), '"first"'), stored)).rejects.toMatchObject(gone)
  })
})

interface Left {
  readonly handle: TransactionHandle
  readonly files: { readonly [path: string]: string }
}

describe('the handle of a sink', () => {
  const values: readonly Counted[] = countedOf(readings.slice(0, 3))
  const left = async (name: (typeof sinkNames)[number]): Promise<Left> => {
    const rig = new Rig(undefined)
    const writer = await unwrap((await targets[name](rig)).sink(life, noStorage).open(sinkContext(1)))
    await unwrap(writer.abortOthers())
    for (const value of values) writer.write(value, undefined, undefined)
    const handle = await unwrap(writer.preCommit(checkpointId(1)))
    if (O.isNone(handle)) throw new Error('a transaction with records has a handle')
    return { handle: handle.value, files: asFixture(rig.files) }
  }
  const allLeft = async (): Promise<{ readonly [name: string]: Left }> =>
    Object.fromEntries(await Promise.all(sinkNames.map(async (name) => [name, await left(name)] as const)))

  /** The next run finds what was left. */
  const committed = async (name: (typeof sinkNames)[number], { files, handle }: Left): Promise<readonly Counted[]> => {
    const target = await targets[name](Object.assign(new Rig(undefined), { files: await fromFixture(files) }))
    const writer = await unwrap(target.sink(life, noStorage).open(sinkContext(2)))
    await unwrap(writer.commit(handle))
    return (await target.seen()).map(({ value }) => value)
  }

  it.each(sinkNames)('that an earlier release stored is committed: %s', async (name) => {
    expect(await committed(name, (await recorded('sinkHandles', allLeft))[name] as Left)).toEqual(values)
  })

  it('is stored as ever, with what is at the target', async () => {
    expect(await allLeft()).toEqual(await recorded('sinkHandles', allLeft))
  })

  it.each(sinkNames.slice(1))('that a newer release stored is refused by name: %s', async (name) => {
    const { handle, files } = (await recorded('sinkHandles', allLeft))[name] as Left
    const newer = { ...(handle as object), format: 2 } as unknown as TransactionHandle
    await expect(committed(name, { handle: newer, files })).rejects.toMatchObject({ code: 'FORMAT_NEWER', details: { found: 2, supported: 1 } })
  })
})
