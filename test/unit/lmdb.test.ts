import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { type LmdbOptions, lmdb, lmdbIn } from '../../backends/lmdb/lmdb.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits } from '../../lib/emits.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import { defineJob, type Job, type JobScope } from '../../lib/job.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import { valueState } from '../../lib/state/valueState.js'
import { unwrap } from '../../lib/task.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

const mebibyte = 1024 * 1024
const fileOf = (path: string, job = 'job'): string => `${path}/${job}/store.mdb`

/** Says of each word the how manieth of its kind it is, and keeps all that it can of it. */
const everyState = processKeyed(
  'all',
  {
    state: { count: valueState(t.number, { initial: 0 }), seen: listState(t.string), lengths: mapState(t.number, t.number) },
    emits: emits<string>(),
  },
  {
    onRecord(word: string, { state, key, emit }) {
      state.count.update(state.count.value() + 1)
      state.seen.add(word)
      state.lengths.put(word.length, (state.lengths.get(word.length) ?? 0) + 1)
      emit(`${key}: ${state.count.value()} ${[...state.seen].join('')} ${[...state.lengths].map((entry) => entry.join('=')).sort()}`)
    },
  },
)

const expectedOf = (words: readonly string[]): readonly string[] => {
  const seen = new Map<string, string[]>()
  return words.map((word) => {
    const key = word.slice(0, 1)
    const all = [...(seen.get(key) ?? []), word]
    seen.set(key, all)
    const lengths = new Map<number, number>()
    for (const { length } of all) lengths.set(length, (lengths.get(length) ?? 0) + 1)
    return `${key}: ${all.length} ${all.join('')} ${[...lengths].map((entry) => entry.join('=')).sort()}`
  })
}

describe('a job over a store', () => {
  it('goes on after a restart, copies nothing, and finds every kind of state again', async () => {
    const path = await temporaryDirectory()
    const words = ['a', 'bb', 'abc', 'b', 'a', 'crash', 'c', 'ab', 'b', 'bb', 'cc', 'a']
    const sink = memorySink<string>()
    let crashes = 2
    const { job } = testJob(
      ({ source, sink: into }) =>
        source('words', memorySource(words)).pipe(
          tapValues((word) => {
            if (word === 'crash' && crashes-- > 0) throw new Error('crash')
          }),
          keyBy((word) => word.slice(0, 1)),
          everyState,
          into('out', sink),
        ),
      { ...lmdb(path), checkpoints: { intervalMs: 1 }, limits: { sourceBatchMax: 1 } },
    )
    const run = watched(job, { restart: { count: 3, delayMs: 0 } })
    await run.done
    expect(sink.committed).toEqual(expectedOf(words))
    expect(run.of('restored').map(({ rows }) => rows)).toEqual([0, 0, 0])
    expect((await ran(job)).find(({ kind }) => kind === 'restored')).toMatchObject({ rows: 0 })
  })

  it('commits the same as without a crash, for every input and wherever it crashes', async () => {
    const input = fc.array(fc.constantFrom('a', 'ab', 'abc', 'b', 'bc', 'c'), { maxLength: 40, size: 'max' })
    await fc.assert(
      fc.asyncProperty(input, fc.array(fc.nat(30), { maxLength: 4 }), async (words, crashes) => {
        const path = await temporaryDirectory()
        const sink = memorySink<string>()
        const left = [...crashes]
        let seen = 0
        const build = ({ source, sink: into }: JobScope) =>
          source('words', memorySource(words)).pipe(
            tapValues(() => {
              if (seen++ !== left[0]) return
              left.shift()
              throw new Error('crash')
            }),
            keyBy((word) => word.slice(0, 1)),
            everyState,
            into('out', sink),
          )
        for (let ended = false; !ended; seen = 0) {
          const job = defineJob('job', { ...lmdb(path), checkpoints: { intervalMs: 1 }, limits: { sourceBatchMax: 3 } }, build)
          ended = await job.run().done.then(
            () => true,
            () => false,
          )
        }
        expect(sink.committed).toEqual(expectedOf(words))
      }),
      { numRuns: 12 },
    )
  })

  it('asks for a checkpoint, and lets the sources wait, when much has changed', async () => {
    const path = await temporaryDirectory()
    const keys = Array.from({ length: 30_000 }, (_, key) => key)
    const sink = memorySink<number>()
    let waiting = 0
    const { job } = testJob(
      ({ source, sink: into }) =>
        source('keys', memorySource(keys)).pipe(
          keyBy((key) => key),
          statefulMap('text', { state: t.string }, (before, key: number) => [`${before ?? ''}${'x'.repeat(100)}`, key]),
          into('out', sink),
        ),
      // Nobody else asks: time stands still.
      lmdb(path, { dirtyBytesMax: mebibyte, cacheBytesMax: mebibyte }),
    )
    const run = watched(job)
    run.events$.subscribe({ next: ({ kind }) => (waiting += kind === 'checkpointStarted' ? 1 : 0), error() {} })
    await run.done
    expect(sink.committed).toHaveLength(keys.length)
    const rows = run.of('checkpointCompleted').map(({ rows: written }) => written)
    expect(waiting).toBeGreaterThan(5)
    expect(Math.max(...rows)).toBeLessThan(keys.length / 3)
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(keys.length)
  })

  it('has its rows in the store that has its checkpoints, or does not start', async () => {
    const path = await temporaryDirectory()
    const jobWith = (options: object): Job =>
      testJob(({ source, sink }) => source('in', memorySource([1])).pipe(sink('out', memorySink<number>())), options).job
    expect(await failed(jobWith({ state: lmdb(path).state, storage: memory() }))).toMatchObject({ code: 'STATE_STORED_ELSEWHERE' })
    expect(await failed(jobWith({ state: lmdb(path).state, storage: lmdb(`${path}/other`).storage }))).toMatchObject({
      code: 'STATE_STORED_ELSEWHERE',
    })
    expect((await ran(jobWith(lmdb(path)))).at(-1)).toMatchObject({ kind: 'stopped' })
    // Rows on the heap and checkpoints in the store are no contradiction.
    expect((await ran(jobWith({ storage: lmdb(`${path}/another`).storage }))).at(-1)).toMatchObject({ kind: 'stopped' })
  })

  it('goes on over the store with what a job on the heap has left there, and the other way round', async () => {
    const path = await temporaryDirectory()
    const sink = memorySink<string>()
    const source$ = memorySource<string>([], { bounded: false })
    const live = async (words: readonly string[], options: object): Promise<void> => {
      const { job } = testJob(
        ({ source, sink: into }) =>
          source('words', source$).pipe(
            keyBy((word) => word.slice(0, 1)),
            everyState,
            into('out', sink),
          ),
        options,
      )
      source$.push(...words)
      const run = job.run()
      await firstValueFrom(run.events$.pipe(filter(({ kind }) => kind === 'started')))
      await settled()
      await run.stop()
    }
    await live(['a', 'b'], { storage: lmdb(path).storage })
    await live(['ab', 'b'], lmdb(path))
    await live(['abc', 'bb'], { storage: lmdb(path).storage })
    expect(sink.committed).toEqual(expectedOf(['a', 'b', 'ab', 'b', 'abc', 'bb']))
  })
})

const job = jobName('job')
const uid = operatorUid('operator')

async function opened(path: string, options?: LmdbOptions): Promise<CheckpointSession> {
  const session = await unwrap(lmdbIn(new Map(), path, options).storage.open(job))
  await unwrap(session.takeOver(await unwrap(session.latest())))
  return session
}

async function publish(session: CheckpointSession, id: number, rows: number, bytes = 10): Promise<void> {
  const frames = new RowFrames()
  for (let row = 0; row < rows; row++) frames.add(Uint8Array.of(0, 0, row >> 8, row & 0xff), new Uint8Array(bytes).fill(id))
  const writer = session.begin(checkpointId(id))
  await unwrap(writer.write({ uid, table: 'table', rows, bytes: frames.take() }))
  await unwrap(writer.publish({ id }))
}

async function newest(path: string): Promise<{ readonly id: number; readonly rows: number }> {
  const session = await unwrap(lmdbIn(new Map(), path).storage.open(job, { readOnly: true }))
  const stored = O.toUndefined(await unwrap(session.latest()))
  let rows = 0
  if (stored !== undefined) await unwrap(stored.readRows((chunk) => (rows += chunk.rows)))
  await session.close()()
  return { id: stored?.checkpointId ?? 0, rows }
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: { readonly code: unknown }) => error.code,
  )

describe('a store', () => {
  it('is for its user only', async () => {
    const path = await temporaryDirectory()
    await (await opened(path)).close()()
    expect((await stat(fileOf(path))).mode & 0o777).toBe(0o600)
    expect((await stat(`${path}/job`)).mode & 0o777).toBe(0o700)
  })

  it('in a folder where others may write is refused', async () => {
    const path = await temporaryDirectory()
    await mkdir(`${path}/job`)
    await chmod(`${path}/job`, 0o777)
    expect(await codeOf(opened(path))).toBe('BACKEND_NOT_OWNED')
  })

  it('that is full refuses a checkpoint with a code, and keeps the one before', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path, { fileBytesMax: mebibyte })
    await publish(session, 1, 100)
    await publish(session, 2, 300, 10_000)
    expect(await codeOf(publish(session, 3, 1))).toBe('BACKEND_FULL')
    await session.close()()
    expect(await newest(path)).toEqual({ id: 2, rows: 300 })
    // With more room it goes on.
    const roomier = await opened(path)
    await publish(roomier, 3, 1)
    await roomier.close()()
    expect(await newest(path)).toEqual({ id: 3, rows: 300 })
  })

  it('that another process takes over fences the one before at its next publish', async () => {
    const path = await temporaryDirectory()
    const first = await opened(path)
    await publish(first, 1, 1)
    const second = await opened(path)
    expect(await codeOf(publish(first, 2, 2))).toBe('BACKEND_FENCED')
    await publish(second, 2, 3)
    await Promise.all([first.close()(), second.close()()])
    expect(await newest(path)).toEqual({ id: 2, rows: 3 })
  })

  it('is opened once in a process, whoever opens it', async () => {
    const path = await temporaryDirectory()
    const session = await unwrap(lmdb(path).storage.open(job))
    expect(await codeOf(unwrap(lmdb(path).storage.open(job)))).toBe('BACKEND_IN_USE')
    await session.close()()
    await (await unwrap(lmdb(path).storage.open(job))).close()()
  })

  it('keeps what was read until the second checkpoint after it, and what is held for longer', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path)
    await publish(session, 1, 5)
    const read = O.toUndefined(await unwrap(session.latest()))
    const held = O.toUndefined(await unwrap(session.hold(checkpointId(1))))
    for (const id of [2, 3, 4]) await publish(session, id, 9)
    expect(await codeOf(unwrap(read?.readRows(() => {}) as never))).toBe('BACKEND_NOT_OPEN')
    let rows = 0
    await unwrap(held?.readRows((chunk) => (rows += chunk.rows)) as never)
    expect(rows).toBe(5)
    session.letGo(checkpointId(1))
    await session.close()()
  })

  it('that belongs to another job is refused', async () => {
    const path = await temporaryDirectory()
    await (await opened(path)).close()()
    const stranger = await temporaryDirectory()
    const session = await unwrap(lmdb(stranger).storage.open(jobName('other')))
    await unwrap(session.takeOver(await unwrap(session.latest())))
    await session.close()()
    await writeFile(fileOf(stranger, 'other'), await readFile(fileOf(path)))
    const again = await unwrap(lmdb(stranger).storage.open(jobName('other')))
    expect(await codeOf(unwrap(again.latest()))).toBe('BACKEND_NOT_OWNED')
    await again.close()()
  })

  it('whose bytes are not what was written says so', async () => {
    const path = await temporaryDirectory()
    const session = await opened(path)
    await publish(session, 1, 1, 500)
    await session.close()()
    const bytes = await readFile(fileOf(path))
    const at = bytes.indexOf(Buffer.alloc(500, 1))
    expect(at).toBeGreaterThan(0)
    bytes[at + 100] = 2
    await writeFile(fileOf(path), bytes)
    expect(await codeOf(newest(path))).toBe('SNAPSHOT_CORRUPT')
  })

  it('has options within their ranges', () => {
    for (const option of ['cacheBytesMax', 'dirtyBytesMax', 'fileBytesMax'] as const)
      expect(() => lmdb('./state', { [option]: 1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
