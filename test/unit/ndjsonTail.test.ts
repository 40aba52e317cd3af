import { option } from 'fp-ts'
import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { ndjsonTail } from '../../backends/http/ndjsonTail.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import type { SourceReader } from '../../lib/ports/replayableSource.js'
import { sideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { fromSide } from '../../operators/fromSide.js'
import { testJob, watched } from '../support/jobs.js'
import { type ManualClock, manualClock, settled } from '../support/manualClock.js'
import { failureOf, openedReader, readAll, sourceContext } from '../support/ports.js'
import { file, inTurn, lines, serving, status } from '../support/server.js'

const Row = t.type({ id: t.number })
const rows = (...ids: readonly number[]) => ids.map((id) => ({ id }))
const text = (...ids: readonly number[]): string =>
  rows(...ids)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('')

/** An endpoint whose offset is the id of a row. */
const endpoint = (url: string, more = {}) =>
  ndjsonTail({
    url: (from?: number) => `${url}/rows${from === undefined ? '' : `?since=${from}`}`,
    codec: Row,
    offsetOf: ({ id }) => id,
    offset: t.number,
    ...more,
  })

const values = async (reader: SourceReader<unknown>): Promise<readonly unknown[] | 'end'> => {
  const read = await unwrap(reader.read(100))
  return read.kind === 'end' ? 'end' : read.batch.values
}

/** Waits, on the network, until somebody waits for the clock. */
const waitsFor = async (clock: ManualClock): Promise<void> => {
  while (clock.pendingCount === 0) await settled(1)
}

test('reads what an endpoint answers, and asks it for what follows the last record', async () => {
  const server = await serving((response, { url }) =>
    lines(...rows(1, 2, 3).filter(({ id }) => id > Number(url.split('=')[1] ?? 0)))(response, {} as never),
  )
  const { values: all, offsets } = await readAll(endpoint(server.url))
  expect(all).toEqual(rows(1, 2, 3))
  expect(offsets).toEqual([1, 2, 3].map((after) => ({ after, malformed: 0 })))
  expect((await readAll(endpoint(server.url), offsets[1])).values).toEqual(rows(3))
  expect(server.asked.map(({ url }) => url)).toEqual(['/rows', '/rows?since=2'])
})

test('a connection that breaks is followed by a request for what is missing', async () => {
  const server = await serving(
    inTurn(
      (response) => {
        response.write(`${text(1, 2)}{"id":3`)
        setImmediate(() => response.destroy())
      },
      lines(...rows(3, 4)),
    ),
  )
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url), sourceContext(undefined, clock))
  const found: unknown[] = []
  const reading = (async () => {
    for (let next = await values(reader); next !== 'end'; next = await values(reader)) found.push(...next)
  })()
  while (server.asked.length < 2) {
    await settled(1)
    await clock.advance(200)
  }
  await reading
  expect(found).toEqual(rows(1, 2, 3, 4))
  expect(server.asked[1]?.url).toBe('/rows?since=2')
})

test('an endpoint that is followed is asked again: at once behind records, later where there were none', async () => {
  const server = await serving(inTurn(lines(...rows(1)), lines(...rows(2)), lines(), lines(...rows(3)), lines()))
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { follow: true, pollMs: 5_000 }), sourceContext(undefined, clock))
  expect(await values(reader)).toEqual(rows(1))
  expect(await values(reader)).toEqual(rows(2))
  const third = values(reader)
  await server.askedTimes(3)
  await waitsFor(clock)
  await settled()
  expect(server.asked).toHaveLength(3)
  await clock.advance(5_000)
  expect(await third).toEqual(rows(3))
})

test('an answer that is held open yields its records as they come', async () => {
  let more: ((chunk: string) => void) | undefined
  const server = await serving((response) => {
    more = (chunk) => response.write(chunk)
    more(text(1))
  })
  const reader = await openedReader(endpoint(server.url, { follow: true }))
  expect(await values(reader)).toEqual(rows(1))
  const second = values(reader)
  more?.('{"id"')
  more?.(':2}\n')
  expect(await second).toEqual(rows(2))
})

test('an answer that falls silent is given up and asked for again, without counting as a failure', async () => {
  const server = await serving(inTurn((response) => void response.write(text(1)), lines(...rows(2))))
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { follow: true, idleMs: 60_000, attemptsMax: 1 }), sourceContext(undefined, clock))
  expect(await values(reader)).toEqual(rows(1))
  const second = values(reader)
  await waitsFor(clock)
  await clock.advance(60_000)
  expect(await second).toEqual(rows(2))
})

test.each([
  ['503', status(503), 200],
  ['429 and a time', status(429, { 'retry-after': '7' }), 7_000],
  ['503 and a date', status(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT' }), 9_000],
  ['429 and a time beyond what is granted', status(429, { 'retry-after': '99999' }), 60_000],
  ['no answer at all', (response: { destroy(): void }) => response.destroy(), 200],
])('%s is tried again, in time', async (_, answer, ms) => {
  const server = await serving(inTurn(answer as never, lines(...rows(1))))
  const clock = manualClock()
  const reader = await openedReader(
    endpoint(server.url, { timeoutMs: Number.POSITIVE_INFINITY, retryAfterMsMax: 60_000 }),
    sourceContext(undefined, clock),
  )
  const first = values(reader)
  await server.askedTimes(1)
  await waitsFor(clock)
  await clock.advance(ms - 1)
  expect(server.asked).toHaveLength(1)
  await clock.advance(1)
  expect(await first).toEqual(rows(1))
})

test('a server that does not come back is an error after so many attempts', async () => {
  const server = await serving(status(500))
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { attemptsMax: 3, timeoutMs: Number.POSITIVE_INFINITY }), sourceContext(undefined, clock))
  const failure = failureOf(reader.read(1))
  for (const ms of [200, 400]) {
    await waitsFor(clock)
    await clock.advance(ms)
  }
  expect(await failure).toMatchObject({ code: 'SOURCE_IO', details: { status: 500, attempts: 3, url: `${server.url}/rows` } })
})

test('a server that never answers is given up in time', async () => {
  const server = await serving(() => undefined)
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { attemptsMax: 1, timeoutMs: 1_000 }), sourceContext(undefined, clock))
  const failure = failureOf(reader.read(1))
  await server.askedTimes(1)
  await clock.advance(1_000)
  expect(await failure).toMatchObject({ code: 'SOURCE_IO', cause: { message: 'no answer within 1000 ms' } })
})

test.each([400, 401, 403, 404])('the status %i ends the run at once', async (code) => {
  const server = await serving(status(code))
  const reader = await openedReader(endpoint(server.url))
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_REFUSED', details: { status: code } })
})

test('what errors show of an address is not what may be secret', async () => {
  const server = await serving(status(401))
  const source = ndjsonTail({
    url: `${server.url.replace('//', '//ada:lovelace@')}/rows?token=abc`,
    codec: Row,
    fetch: (_, init) => fetch(server.url, init),
  })
  const error = await failureOf((await openedReader(source)).read(1))
  expect(error.message).toContain('/rows')
  expect(error.message).not.toMatch(/lovelace|abc/)
})

test.each([404, 410])('an endpoint that answers %i for an offset has no longer what follows it', async (code) => {
  const server = await serving(inTurn(status(code), lines(...rows(1))))
  const from = { after: 7, malformed: 0 }
  expect(await failureOf(endpoint(server.url).open(sourceContext(from)))).toMatchObject({ code: 'SOURCE_OFFSET_GONE' })
})

test('what is gone begins again from the beginning where that was chosen', async () => {
  const server = await serving((response, { url }) => (url.includes('since') ? status(410) : lines(...rows(1)))(response, {} as never))
  expect((await readAll(endpoint(server.url, { onOffsetGone: 'earliest' }), { after: 7, malformed: 0 })).values).toEqual(rows(1))
})

test('an answer without content is the end, or nothing new', async () => {
  const server = await serving(inTurn(status(204), status(204), lines(...rows(1))))
  expect((await readAll(endpoint(server.url))).values).toEqual([])
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { follow: true, timeoutMs: Number.POSITIVE_INFINITY }), sourceContext(undefined, clock))
  const first = values(reader)
  await waitsFor(clock)
  await clock.advance(1_000)
  expect(await first).toEqual(rows(1))
})

test('headers are those that were given, or are made for each request', async () => {
  const server = await serving(inTurn(lines(), lines()))
  let count = 0
  await readAll(endpoint(server.url, { headers: { authorization: 'one' } }))
  await readAll(endpoint(server.url, { headers: async () => ({ authorization: `${(count += 1)}` }) }))
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(['one', '1'])
})

const bad = 'no json\n{"id":"x"}\n'

test('a bad line ends the run behind the lines before it', async () => {
  const server = await serving((response) => void response.end(text(1) + bad))
  const reader = await openedReader(endpoint(server.url))
  expect(await values(reader)).toEqual(rows(1))
  const error = await failureOf(reader.read(1))
  expect(error).toMatchObject({ code: 'RECORD_MALFORMED', details: { reason: 'no JSON', offset: '{"after":1,"malformed":0}' } })
  expect(error.message).not.toContain('no json')
})

test('a line that is too long is refused, and only its beginning is held', async () => {
  const server = await serving((response) => void response.end(`${text(1)}"${'x'.repeat(300_000)}"\n${text(2)}`))
  const letters = sideOutput<never>('letters') as never
  expect((await readAll(endpoint(server.url, { lineBytesMax: 100, deadLetters: letters }))).values).toEqual(rows(1, 2))
  const reader = await openedReader(endpoint(server.url, { lineBytesMax: 100 }))
  expect(await values(reader)).toEqual(rows(1))
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'RECORD_TOO_LONG' })
})

test('bad lines go to their side output, once, also where a run ends among them', async () => {
  const letters = sideOutput<{ readonly text: string; readonly reason: string; readonly offset: unknown }>('letters') as never
  const all = text(1) + bad + text(2)
  const server = await serving((response, { url }) => void response.end(url.includes('since=1') ? bad + text(2) : all))
  const { offsets } = await readAll(endpoint(server.url, { deadLetters: letters }))
  expect(offsets).toEqual([
    { after: 1, malformed: 0 },
    { after: 1, malformed: 1 },
    { after: 1, malformed: 2 },
    { after: 2, malformed: 0 },
  ])
  const reader = await openedReader(endpoint(server.url, { deadLetters: letters }), sourceContext(offsets[1]))
  const read = await unwrap(reader.read(10))
  expect(read.kind === 'batch' && [...(read.batch.malformed ?? [])]).toEqual([
    [0, { offset: { after: 1, malformed: 1 }, text: '{"id":"x"}', reason: 'id: expected number' }],
  ])
  expect(read.kind === 'batch' && read.batch.values[1]).toEqual({ id: 2 })
})

test('a job reads a server, and its dead letters', async () => {
  const server = await serving((response) => void response.end(text(1) + bad + text(2)))
  const letters = sideOutput<{ readonly reason: string }>('letters')
  const good = memorySink<unknown>()
  const refused = memorySink<unknown>()
  const { job } = testJob(({ source, sink }) => {
    const read = source('rows', ndjsonTail({ url: server.url, codec: Row, deadLetters: letters as never }))
    return [read.pipe(sink('good', good)), read.pipe(fromSide(letters), sink('bad', refused))]
  })
  await watched(job).done
  expect(good.committed).toEqual(rows(1, 2))
  expect(refused.committed).toMatchObject([{ reason: 'no JSON' }, { reason: 'id: expected number' }])
})

// ---- files

const tail = (url: string, more = {}) => ndjsonTail({ url: `${url}/log.ndjson`, codec: Row, ...more })

test('a file is read on from a position, with what stands before it as a proof', async () => {
  const server = await serving(file(() => ({ text: text(1, 2, 3), etag: '"a"' })))
  const { values: all, offsets } = await readAll(tail(server.url))
  expect(all).toEqual(rows(1, 2, 3))
  expect(offsets).toMatchObject([{ position: 9, etag: '"a"' }, { position: 18 }, { position: 27 }])
  expect(await readAll(tail(server.url), offsets[0])).toEqual({ values: rows(2, 3), offsets: offsets.slice(1) })
  expect(server.asked[1]?.headers).toMatchObject({ range: 'bytes=0-', 'if-range': '"a"', 'accept-encoding': 'identity' })
})

test('a long file is asked for its last kilobyte before the position only', async () => {
  const ids = Array.from({ length: 500 }, (_, index) => index + 1_000)
  const server = await serving(file(() => ({ text: text(...ids) })))
  const { offsets } = await readAll(tail(server.url))
  expect((await readAll(tail(server.url), offsets[400])).values).toEqual(rows(...ids.slice(401)))
  expect(server.asked[1]?.headers.range).toBe(`bytes=${401 * 12 - 1_024}-`)
})

test('a server without ranges sends everything, and what was read is passed over', async () => {
  const ids = Array.from({ length: 500 }, (_, index) => index + 1_000)
  const server = await serving((response) => void response.end(text(...ids)))
  const { offsets } = await readAll(tail(server.url))
  expect((await readAll(tail(server.url), offsets[400])).values).toEqual(rows(...ids.slice(401)))
})

test('what stands behind the last newline of a finished file is a line; a file that is followed waits for its newline', async () => {
  let content = '{"id":1}\n{"id":2}'
  const server = await serving(file(() => ({ text: content, etag: `"${content.length}"` })))
  expect((await readAll(tail(server.url))).values).toEqual(rows(1, 2))
  const clock = manualClock()
  const reader = await openedReader(
    tail(server.url, { follow: true, timeoutMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY }),
    sourceContext(undefined, clock),
  )
  expect(await values(reader)).toEqual(rows(1))
  const second = values(reader)
  await waitsFor(clock)
  content += '\n{"id":3}\n'
  await clock.advance(1_000)
  expect(await second).toEqual(rows(2, 3))
  expect(reader.start).toEqual({ position: 0, tail: 0 })
})

test.each([
  ['another file, of the same length', text(7, 8, 9), '"b"', 'SOURCE_OFFSET_GONE'],
  ['another file without ETag', text(7, 8, 9), undefined, 'SOURCE_OFFSET_GONE'],
  ['the same file under another ETag', text(1, 2, 3), '"b"', 'SOURCE_OFFSET_GONE'],
  ['a shorter file', text(1), '"a"', 'SOURCE_OFFSET_AHEAD'],
  ['an empty file', '', '"a"', 'SOURCE_OFFSET_AHEAD'],
  ['no file', undefined, undefined, 'SOURCE_OFFSET_GONE'],
])('%s is an error, or begins again where that was chosen', async (_, replaced, etag, code) => {
  let content: { text: string; etag?: string } | undefined = { text: text(1, 2, 3), etag: '"a"' }
  const server = await serving(file(() => content))
  const { offsets } = await readAll(tail(server.url))
  content = replaced === undefined ? undefined : { text: replaced, ...(etag === undefined ? {} : { etag }) }
  expect(await failureOf(tail(server.url).open(sourceContext(offsets[1])))).toMatchObject({ code })
  if (content !== undefined)
    expect(await (await readAll(tail(server.url, { onOffsetGone: 'earliest' }), offsets[1])).values).toHaveLength(content.text.length / 9)
})

test('a file that is replaced while it is followed is an error', async () => {
  let content = text(1, 2)
  const server = await serving(file(() => ({ text: content })))
  const clock = manualClock()
  const reader = await openedReader(
    tail(server.url, { follow: true, timeoutMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY }),
    sourceContext(undefined, clock),
  )
  expect(await values(reader)).toEqual(rows(1, 2))
  content = text(8, 9, 10)
  expect(await failureOf(reader.read(1))).toMatchObject({ code: 'SOURCE_OFFSET_GONE', details: { position: 18 } })
})

test('a file may arrive compressed as a whole, a range of it may not', async () => {
  const compressed = { 'content-encoding': 'gzip', etag: '"a-gzip"' }
  const whole = await readAll(tail('http://127.0.0.1', { fetch: async () => new Response(text(1, 2), { headers: compressed }) }))
  expect(whole.offsets).toEqual([
    { position: 9, tail: expect.any(Number) },
    { position: 18, tail: expect.any(Number) },
  ])
  const source = tail('http://127.0.0.1', { fetch: async () => new Response(text(1, 2), { status: 206, headers: compressed }) })
  expect(await failureOf(source.open(sourceContext(whole.offsets[0])))).toMatchObject({ code: 'SOURCE_REFUSED' })
})

test('another range than was asked for is refused', async () => {
  const { offsets } = await readAll(tail('http://127.0.0.1', { fetch: async () => new Response(text(1, 2)) }))
  const source = tail('http://127.0.0.1', {
    fetch: async () => new Response(text(2), { status: 206, headers: { 'content-range': 'bytes 9-17/18' } }),
  })
  expect(await failureOf(source.open(sourceContext(offsets[0])))).toMatchObject({ code: 'SOURCE_REFUSED', details: { found: '9', expected: 0 } })
})

test('bytes may arrive in any pieces, with carriage returns, blank lines and a byte order mark', async () => {
  const bytes = new TextEncoder().encode('\uFEFF{"id":1}\r\n\n  \n{"id":2}\n{"id":3}')
  for (const size of [1, 2, 3, 7, 100]) {
    const fetch = async () =>
      new Response(
        new ReadableStream({
          start(controller) {
            for (let from = 0; from < bytes.length; from += size) controller.enqueue(bytes.slice(from, from + size))
            controller.close()
          },
        }),
      )
    expect((await readAll(tail('http://127.0.0.1', { fetch }))).values).toEqual(rows(1, 2, 3))
  }
})

test('a line that is no UTF-8 is malformed', async () => {
  const fetch = async () => new Response(new Uint8Array([34, 255, 34, 10]))
  expect(await failureOf((await openedReader(tail('http://127.0.0.1', { fetch }))).read(1))).toMatchObject({
    code: 'RECORD_MALFORMED',
    details: { reason: 'no UTF-8' },
  })
})

test('closing settles a read that waits, and lets go of the connection', async () => {
  let closed = 0
  const server = await serving((response) => {
    response.on('close', () => (closed += 1))
    response.write(text(1))
  })
  const clock = manualClock()
  const reader = await openedReader(endpoint(server.url, { follow: true }), sourceContext(undefined, clock))
  expect(await values(reader)).toEqual(rows(1))
  const waiting = failureOf(reader.read(1))
  await settled()
  await reader.close()()
  expect(await waiting).toMatchObject({ code: 'SOURCE_IO', details: { reason: 'the reader was closed' } })
  expect(clock.pendingCount).toBe(0)
  while (closed === 0) await settled(1)
})

test.each([
  ['a position', tail('http://127.0.0.1'), { after: 1, malformed: 0 }, 'STATE_KIND_CHANGED'],
  ['one of records', endpoint('http://127.0.0.1'), { position: 1, tail: 0 }, 'STATE_KIND_CHANGED'],
  ['what the codec reads', endpoint('http://127.0.0.1'), { after: 'x', malformed: 0 }, 'CODEC_MISMATCH'],
] as const)('a stored offset that is not %s is refused', async (_, source, from, code) => {
  expect(await failureOf(source.open({ ...sourceContext(), from: option.some(from) }))).toMatchObject({ code })
})

test.each([
  ['pollMs', { pollMs: 0 }],
  ['idleMs', { idleMs: 0 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['attemptsMax', { attemptsMax: 0 }],
  ['retryAfterMsMax', { retryAfterMsMax: -1 }],
  ['lineBytesMax', { lineBytesMax: 0 }],
  ['fetch', { fetch: 5 }],
  ['url', { url: 'rows' }],
  ['url', { url: () => 'http://127.0.0.1' }],
  ['url', { offsetOf: () => 1, offset: t.number }],
])('a bad %s is refused when the source is made', (name, options) => {
  expect(() => ndjsonTail({ url: 'http://127.0.0.1', codec: Row, ...options } as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})
