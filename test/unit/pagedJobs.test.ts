import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import * as t from 'io-ts'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { level } from '../../backends/level/level.js'
import { lmdb } from '../../backends/lmdb/lmdb.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits } from '../../lib/emits.js'
import { CheckpointError } from '../../lib/errors.js'
import { defineJob, type Job, type JobScope } from '../../lib/job.js'
import type { MemoryLimits } from '../../lib/paged/memoryLimits.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { valueState } from '../../lib/state/valueState.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

const mebibyte = 1024 * 1024

/** What a job is given; each call is as good as another process. */
type Both = (limits?: Partial<MemoryLimits>) => { readonly state: StateBackend; readonly storage: CheckpointStorage }

const places: Readonly<Record<string, () => Promise<Both>>> = {
  async lmdb() {
    const path = await temporaryDirectory()
    return (limits) => lmdb(path, limits)
  },
  async level() {
    const database = new ClassicLevel(await temporaryDirectory())
    onTestFinished(() => database.close())
    return (limits) => level(database, limits)
  },
}

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

describe.each(Object.entries(places))('a job over %s', (_name, makePlace) => {
  it('goes on after a restart, copies nothing, and finds every kind of state again', async () => {
    const both = await makePlace()
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
      { ...both(), checkpoints: { intervalMs: 1 }, limits: { sourceBatchMax: 1 } },
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
        const both = await makePlace()
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
          const job = defineJob('job', { ...both(), checkpoints: { intervalMs: 1 }, limits: { sourceBatchMax: 3 } }, build)
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
    const both = await makePlace()
    const keys = Array.from({ length: 8_000 }, (_, key) => key)
    const sink = memorySink<number>()
    let waiting = 0
    const { job } = testJob(
      ({ source, sink: into }) =>
        source('keys', memorySource(keys)).pipe(
          keyBy((key) => key),
          statefulMap('text', { state: t.string }, (before, key: number) => [`${before ?? ''}${'x'.repeat(800)}`, key]),
          into('out', sink),
        ),
      // Nobody else asks: time stands still.
      { ...both({ dirtyBytesMax: mebibyte, cacheBytesMax: mebibyte }) },
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

  it('asks again where the checkpoint it had asked for is given up before its barrier comes to the rows', async () => {
    const both = await makePlace()
    const first$ = memorySource<number>([], { bounded: false })
    const second$ = memorySource<number>([], { bounded: false })
    const sink = memorySink<number>()
    let failing = 2
    const declining = processUnkeyed(
      'declining',
      { state: {}, emits: emits<number>() },
      {
        onRecord: (key: number, { emit }) => emit(key),
        snapshotState() {
          if (failing-- > 0) throw new CheckpointError('CHECKPOINT_DECLINED', { reason: 'not yet' })
        },
      },
    )
    const { job, clock } = testJob(
      ({ source, sink: into }) =>
        source('first', first$).pipe(
          declining,
          union(source('second', second$)),
          keyBy((key) => key),
          statefulMap('text', { state: t.string }, (before, key: number) => [`${before ?? ''}${'x'.repeat(8_000)}`, key]),
          into('out', sink),
        ),
      { ...both({ dirtyBytesMax: mebibyte, cacheBytesMax: mebibyte }), limits: { sourceBatchMax: 16 } },
    )
    const run = watched(job)
    await firstValueFrom(run.events$.pipe(filter(({ kind }) => kind === 'started')))
    const keys = Array.from({ length: 1_000 }, (_, key) => key)
    second$.push(...keys)
    for (const aborted of [1, 2]) {
      while (run.of('checkpointAborted').length < aborted) await settled()
      await clock.advance(1_000)
    }
    while (run.of('checkpointCompleted').length === 0) await settled()
    await run.stop()
    expect(run.of('checkpointAborted').map(({ checkpointId }) => checkpointId)).toEqual([1, 2])
    expect(sink.committed).toEqual(keys.slice(0, sink.committed.length))
    expect(sink.committed.length).toBeGreaterThan(100)
  })

  it('has its rows in the store that has its checkpoints, or does not start', async () => {
    const both = await makePlace()
    const jobWith = (options: object): Job =>
      testJob(({ source, sink }) => source('in', memorySource([1])).pipe(sink('out', memorySink<number>())), options).job
    expect(await failed(jobWith({ state: both().state, storage: memory() }))).toMatchObject({ code: 'STATE_STORED_ELSEWHERE' })
    expect(await failed(jobWith({ state: both().state, storage: (await makePlace())().storage }))).toMatchObject({
      code: 'STATE_STORED_ELSEWHERE',
    })
    expect((await ran(jobWith({ ...both() }))).at(-1)).toMatchObject({ kind: 'stopped' })
    // Rows on the heap and checkpoints in the store are no contradiction.
    expect((await ran(jobWith({ storage: (await makePlace())().storage }))).at(-1)).toMatchObject({ kind: 'stopped' })
  })

  it('goes on over the store with what a job on the heap has left there, and the other way round', async () => {
    const both = await makePlace()
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
    await live(['a', 'b'], { storage: both().storage })
    await live(['ab', 'b'], { ...both() })
    await live(['abc', 'bb'], { storage: both().storage })
    expect(sink.committed).toEqual(expectedOf(['a', 'b', 'ab', 'b', 'abc', 'bb']))
  })

  it('is moved as a savepoint into another store, where its rows are in place at once, and is asked for all it has', async () => {
    const sink = memorySink<string>()
    const source$ = memorySource<string>([], { bounded: false })
    const words = Array.from({ length: 120 }, (_, index) => `${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index % 3)}`)
    const started = async (options: object) => {
      const { job } = testJob(
        ({ source, sink: into }) =>
          source('words', source$).pipe(
            keyBy((word) => word.slice(0, 1)),
            everyState,
            into('out', sink),
          ),
        options,
      )
      const run = watched(job)
      await firstValueFrom(run.events$.pipe(filter(({ kind }) => kind === 'started')))
      await settled()
      return run
    }
    source$.push(...words)
    const first = await started({ ...(await makePlace())() })
    const savepoint = memory()
    await first.stop({ savepoint })
    source$.push('ab', 'bc')
    const second = await started({ ...(await makePlace())(), restore: { from: savepoint } })
    expect(second.of('restored')).toMatchObject([{ rows: 0 }])
    expect([...second.query('all', 'count').rows()].map(({ key }) => key).sort()).toEqual(words.slice(0, 26).map((word) => word.slice(0, 1)))
    expect(second.query('all', 'seen').get('z')).toHaveLength(4)
    await second.stop()
    expect(sink.committed).toEqual(expectedOf([...words, 'ab', 'bc']))
  })
})
