import { request } from 'node:http'
import * as t from 'io-ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type JobServerOptions, jobServer } from '../../backends/jobServer/index.js'
import { RunErrors } from '../../backends/jobServer/runErrors.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { CheckpointError } from '../../lib/errors.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { fixedDelay } from '../../lib/restart/fixedDelay.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { settled, testJob, watched } from '../support/jobs.js'
import { manualClock } from '../support/manualClock.js'

const token = '0123456789abcdef'

/** A job that counts words, and a server before it. */
async function served(options: Partial<JobServerOptions> = {}) {
  const input = memorySource(['a', 'b', 'a'], { bounded: false })
  const { job } = testJob(({ source, sink }) =>
    source('words', input).pipe(
      keyBy((word) => word),
      statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, word]),
      sink('out', memorySink<string>()),
    ),
  )
  const run = watched(job)
  await settled()
  const server = await jobServer(run, { token, ...options })
  onTestFinished(async () => {
    await server.close()
    run.cancel()
  })
  const ask = async (path: string, { headers = {}, ...init }: RequestInit & { headers?: Record<string, string> } = {}) => {
    const answer = await fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...headers } })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  return { run, server, ask }
}

/** Asks with headers that `fetch` does not let anybody set. */
const askedAs = (url: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${url}/metrics`, { headers: { authorization: `Bearer ${token}`, ...headers } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
      .on('error', reject)
      .end()
  })

describe('a server before a job', () => {
  test('tells figures, event times and checkpoints', async () => {
    const { ask } = await served()
    expect((await ask('/checkpoints', { method: 'POST' })).body).toEqual({ checkpointId: 1 })
    await settled()
    expect((await ask('/metrics')).body).toMatchObject({ sources: [{ uid: 'words', records: 3 }], sinks: [{ uid: 'out', records: 3 }] })
    expect((await ask('/metrics')).body).toMatchObject({ job: 'job', runningMs: 0, errors: [] })
    expect((await ask('/watermarks')).body).toMatchObject({ operators: [{ uid: 'out' }, { uid: 'count', watermark: '-Infinity' }] })
    expect((await ask('/checkpoints')).body).toMatchObject({ completed: 1, history: [{ checkpointId: 1, status: 'committed', rows: 2 }] })
  })

  test('tells the last errors, newest first, and the one that ends the job once', async () => {
    const clock = manualClock()
    let failures = 0
    const { job } = testJob(
      ({ source, sink }) =>
        source('words', memorySource(['a'])).pipe(
          tapValues(() => {
            failures += 1
            throw new Error(`failure ${failures}`)
          }),
          sink('out', memorySink<string>()),
        ),
      { clock },
    )
    const run = watched(job, { restart: fixedDelay({ attempts: 1, delayMs: 10, clock }) })
    const server = await jobServer(run, { token })
    onTestFinished(() => server.close())
    await settled()
    await clock.advance(10)
    await run.done.catch(() => undefined)
    const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    expect(((await answer.json()) as { errors: unknown }).errors).toEqual([
      { of: 'run', reason: 'failure 2' },
      { of: 'run', reason: 'failure 1' },
    ])
    const errors = new RunErrors()
    const error = new CheckpointError('CHECKPOINT_TIMED_OUT', { checkpointId: 3 })
    for (let checkpointId = 1; checkpointId <= 30; checkpointId++) errors.note({ kind: 'checkpointAborted', checkpointId, error })
    errors.note({ kind: 'commitRetried', checkpointId: 2, uid: 'out', attempt: 1, error: new Error('x'.repeat(1_000)) })
    expect(errors.errors).toHaveLength(20)
    expect(errors.errors.slice(0, 2)).toEqual([
      { of: 'commit', checkpointId: 2, uid: 'out', reason: 'x'.repeat(500) },
      { of: 'checkpoint', checkpointId: 30, code: 'CHECKPOINT_TIMED_OUT', reason: error.message },
    ])
  })

  test('tells what a key has, and what all have up to a limit', async () => {
    const { ask } = await served()
    expect(await ask(`/state/count/state?key=${encodeURIComponent('"a"')}`)).toEqual({
      status: 200,
      body: { size: 2, rows: [{ key: '"a"', value: 2 }] },
    })
    expect((await ask('/state/count/state?limit=1')).body).toEqual({ size: 2, rows: [{ key: '"a"', value: 2 }] })
    expect(await ask('/state/count/nothing')).toMatchObject({ status: 404, body: { code: 'STATE_UNKNOWN' } })
    expect(await ask('/state/count/state?key=a')).toMatchObject({ status: 400, body: { code: 'OPTION_INVALID' } })
    expect(await ask('/state/%E0%A4%A/state')).toMatchObject({ status: 404 })
  })

  test('takes savepoints where it has a place for them', async () => {
    const places = new Map<string, CheckpointStorage>()
    const place = (name: string): CheckpointStorage => {
      const storage = places.get(name) ?? memory()
      places.set(name, storage)
      return storage
    }
    const { ask } = await served({ savepoints: place })
    const asked = (name: unknown) => ask('/savepoints', { method: 'POST', body: JSON.stringify({ name }) })
    expect(await asked('monday')).toEqual({ status: 200, body: { checkpointId: 1, name: 'monday' } })
    expect(await asked('monday')).toMatchObject({ status: 409, body: { code: 'SAVEPOINT_EXISTS' } })
    for (const name of ['../up', '', 7, undefined]) expect(await asked(name)).toMatchObject({ status: 400, body: { code: 'NAME_INVALID' } })
    expect([...places.keys()]).toEqual(['monday'])
    const { ask: another } = await served()
    expect((await another('/savepoints', { method: 'POST', body: '{"name":"monday"}' })).status).toBe(403)
  })

  test('describes all that it answers', async () => {
    const { ask } = await served()
    const { body } = await ask('/openapi.json')
    expect(Object.keys(body.paths as object)).toEqual(['/metrics', '/watermarks', '/checkpoints', '/savepoints', '/state/{uid}/{state}'])
    expect(body.openapi).toBe('3.1.0')
    for (const [path, methods] of Object.entries(body.paths as Record<string, object>))
      for (const method of Object.keys(methods))
        expect((await ask(path, { method: method.toUpperCase() })).body.reason ?? '').not.toMatch(/nothing here/)
    expect((await ask('/elsewhere')).status).toBe(404)
    expect((await ask('/metrics', { method: 'DELETE' })).status).toBe(404)
  })

  test('answers nobody without the token, under another name, or out of a page', async () => {
    const { ask, server } = await served({ allowedHosts: ['jobs.example.org'], allowedOrigins: ['https://ops.example.org'] })
    for (const authorization of ['', 'Bearer', 'Bearer 0123456789abcdee', `Basic ${token}`, `Bearer ${token} `.repeat(9)])
      expect((await ask('/metrics', { headers: { authorization } })).status).toBe(401)
    expect(await askedAs(server.url, { host: 'evil.example.org' })).toBe(421)
    expect(await askedAs(server.url, { host: 'JOBS.example.org:80' })).toBe(200)
    expect(await askedAs(server.url, { origin: 'https://evil.example.org' })).toBe(403)
    expect(await askedAs(server.url, { origin: 'https://ops.example.org' })).toBe(200)
    expect(await askedAs(server.url, { host: 'localhost' })).toBe(200)
  })

  test('takes no body that is large or malformed', async () => {
    const { ask } = await served({ savepoints: () => memory() })
    expect((await ask('/savepoints', { method: 'POST', body: '{' })).status).toBe(400)
    expect((await ask('/savepoints', { method: 'POST', body: 'x'.repeat(20_000) })).status).toBe(413)
    expect((await ask('/metrics')).status).toBe(200)
  })

  test('says that a run that has ended takes no checkpoint', async () => {
    const { ask, run } = await served()
    await run.stop()
    expect(await ask('/checkpoints', { method: 'POST' })).toMatchObject({ status: 503, body: { code: 'CHECKPOINT_CANCELLED' } })
  })

  test('needs a token that nobody guesses', async () => {
    const { run } = await served()
    await expect(jobServer(run, { token: 'short' })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(jobServer(run, { token, port: -1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})
