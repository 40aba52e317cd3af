import { taskEither as TE } from 'fp-ts'
import { config, lastValueFrom, map, type Observable, of, range, repeat, retry, Subject, take, toArray } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { directory } from '../../backends/directory/directory.js'
import { MemoryStore, memory } from '../../backends/memory/memoryStorage.js'
import { CrashFs } from '../../laws/crashFs.js'
import type { Stream } from '../../lib/element.js'
import type { JobEvent } from '../../lib/events.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { checkpointed } from '../../operators/checkpointed.js'
import { mapValues } from '../../operators/mapValues.js'
import { manualClock, settled } from '../support/manualClock.js'

const same = (values: Stream<number>) => values.pipe(mapValues((value) => value))
const never = new Promise<never>(() => {})

/** Collects what a pipeline gives until it ends, and how it ends. */
function watched<T>(results: Observable<T>) {
  const seen: T[] = []
  const ended = new Promise<unknown>((resolve) =>
    results.subscribe({ next: (value) => seen.push(value), error: resolve, complete: () => resolve('complete') }),
  )
  return { seen, ended }
}

/** A storage whose checkpoints never become complete. */
const stuck = (storage: CheckpointStorage): CheckpointStorage => ({
  manifest: storage.manifest,
  open: (job) =>
    TE.map((session: import('../../lib/ports/checkpointStorage.js').CheckpointSession) =>
      Object.assign(Object.create(session) as typeof session, {
        begin: (id: never) => Object.assign(session.begin(id), { publish: () => () => never }),
      }),
    )(storage.open(job)),
})

describe('a hot source that outruns the pipeline', () => {
  it('is noted down while the pipeline is behind, and nothing of it is lost', async () => {
    const count = 60_000
    const results = range(0, count).pipe(
      checkpointed('behind', { storage: memory(), journal: true, checkpoints: { intervalMs: 1 } }, same),
      toArray(),
    )
    const seen = await lastValueFrom(results)
    expect(seen.length).toBe(count)
    expect(seen.every((value, index) => value === index)).toBe(true)
  })

  it('ends the run with a code where more waits than may', async () => {
    for (const journal of [true, false]) {
      const { ended } = watched(range(0, 200).pipe(checkpointed('flood', { storage: memory(), journal, receivedMax: 100 }, same)))
      expect(await ended).toMatchObject({ code: 'INTAKE_FULL', details: { receivedMax: 100 } })
    }
  })

  it('ends the run with that code while it is open, too', async () => {
    const source = new Subject<number>()
    const { ended } = watched(source.pipe(checkpointed('flood', { storage: memory(), receivedMax: 100 }, same)))
    await settled()
    for (let value = 0; value < 200; value += 1) source.next(value)
    source.complete()
    expect(await ended).toMatchObject({ code: 'INTAKE_FULL', details: { receivedMax: 100 } })
  })

  it('ends the run with a code where the journal is full, and the next one goes on with all that is in it', async () => {
    const store = new MemoryStore()
    const source = new Subject<number>()
    const { ended } = watched(source.pipe(checkpointed('full', { storage: stuck(memory({ store })), journal: true, journalBytesMax: 2_000 }, same)))
    for (let value = 0; value < 200; value += 1) {
      source.next(value)
      await settled(1)
    }
    expect(await ended).toMatchObject({ code: 'JOURNAL_FULL', details: { journalBytesMax: 2_000 } })
    const options = { storage: memory({ store }), journal: true, atEnd: 'suspend' } as const
    const again = await lastValueFrom(of(-1).pipe(checkpointed('full', options, same), toArray()))
    expect(again.length).toBeGreaterThan(20)
    expect(again.slice(0, -1).every((value, index) => value === index)).toBe(true)
    expect(again.at(-1)).toBe(-1)
  })

  it('is trimmed at complete checkpoints, so that a journal that would be too small suffices', async () => {
    const source = new Subject<number>()
    const events: JobEvent[] = []
    const options = {
      storage: memory(),
      journal: true,
      journalBytesMax: 4_000,
      checkpoints: { intervalMs: 3_600_000 },
      events: (event: JobEvent) => events.push(event),
    }
    const { seen, ended } = watched(source.pipe(checkpointed('trimmed', options, same)))
    for (let value = 0; value < 1_000; value += 1) {
      source.next(value)
      await settled(1)
    }
    source.complete()
    expect(await ended).toBe('complete')
    expect(seen.length).toBe(1_000)
    expect(events.filter(({ kind }) => kind === 'checkpointCompleted').length).toBeGreaterThan(5)
  })

  it('waits while results wait for their checkpoint, and asks for one', async () => {
    const options = {
      storage: memory(),
      journal: true,
      delivery: 'withCheckpoint',
      undeliveredMax: 10,
      checkpoints: { intervalMs: 3_600_000 },
    } as const
    const seen = await lastValueFrom(range(0, 100).pipe(checkpointed('waiting', options, same), toArray()))
    expect(seen.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })
})

describe('a disk that is full', () => {
  it('ends the run with a code, and what was noted down before is there when there is room again', async () => {
    const files = new CrashFs()
    const clock = manualClock()
    const options = { clock, journal: true, atEnd: 'suspend', checkpoints: { intervalMs: 3_600_000 } } as const
    const source = new Subject<number>()
    const { seen, ended } = watched(source.pipe(checkpointed('room', { ...options, storage: directory('/state', { files, clock }) }, same)))
    source.next(0)
    source.next(1)
    await settled(50)
    expect(seen).toEqual([0, 1])
    files.bytesMax = 0
    source.next(2)
    expect(await ended).toMatchObject({ code: 'BACKEND_FULL' })
    expect(seen).toEqual([0, 1])
    files.bytesMax = Number.POSITIVE_INFINITY
    const again = watched(of(3).pipe(checkpointed('room', { ...options, storage: directory('/state', { files, clock }) }, same)))
    expect(await again.ended).toBe('complete')
    expect(again.seen.filter((value) => value !== 2)).toEqual([0, 1, 3])
  })
})

describe('whoever listens', () => {
  afterEach(() => {
    config.onUnhandledError = null
  })

  it('may throw: rxjs tells of it, and the pipeline goes on', async () => {
    const told: unknown[] = []
    config.onUnhandledError = (error) => told.push(error)
    const seen: number[] = []
    const error = new Error('of the subscriber')
    await new Promise<void>((resolve) =>
      of(1, 2, 3)
        .pipe(checkpointed('throwing', { storage: memory(), journal: true }, same))
        .subscribe({
          next: (value) => {
            seen.push(value)
            if (value === 2) throw error
          },
          complete: resolve,
        }),
    )
    expect(seen).toEqual([1, 2, 3])
    await expect.poll(() => told).toEqual([error])
  })

  it('hears an error of an operator behind as it is, and goes on after it with retry', async () => {
    let failures = 1
    const source = new Subject<number>()
    const behind = map((value: number) => {
      if (value === 2 && failures-- > 0) throw new Error('once')
      return value
    })
    const { seen } = watched(source.pipe(checkpointed('behind', { storage: memory(), journal: true }, same), behind, retry(1)))
    source.next(1)
    source.next(2)
    await expect.poll(() => seen).toEqual([1, 1, 2])
  })

  it('may let go in the middle: what it has not confirmed comes again with its id', async () => {
    const store = new MemoryStore()
    const options = () => ({ storage: memory({ store }), journal: true, delivery: 'withCheckpoint', atEnd: 'suspend' }) as const
    const first = await lastValueFrom(of(1, 2, 3).pipe(checkpointed('middle', options(), same), take(2), toArray()))
    expect(first.map(({ id, value }) => `${id} ${value}`)).toEqual(['middle:0 1', 'middle:1 2'])
    const second = await lastValueFrom(of(4).pipe(checkpointed('middle', options(), same), toArray()))
    expect(second.map(({ id, value }) => `${id} ${value}`)).toEqual(['middle:0 1', 'middle:1 2', 'middle:2 3', 'middle:3 4'])
  })
})

describe('repeat outside', () => {
  it('goes on where completing only means a pause', async () => {
    const pipeline = checkpointed('again', { storage: memory(), journal: true, atEnd: 'suspend', delivery: 'withCheckpoint' }, same)
    const seen = await lastValueFrom(of(1, 2).pipe(pipeline, repeat(2), toArray()))
    expect(seen.map(({ sequence, value }) => [sequence, value])).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
      [3, 2],
    ])
  })

  it('ends with a code where completing means the end', async () => {
    const pipeline = checkpointed('over', { storage: memory(), journal: true }, same)
    await expect(lastValueFrom(of(1).pipe(pipeline, repeat(2), toArray()))).rejects.toMatchObject({ code: 'STREAM_FINISHED' })
  })
})

describe('bad options', () => {
  it('are refused at once', () => {
    const storage = memory()
    const plain: CheckpointStorage = { ...storage, manifest: { ...storage.manifest, journals: false } }
    const code = (make: () => unknown): unknown => {
      try {
        make()
      } catch (error) {
        return (error as { code?: unknown }).code
      }
      return undefined
    }
    expect(code(() => checkpointed('no journal', { storage }, same))).toBe('NAME_INVALID')
    expect(code(() => checkpointed('x', { storage: plain, journal: true }, same))).toBe('STORAGE_WITHOUT_JOURNAL')
    expect(code(() => checkpointed('x', { storage, journal: {} as never }, same))).toBe('CODEC_INVALID')
    expect(code(() => checkpointed('x', { storage, atEnd: 'later' as never }, same))).toBe('OPTION_INVALID')
    expect(code(() => checkpointed('x', { storage, delivery: 'twice' as never }, same))).toBe('OPTION_INVALID')
    expect(code(() => checkpointed('x', { storage, receivedMax: 0 }, same))).toBe('OPTION_INVALID')
  })

  it('a value that cannot be noted down ends the run with its path', async () => {
    const { ended } = watched(of({ call: () => 1 }).pipe(checkpointed('bad', { storage: memory(), journal: true }, (values) => values)))
    expect(await ended).toMatchObject({ code: 'VALUE_NOT_ENCODABLE', details: { path: 'value.call' } })
  })

  it('a result that cannot be kept ends the run before anything was taken for done', async () => {
    const options = { storage: memory(), journal: true, delivery: 'withCheckpoint' } as const
    const { ended } = watched(of(1).pipe(checkpointed('bad', options, (values: Stream<number>) => values.pipe(mapValues((n) => ({ f: () => n }))))))
    expect(await ended).toMatchObject({ code: 'VALUE_NOT_ENCODABLE' })
  })
})
