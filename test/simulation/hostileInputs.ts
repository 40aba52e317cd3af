/** What somebody else wrote, for every decoder there is: each input is understood, or refused with a code. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import * as t from 'io-ts'
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
import { readHead } from '../../lib/keyValue/head.js'
import { KeyValueJournal } from '../../lib/keyValue/keyValueJournal.js'
import { boundsPlace, headPlace } from '../../lib/keyValue/places.js'
import { sealedText } from '../../lib/keyValue/sealed.js'
import type { KeyValueStore } from '../../lib/ports/keyValueStore.js'
import { readCells } from '../../lib/state/cells.js'
import { RowFrames, readRows } from '../../lib/state/rowFrames.js'
import { stateCodec } from '../../lib/stateCodec.js'
import { decodeTagged, encodeTagged } from '../../lib/taggedJson.js'
import { unwrap } from '../../lib/task.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { asyncMap } from '../../operators/asyncMap.js'
import * as durable from '../../operators/durable/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { readsOf } from '../support/mapStore.js'
import { mutated, mutatedBytes } from '../support/mutated.js'

/** A decoder and what it is fed. */
export interface HostileInput {
  readonly kind: string
  readonly name: string
  readonly hostile: fc.Arbitrary<unknown>
  decode(hostile: never): unknown
}

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
  'the head in a store of keys and values': [
    {
      format: 1,
      job: 'j',
      epoch: 1,
      seq: 1,
      generation: 0,
      generationNext: 1,
      tables: [['a', 'b']],
      checkpoints: [{ id: 1, epoch: 1, generation: 0, rows: 1 }],
    },
    (head: unknown) => readHead(at(stored(headPlace, head)), 'j'),
  ],
  'the bounds of a journal in keys and values': [{ first: 0, end: 2, bytesBefore: 0, bytesUpTo: 3 }, (bounds: unknown) => journalWith(bounds)],
  'the offset of an intake': [{ next: 1, ended: ['in'] }, (stored: Json) => readOffset(stored, 'in')],
}

/** A journal is opened, and read from its beginning. */
async function journalWith(bounds: unknown): Promise<void> {
  const reads = at(stored(boundsPlace, bounds))
  const store: KeyValueStore = { read: (work) => work(reads), write: () => Promise.reject(new Error('nothing is written')), close: async () => {} }
  const journal = await KeyValueJournal.open(store, async () => undefined)
  await unwrap(journal.read(journal.first, 2))
}

const at = (kept: { readonly [place: string]: string }) =>
  readsOf(new Map(Object.entries(kept).map(([place, text]) => [String.fromCharCode(Number(place)), sealedText(text)])))
const stored = (place: Uint8Array, value: unknown): { readonly [place: string]: string } => ({ [String(place[0])]: JSON.stringify(value) })

const jsons: readonly HostileInput[] = Object.entries(decoders).map(([name, [good, decode]]) => ({
  kind: 'JSON',
  name,
  hostile: mutated(good),
  decode,
}))

const frames = new RowFrames()
frames.addCell(7, '"key"', 1, 1, undefined, '{"a":1}', undefined)
frames.addCell(7, '"other"', 1, 1, 12, '1', undefined)
frames.addDeletion(7, '"gone"')
const rows = frames.take()
const cells: Uint8Array[] = []
readRows(rows, (_key, value) => void (value !== undefined && cells.push(value.slice())))

const bytes: readonly Omit<HostileInput, 'kind'>[] = [
  {
    name: 'a manifest whose digest fits',
    hostile: mutated({
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
    decode: (content: never) => decodeManifest(Buffer.from(encodeManifest(content)), 'manifest-000000000001'),
  },
  {
    name: 'rows and their cells',
    hostile: mutatedBytes(rows),
    decode: (found: Uint8Array) => readRows(found, (_key, value) => value && readCells(value, () => {})),
  },
  { name: 'cells', hostile: mutatedBytes(cells[1] as Uint8Array), decode: (found: Uint8Array) => readCells(found, () => {}) },
  {
    name: 'the header of a file',
    hostile: mutatedBytes(fileHeader('S')),
    decode: (found: Uint8Array) => checkHeader(Buffer.from(found), 'S', 'segment'),
  },
  {
    name: 'a manifest',
    hostile: mutatedBytes(encodeManifest({ job: 'j', seq: 1, parent: null, epoch: 1, checkpoint: null, retained: [] })),
    decode: (found: Uint8Array) => decodeManifest(Buffer.from(found), 'manifest'),
  },
  {
    name: 'a manifest of any text whose digest fits',
    hostile: fc.string(),
    decode: (text: string) => decodeManifest(withDigest(Buffer.from(text)), 'manifest'),
  },
]

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

const texts: readonly Omit<HostileInput, 'kind'>[] = [
  {
    name: 'values',
    hostile: near(encodeTagged(new Map([[1n, new Set([new Date(0), -0])]])), '{"$bytes":"AQI="}', '{"__proto__":{"$date":0}}'),
    decode: decodeTagged,
  },
  { name: 'keys', hostile: near('"a"', '@12', '["a",1]', '-5', 'true'), decode: decodeKey },
  { name: 'entries of a journal', hostile: near('v in 1 {"a":1}', 'e in'), decode: (text: string) => readEntry(text, codecs) },
  { name: 'values under a schema', hostile: near('{"a":1}'), decode: (text: string) => stateCodec(t.type({ a: t.number })).fromText(text, 1) },
]

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

/** What an operator kept: the text of one of its metas is another, or the bytes of one of its chunks are. */
function keptBy(name: string, build: (...inputs: readonly never[]) => never): readonly HostileInput[] {
  const harness = new OperatorHarness({ build: (inputs) => build(...(inputs as never[])), inputs: 2 })
  for (const n of [3, 12, 30]) harness.record(n, n)
  harness.watermark(11, 0)
  harness.watermark(9, 1)
  const { metas, chunks } = harness.snapshot()
  const parsed = [...metas].map(([uid, text]) => [uid, JSON.parse(text) as unknown] as const)
  const one = <A>(among: readonly unknown[], insteadOf: (at: number) => fc.Arbitrary<A>): fc.Arbitrary<readonly [number, A]> =>
    fc.nat({ max: among.length - 1 }).chain((at) => fc.tuple(fc.constant(at), insteadOf(at)))
  const meta: HostileInput = {
    kind: 'kept',
    name,
    hostile: one(parsed, (at) => mutated(parsed[at]?.[1])),
    decode([at, instead]: readonly [number, unknown]) {
      const changed = new Map(parsed.map(([uid, own], index) => [uid, JSON.stringify(index === at ? instead : own)]))
      harness.restore({ metas: changed, chunks })
      harness.record(40, 40)
      harness.watermark(50, 0)
      harness.watermark(50, 1)
    },
  }
  if (chunks.length === 0) return [meta]
  return [
    meta,
    {
      kind: 'kept',
      name: `${name}, of which the rows are others`,
      hostile: one(chunks, (at) => mutatedBytes(chunks[at]?.bytes as Uint8Array)),
      decode: ([at, instead]: readonly [number, Uint8Array]) =>
        harness.restore({ metas, chunks: chunks.map((chunk, index) => (index === at ? { ...chunk, bytes: instead } : chunk)) }),
    },
  ]
}

export const hostileInputs: readonly HostileInput[] = [
  ...jsons,
  ...bytes.map((input) => ({ kind: 'bytes', ...input })),
  ...texts.map((input) => ({ kind: 'texts', ...input })),
  ...Object.entries(operators).flatMap(([name, build]) => keptBy(name, build)),
]

/** Understood, or refused with a code; never anything else, and nothing is left on a prototype. */
async function refusedOrUnderstood(decode: () => unknown): Promise<void> {
  const before = Object.keys(Object.prototype).length
  try {
    await unpolluted(decode)
  } catch (error) {
    if (!(error instanceof RxweirError)) throw error
  }
  if (Object.keys(Object.prototype).length !== before || ({} as { polluted?: number }).polluted !== undefined)
    throw new Error('something is left on the prototype of all objects')
}

/** Feeds one decoder. Rejects with the input that it neither understands nor refuses. */
export const feed = ({ hostile, decode }: HostileInput, { runs, seed }: { readonly runs: number; readonly seed?: number }): Promise<void> =>
  fc.assert(
    fc.asyncProperty(hostile, (input) => refusedOrUnderstood(() => decode(input as never))),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )

/** Feeds all decoders, so many inputs in all. */
export async function feedHostile({ seed, runs }: { readonly seed: number; readonly runs: number }): Promise<{ runs: number; wrong: string[] }> {
  const each = Math.ceil(runs / hostileInputs.length)
  const fed = { runs: 0, wrong: [] as string[] }
  for (const input of hostileInputs)
    await feed(input, { runs: each, seed }).then(
      () => void (fed.runs += each),
      (error: unknown) => fed.wrong.push(`${input.kind}, ${input.name}: ${String(error)}`),
    )
  return fed
}

function withDigest(text: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const bytes = Buffer.concat([fileHeader('M'), length, text])
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest()])
}
