import { createHash } from 'node:crypto'
import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { checkHeader, fileHeader } from '../../backends/directory/fileHeader.js'
import { parsedLineOffset } from '../../backends/directory/lineOffset.js'
import { decodeManifest, encodeManifest } from '../../backends/directory/manifestFile.js'
import { handledParts } from '../../backends/directory/partHandle.js'
import { parsedFileOffset } from '../../backends/directory/reading/fileOffset.js'
import { fileTransaction } from '../../backends/directory/rolling/fileHandle.js'
import { byteOffset } from '../../backends/http/bytePlace.js'
import { OperatorHarness } from '../../laws/harness/operatorHarness.js'
import { unpolluted } from '../../laws/pollution.js'
import { carriedTransaction } from '../../lib/carriedHandle.js'
import { readBody } from '../../lib/checkpointBody.js'
import { RxweirError } from '../../lib/errors.js'
import { emits, json, listState, mapState, session, tumbling, valueState } from '../../lib/index.js'
import { readEntry } from '../../lib/intake/entry.js'
import { readOffset } from '../../lib/intake/intakeOffset.js'
import type { Json } from '../../lib/json.js'
import { decodeKey } from '../../lib/key.js'
import { readCells } from '../../lib/state/cells.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { stateCodec } from '../../lib/stateCodec.js'
import { decodeTagged, encodeTagged } from '../../lib/taggedJson.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { asyncMap } from '../../operators/asyncMap.js'
import * as durable from '../../operators/durable/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { mutated, mutatedBytes } from '../support/mutated.js'

const runs = Number(process.env.RXWEIR_HOSTILE_RUNS ?? 200)

/** Understood, or refused with a code; never anything else, and nothing is left on a prototype. */
async function refusedOrUnderstood(decode: () => unknown): Promise<void> {
  const before = Object.keys(Object.prototype).length
  try {
    await decode()
  } catch (error) {
    if (!(error instanceof RxweirError)) throw error
  }
  expect(Object.keys(Object.prototype).length).toBe(before)
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
}

const tries = (arbitrary: fc.Arbitrary<unknown>, decode: (hostile: never) => unknown) => (): Promise<void> =>
  fc.assert(
    fc.asyncProperty(arbitrary, (hostile) => refusedOrUnderstood(() => unpolluted(() => decode(hostile as never)))),
    { numRuns: runs },
  )

describe('JSON that somebody else wrote is refused or understood:', () => {
  const numbered = { epoch: 1, number: 2 }
  const staged = { bucket: 'day=1', name: 'part-000001-000000002.jsonl', part: numbered, file: numbered, bytes: 3, crc32: 4 }
  const decoders: { readonly [what: string]: readonly [good: unknown, decode: (stored: never) => unknown] } = {
    'the body of a checkpoint': [
      {
        format: 1,
        maxParallelism: 128,
        sources: { in: { offset: 3, finished: false } },
        operators: { count: { derived: false, meta: { time: [null, null, false], ended: false, tables: {} } } },
        sinks: { out: [{ checkpointId: 1, epoch: 1, handle: { parts: [] } }] },
      },
      (stored: Json) => readBody(stored),
    ],
    'the handle of parts': [{ parts: [{ epoch: 1, id: 1, bytes: 10, crc32: 7 }] }, (stored: Json) => handledParts(stored, '/out')],
    'the handle of a fileSink': [
      { format: 1, checkpoint: numbered, finished: [staged], open: [{ ...staged, createdMs: 1, writtenMs: 2 }] },
      (stored: Json) => fileTransaction(stored, '/out'),
    ],
    'a carried handle': [{ format: 1, epoch: 1, checkpointId: 1, version: 1, texts: ['1'] }, (stored: Json) => carriedTransaction(stored, {})],
    'the offset in a file of lines': [{ position: 1, head: 2, tail: 3 }, (stored: Json) => parsedLineOffset(stored, '/in')],
    'the offset in several files': [
      { name: 'a', file: '1', older: 0, position: 1, head: 2, tail: 3 },
      (stored: Json) => parsedFileOffset(stored, '/in'),
    ],
    'the offset in a file elsewhere': [{ position: 1, tail: 2, etag: 'x' }, (stored: Json) => byteOffset(stored, 'http://localhost')],
    'the offset of an intake': [{ next: 1, ended: ['in'] }, (stored: Json) => readOffset(stored, 'in')],
  }
  for (const [what, [good, decode]] of Object.entries(decoders)) it(what, tries(mutated(good), decode))

  it(
    'a manifest whose digest fits',
    tries(
      mutated({
        job: 'j',
        seq: 1,
        parent: null,
        epoch: 1,
        checkpoint: {
          checkpointId: 1,
          epoch: 1,
          segments: [{ file: 'segment-00000001-000000000001-000001-01234567', bytes: 1, sha256: '0'.repeat(64), rows: 1 }],
          body: {},
        },
        retained: [{ seq: 1, checkpointId: 1, segments: [] }],
      }),
      (content) => decodeManifest(Buffer.from(encodeManifest(content)), 'manifest-000000000001'),
    ),
  )
})

describe('bytes that somebody else wrote are refused or understood:', () => {
  const frames = new RowFrames()
  frames.addCell(7, '"key"', 1, 1, undefined, '{"a":1}', undefined)
  frames.addCell(7, '"other"', 1, 1, 12, '1', undefined)
  frames.addDeletion(7, '"gone"')
  const rows = frames.take()
  const cells: Uint8Array[] = []
  readRows(rows, (_key, value) => void (value !== undefined && cells.push(value.slice())))

  it(
    'rows and their cells',
    tries(mutatedBytes(rows), (bytes: Uint8Array) => readRows(bytes, (_key, value) => value && readCells(value, () => {}))),
  )
  it(
    'cells',
    tries(mutatedBytes(cells[1] as Uint8Array), (bytes: Uint8Array) => readCells(bytes, () => {})),
  )
  it(
    'the header of a file',
    tries(mutatedBytes(fileHeader('S')), (bytes: Uint8Array) => checkHeader(Buffer.from(bytes), 'S', 'segment')),
  )
  it(
    'a manifest',
    tries(mutatedBytes(encodeManifest({ job: 'j', seq: 1, parent: null, epoch: 1, checkpoint: null, retained: [] })), (bytes: Uint8Array) =>
      decodeManifest(Buffer.from(bytes), 'manifest'),
    ),
  )
  it(
    'a manifest of any text whose digest fits',
    tries(fc.string(), (text: string) => decodeManifest(withDigest(Buffer.from(text)), 'manifest')),
  )
})

describe('texts that somebody else wrote are refused or understood:', () => {
  const codecs = new Map([['in', stateCodec<unknown>(json())]])
  const near = (...good: readonly string[]): fc.Arbitrary<string> =>
    fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.json(),
      fc.tuple(fc.constantFrom(...good), fc.nat(), fc.string({ maxLength: 3 })).map(([text, at, instead]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + instead + text.slice(place + instead.length)
      }),
    )
  it('values', tries(near(encodeTagged(new Map([[1n, new Set([new Date(0), -0])]])), '{"$bytes":"AQI="}', '{"__proto__":{"$date":0}}'), decodeTagged))
  it('keys', tries(near('"a"', '@12', '["a",1]', '-5', 'true'), decodeKey))
  it(
    'entries of a journal',
    tries(near('v in 1 {"a":1}', 'e in'), (text: string) => readEntry(text, codecs)),
  )
  it(
    'values under a schema',
    tries(near('{"a":1}'), (text: string) => stateCodec(t.type({ a: t.number })).fromText(text, 1)),
  )
})

describe('what an operator kept, changed by somebody else, is refused or understood by', () => {
  type Stream = never
  const byAll = keyBy((_: number) => 'all')
  const operators: { readonly [name: string]: (...inputs: readonly Stream[]) => never } = {
    'states of every kind': (source) =>
      byAll(source).pipe(
        processKeyed(
          'states',
          { state: { value: valueState(t.number), list: listState(t.number), map: mapState(t.string, t.number) }, emits: emits<number>() },
          {
            onRecord(n: number, { state, timers }) {
              state.value.update(n)
              state.list.add(n)
              state.map.put(`${n}`, n)
              timers.eventTime(n + 100)
            },
          },
        ),
      ) as never,
    'tumbling windows': (source) =>
      byAll(source).pipe(window('windows', { assigner: tumbling({ sizeMs: 10 }), reduce: (a: number, b: number) => a + b })) as never,
    sessions: (source) => byAll(source).pipe(window('sessions', { assigner: session<number>({ gapMs: 10 }), reduce: (a, b) => a + b })) as never,
    'event time': (source) => assignTimestamps({ timestamp: (n: number) => n, watermarks: boundedOutOfOrderness({ delayMs: 5 }) })(source) as never,
    'several inputs': (one, other) => union(other)(one) as never,
    'calls under way': (source) =>
      asyncMap('calls', { order: 'kept', capacity: 2, timeoutMs: 1_000 } as never, () => new Promise<number>(() => {}))(source) as never,
    'a twin that waits': (source) => durable.debounceTime<number>('typed', { dueMs: 10 })(source) as never,
  }
  for (const [name, build] of Object.entries(operators))
    it(name, async () => {
      const harness = (): OperatorHarness => new OperatorHarness({ build: (inputs) => build(...(inputs as never[])), inputs: 2 })
      const first = harness()
      for (const n of [3, 12, 30]) first.record(n, n)
      first.watermark(11, 0)
      first.watermark(9, 1)
      const kept = first.snapshot()
      const metas = [...kept.metas].map(([uid, text]) => [uid, JSON.parse(text) as unknown] as const)
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: Math.max(0, metas.length - 1) }).chain((at) => fc.tuple(fc.constant(at), mutated(metas[at]?.[1]))),
          ([at, instead]) =>
            refusedOrUnderstood(() => {
              const changed = new Map(metas.map(([uid, meta], index) => [uid, JSON.stringify(index === at ? instead : meta)]))
              first.restore({ metas: changed, chunks: kept.chunks })
              first.record(40, 40)
              first.watermark(50, 0)
              first.watermark(50, 1)
            }),
        ),
        { numRuns: runs },
      )
      const chunks = kept.chunks
      if (chunks.length === 0) return
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: chunks.length - 1 }).chain((at) => fc.tuple(fc.constant(at), mutatedBytes(chunks[at]?.bytes as Uint8Array))),
          ([at, bytes]) =>
            refusedOrUnderstood(() =>
              first.restore({ metas: kept.metas, chunks: chunks.map((chunk, index) => (index === at ? { ...chunk, bytes } : chunk)) }),
            ),
        ),
        { numRuns: runs },
      )
    })
})

function withDigest(text: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const bytes = Buffer.concat([fileHeader('M'), length, text])
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest()])
}
