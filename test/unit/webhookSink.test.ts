import { option } from 'fp-ts'
import { expect, onTestFinished, test } from 'vitest'
import { type WebhookOptions, webhookSink } from '../../backends/http/webhookSink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { checkpointId } from '../../lib/identity.js'
import { unwrap } from '../../lib/task.js'
import { failed, settled, testJob, watched } from '../support/jobs.js'
import { type ManualClock, manualClock } from '../support/manualClock.js'
import { failureOf, sinkContext } from '../support/ports.js'
import { type Answering, inTurn, serving, status } from '../support/server.js'

const posting = (url: string, records: readonly unknown[], options: Partial<WebhookOptions<unknown>> = {}, store = new MemoryStore()) =>
  testJob(({ source, sink }) => source('in', memorySource(records)).pipe(sink('out', webhookSink({ url: `${url}/hook`, ...options }))), {
    storage: memory({ store }),
  })

/** Lets time pass, with the network in between, until the run has ended. */
async function ended(clock: ManualClock, done: Promise<void>, stepMs = 100): Promise<void> {
  let over = false
  void done.then(
    () => (over = true),
    () => (over = true),
  )
  while (!over) await clock.advance(stepMs)
  await done
}

test('posts each record under its key, in order, behind its checkpoint', async () => {
  const server = await serving(status(204))
  const { job } = posting(server.url, [{ n: 1 }, 'two'], { headers: { authorization: 'me' } })
  await watched(job).done
  expect(server.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['POST', '/hook', '{"n":1}'],
    ['POST', '/hook', '"two"'],
  ])
  expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['job/out/1-1/0', 'job/out/1-1/1'])
  expect(server.asked[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'me' })
})

test('batches are arrays, whose keys name their first and last record', async () => {
  const server = await serving(status(200))
  const { job } = posting(server.url, [1, 2, 3], { batchMax: 2, method: 'PUT', encode: (value) => ({ value }) })
  await watched(job).done
  expect(server.asked.map(({ method, headers, body }) => [method, headers['idempotency-key'], body])).toEqual([
    ['PUT', 'job/out/1-1/0-1', '[{"value":1},{"value":2}]'],
    ['PUT', 'job/out/1-1/2-2', '[{"value":3}]'],
  ])
})

test.each([
  ['503', status(503)],
  ['408', status(408)],
  ['425', status(425)],
  ['429', status(429, { 'retry-after': '0' })],
  ['a connection that breaks', ((response) => response.destroy()) as Answering],
])('%s is tried again under the same key', async (_, answer) => {
  const server = await serving(inTurn(status(204), answer, status(204)))
  const { job, clock } = posting(server.url, [1, 2])
  await ended(clock, watched(job).done)
  expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['job/out/1-1/0', 'job/out/1-1/1', 'job/out/1-1/1'])
})

test('waits as long as the server asks for', async () => {
  const server = await serving(inTurn(status(429, { 'retry-after': '30' }), status(204)))
  const { job, clock } = posting(server.url, [1], { timeoutMs: Number.POSITIVE_INFINITY })
  const run = watched(job)
  await server.askedTimes(1)
  while (clock.pendingCount === 0) await settled(1)
  await clock.advance(29_999)
  expect(server.asked).toHaveLength(1)
  await clock.advance(1)
  await run.done
  expect(server.asked).toHaveLength(2)
})

test('a request without an answer is given up in time, and made again', async () => {
  const server = await serving(inTurn(() => undefined, status(204)))
  const { job, clock } = posting(server.url, [1], { timeoutMs: 5_000 })
  const run = watched(job)
  await server.askedTimes(1)
  await clock.advance(5_000)
  await ended(clock, run.done)
  expect(server.asked).toHaveLength(2)
})

test('a server that stays away fails the commit, which the job reports and begins anew', async () => {
  const server = await serving(inTurn(status(500), status(500), status(204)))
  const { job, clock } = posting(server.url, [1], { attemptsMax: 2 })
  const run = watched(job)
  await ended(clock, run.done)
  expect(run.of('commitRetried')).toMatchObject([{ error: { code: 'SINK_IO', details: { status: 500, attempts: 2 } } }])
  expect(server.asked).toHaveLength(3)
})

test.each([400, 401, 404, 410, 422, 301, 307])('the status %i ends the run, and tells which record it was', async (code) => {
  const server = await serving(status(code, { location: '/elsewhere' }))
  const { job } = posting(server.url, [1])
  expect(await failed(job)).toMatchObject({ code: 'SINK_REFUSED', details: { status: code, key: 'job/out/1-1/0', url: `${server.url}/hook` } })
  expect(server.asked).toHaveLength(1)
})

test('what is refused for good can be put aside, and the others arrive', async () => {
  const server = await serving(inTurn(status(204), status(422), status(204)))
  const refused: unknown[] = []
  const { job } = posting(server.url, [1, { bad: true }, 3], { refused: async (all) => refused.push(all) })
  await watched(job).done
  expect(refused).toEqual([{ status: 422, key: 'job/out/1-1/1', records: [{ bad: true }] }])
  expect(server.asked.map(({ body }) => body)).toEqual(['1', '{"bad":true}', '3'])
})

test('a run that died while it posted is followed by one that posts under the same keys', async () => {
  const store = new MemoryStore()
  const server = await serving(inTurn(status(204), () => undefined, status(204)))
  const first = watched(posting(server.url, [1, 2, 3], { timeoutMs: Number.POSITIVE_INFINITY }, store).job)
  await server.askedTimes(2)
  expect(first.of('checkpointCompleted')).toHaveLength(1)
  const second = watched(posting(server.url, [1, 2, 3], {}, store).job)
  await second.done
  expect(server.asked.slice(2).map(({ headers, body }) => [headers['idempotency-key'], body])).toEqual([
    ['job/out/1-1/0', '1'],
    ['job/out/1-1/1', '2'],
    ['job/out/1-1/2', '3'],
  ])
})

test('closing gives the request under way up', async () => {
  const server = await serving(() => undefined)
  const clock = manualClock()
  const writer = await unwrap(webhookSink({ url: server.url }).open({ ...sinkContext(), clock }))
  onTestFinished(writer.close())
  writer.write(1, undefined, undefined)
  const handle = await unwrap(writer.preCommit(checkpointId(1)))
  const committing = failureOf(writer.commit(option.toNullable(handle)))
  await server.askedTimes(1)
  await writer.close()()
  expect(await committing).toMatchObject({ code: 'SINK_IO', details: { reason: 'the writer was closed' } })
  expect(clock.pendingCount).toBe(0)
})

test.each([undefined, 5n, () => 1])('what is no JSON is refused when it is written: %s', async (value) => {
  const writer = await unwrap(webhookSink({ url: 'http://127.0.0.1' }).open(sinkContext()))
  expect(() => writer.write(value, undefined, undefined)).toThrow('VALUE_NOT_ENCODABLE')
})

test.each([
  ['url', { url: 'hook' }],
  ['batchMax', { batchMax: 0 }],
  ['recordsMax', { recordsMax: 0 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['keyPrefix', { keyPrefix: 'bär 1' }],
])('a bad %s is refused when the sink is made', (name, options) => {
  expect(() => webhookSink({ url: 'http://127.0.0.1', ...options })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option: name }) }),
  )
})
