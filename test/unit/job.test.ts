import * as t from 'io-ts'
import { asapScheduler, asyncScheduler, delay, filter, merge, type Observable, observeOn, of, retry, share, take, tap, throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { recordOf } from '../../lib/element.js'
import { defineJob } from '../../lib/job.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { records } from '../../operators/records.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { tapValues } from '../../operators/tapValues.js'
import { union } from '../../operators/union.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

const words = ['to', 'be', 'or', 'not', 'to', 'be']
const counted = ['to 1', 'be 1', 'or 1', 'not 1', 'to 2', 'be 2']
const count = () => statefulMap('count', { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])

type Between = (stream: Observable<never>) => Observable<never>
/** The words job, with something of rxjs between its operators. */
const wordsJob = (between: Between = (stream) => stream, options: Parameters<typeof testJob>[1] = {}, input = memorySource(words)) => {
  const out = memorySink<string>()
  const made = testJob(
    ({ source, sink }) =>
      (between(source('words', input) as never) as unknown as ReturnType<typeof source<string>>).pipe(
        keyBy((word) => word),
        count(),
        sink('totals', out),
      ),
    options,
  )
  return { ...made, out, input }
}

describe('a job', () => {
  test('does nothing before somebody subscribes', async () => {
    let built = 0
    testJob(() => {
      built += 1
      return []
    })
    await settled(2)
    expect(built).toBe(0)
  })

  test('reads to the end, commits everything and completes', async () => {
    const { job, out, clock } = wordsJob()
    const events = await ran(job)
    expect(out.committed).toEqual(counted)
    expect(events.map(({ kind }) => kind)).toEqual([
      'restored',
      'started',
      'sourceEnded',
      'checkpointStarted',
      'checkpointCompleted',
      'checkpointCommitted',
      'stopped',
    ])
    expect(clock.pendingCount).toBe(0)
  })

  test('run again after its end it emits nothing more', async () => {
    const { job, out } = wordsJob()
    await ran(job)
    const again = await ran(job)
    expect(again[0]).toMatchObject({ kind: 'restored', checkpointId: 1, rows: 4 })
    expect(out.committed).toEqual(counted)
  })

  test('an empty input completes as well', async () => {
    const { job, out } = wordsJob(undefined, {}, memorySource<string>([]))
    await ran(job)
    expect(out.committed).toEqual([])
  })

  test('a user function that throws ends it in error, with that very error, and nothing of the run is committed', async () => {
    const mine = new Error('mine')
    const { job, out, clock } = wordsJob(
      tapValues((word) => {
        if (word === 'not') throw mine
      }) as never,
    )
    expect(await failed(job)).toBe(mine)
    expect(out.committed).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  test('retry recovers it in process, and every record counts once', async () => {
    let failures = 0
    const { job, out } = wordsJob(
      tapValues((word) => {
        if (word === 'not' && failures++ < 2) throw new Error('flaky')
      }) as never,
    )
    const kinds: string[] = []
    await new Promise<void>((resolve, reject) =>
      job.pipe(retry(2)).subscribe({ next: ({ kind }) => kinds.push(kind), error: reject, complete: resolve }),
    )
    expect(out.committed).toEqual(counted)
    expect(kinds.filter((kind) => kind === 'started')).toHaveLength(3)
  })

  test('run({ restart }) recovers it as well, and rejects when that does not help', async () => {
    const mine = new Error('mine')
    let attempts = 0
    const { job } = wordsJob(
      tapValues(() => {
        attempts += 1
        throw mine
      }) as never,
    )
    await expect(job.run({ restart: { count: 2, delayMs: 0 } }).done).rejects.toBe(mine)
    expect(attempts).toBe(3)
  })

  test('goes on behind its last checkpoint, with state, offset and pending output', async () => {
    const storage = memory()
    let fail = true
    const input = memorySource<string>([], { bounded: false })
    const { job, out } = wordsJob(
      tapValues((word) => {
        if (word === 'crash' && fail) throw new Error('crash')
      }) as never,
      { storage },
      input,
    )
    const first = watched(job)
    await settled()
    input.push('to', 'be')
    await settled()
    expect(await first.checkpoint()).toBe(1)
    input.push('to', 'crash')
    await expect(first.done).rejects.toThrow('crash')
    fail = false
    const second = watched(job)
    await settled()
    expect(second.events[0]).toMatchObject({ kind: 'restored', checkpointId: 1, epoch: 2, rows: 2 })
    await second.stop()
    expect(out.committed).toEqual(['to 1', 'be 1', 'to 2', 'crash 1'])
  })

  test('unsubscribing cancels: what was not in a checkpoint is read again', async () => {
    const input = memorySource(['to', 'be'], { bounded: false })
    const { job, out, clock } = wordsJob(undefined, {}, input)
    const first = watched(job)
    await settled()
    first.cancel()
    await first.done
    await settled()
    expect({ committed: out.committed, timers: clock.pendingCount }).toEqual({ committed: [], timers: 0 })
    input.end()
    await ran(job)
    expect(out.committed).toEqual(['to 1', 'be 1'])
  })

  test('unsubscribed at any event it leaves nothing open, and a next run works at once', async () => {
    const all = (await ran(wordsJob().job)).length
    expect(all).toBeGreaterThan(5)
    for (let at = 1; at <= all; at += 1) {
      const { job, out, clock } = wordsJob(
        assignTimestamps({ timestamp: () => 1, watermarks: monotonousTimestamps({ idleAfterMs: 500 }) }) as never,
        { checkpoints: { intervalMs: 1_000, timeoutMs: 5_000 } },
      )
      await new Promise<void>((resolve, reject) => job.pipe(take(at)).subscribe({ error: reject, complete: resolve }))
      await settled()
      expect(clock.pendingCount, `timers left when unsubscribed at event ${at}`).toBe(0)
      await ran(job)
      expect(out.committed, `unsubscribed at event ${at}`).toEqual(counted)
    }
  })

  test('unsubscribed synchronously, before it began, it never begins', async () => {
    const { job, out } = wordsJob()
    job.subscribe().unsubscribe()
    await settled()
    expect(out.pending).toEqual([])
    await ran(job)
    expect(out.committed).toEqual(counted)
  })

  test('subscribed to twice at once the second is refused, and the first goes on and can be stopped', async () => {
    const input = memorySource(['to'], { bounded: false })
    const { job, out } = wordsJob(undefined, {}, input)
    const first = watched(job)
    await settled()
    expect(await failed(job)).toMatchObject({ code: 'BACKEND_IN_USE', hint: expect.stringContaining('share()') })
    input.push('be')
    await settled()
    expect(await first.checkpoint()).toBe(1)
    await first.stop()
    expect(out.committed).toEqual(['to 1', 'be 1'])
    input.end()
    await ran(job)
    expect(out.committed).toEqual(['to 1', 'be 1'])
  })

  test('two jobs of one name over one storage exclude each other, two of different names do not', async () => {
    const storage = memory()
    const input = () => memorySource(['a'], { bounded: false })
    const jobNamed = (name: string) => defineJob(name, { storage }, ({ source, sink }) => source('in', input()).pipe(sink('out', memorySink())))
    const first = watched(jobNamed('a'))
    await settled()
    expect(await failed(jobNamed('a'))).toMatchObject({ code: 'BACKEND_IN_USE' })
    const other = watched(jobNamed('b'))
    await settled()
    await Promise.all([first.stop(), other.stop()])
  })

  test('names that objects have by nature are names like any other, also of what is new after a restore', async () => {
    const storage = memory()
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const outs = new Map<string, ReturnType<typeof memorySink<string>>>()
    const jobWith = (used: readonly string[]) =>
      testJob(
        ({ source, sink }) =>
          used.map((name) => {
            const out = outs.get(name) ?? memorySink<string>()
            outs.set(name, out)
            return source(`in.${name}`, memorySource(['a'])).pipe(
              keyBy((word) => word),
              statefulMap(name, { state: t.number, initial: 0 }, (n, word: string) => [n + 1, word]),
              sink(`out.${name}`, out),
            )
          }),
        { storage },
      ).job
    await ran(jobWith(['plain']))
    await ran(jobWith(['plain', ...names]))
    await ran(jobWith(['plain', ...names]))
    expect([...outs].map(([name, out]) => [name, out.committed])).toEqual(['plain', ...names].map((name) => [name, ['a']]))
    const shared = memory()
    const sinks = new Map<string, ReturnType<typeof memorySink<string>>>()
    const growing = (...pairs: readonly (readonly [string, string])[]) =>
      testJob(
        ({ source, sink }) =>
          pairs.map(([from, to]) => {
            const out = sinks.get(to) ?? memorySink<string>()
            sinks.set(to, out)
            return source(from, memorySource(['a'])).pipe(sink(to, out))
          }),
        { storage: shared },
      ).job
    await ran(growing(['a', 'b']))
    await ran(growing(['a', 'b'], ['constructor', 'toString'], ['__proto__', 'valueOf']))
    await ran(growing(['a', 'b'], ['constructor', 'toString'], ['__proto__', 'valueOf']))
    expect([...sinks.values()].map(({ committed }) => committed)).toEqual([['a'], ['a'], ['a']])
  })
})

describe('between operators', () => {
  test.each<readonly [string, Between]>([
    ['tap', tap(() => undefined)],
    ['share', share()],
    ['observeOn(asapScheduler)', observeOn(asapScheduler)],
    [
      'many hops',
      (stream) =>
        stream.pipe(
          observeOn(asapScheduler),
          tap(() => undefined),
          observeOn(asapScheduler),
          share(),
          observeOn(asapScheduler),
        ),
    ],
    ['a filter that drops no control element', filter((element) => recordOf(element)?.value !== 'nothing')],
  ])('%s behaves as a chain does', async (_name, between) => {
    const { job, out } = wordsJob(between)
    await ran(job)
    expect(out.committed).toEqual(counted)
  })

  test('over a hop, records, barriers and state stay in order across a crash', async () => {
    const input = memorySource<string>([], { bounded: false })
    let crash = true
    const { job, out } = wordsJob(
      (stream) =>
        stream.pipe(observeOn(asapScheduler)).pipe(
          tapValues((word) => {
            if (word === 'crash' && crash) throw new Error('crash')
          }) as never,
          observeOn(asapScheduler),
        ),
      {},
      input,
    )
    const first = watched(job)
    await settled()
    for (const word of ['a', 'b', 'a']) {
      input.push(word)
      await first.checkpoint()
    }
    input.push('crash')
    await expect(first.done).rejects.toThrow('crash')
    crash = false
    const second = watched(job)
    input.end()
    await second.done
    expect(out.committed).toEqual(['a 1', 'b 1', 'a 2', 'crash 1'])
  })

  test.each<readonly [string, Between, string, string]>([
    ['take', take(3), 'INPUT_CUT', 'keyBy'],
    ['a filter that drops control elements', filter((element) => recordOf(element) !== undefined), 'OPERATOR_NOT_STARTED', 'count'],
    ['delay', delay(1), 'OPERATOR_NOT_STARTED', 'count'],
    ['observeOn(asyncScheduler)', observeOn(asyncScheduler), 'OPERATOR_NOT_STARTED', 'count'],
    ['a filter that drops barriers', filter((element) => (element as { kind: string }).kind !== 'barrier'), 'BARRIER_LOST', 'count'],
  ])('%s is an error with code, uid and hint', async (_name, between, code, uid) => {
    const { job, out } = wordsJob(between)
    const error = (await failed(job)) as Error
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/.{20}/) })
    expect(error.message).toContain(uid)
    expect(out.committed).toEqual([])
  })

  test('a barrier that is dropped by one of two ways is missed at the junction', async () => {
    const out = memorySink<number>()
    const { job } = testJob(({ source, sink }) => {
      const input = source('in', memorySource([1, 2]))
      return input.pipe(union(input.pipe(filter((element) => (element as { kind?: string }).kind !== 'barrier'))), sink('out', out))
    })
    const error = (await failed(job)) as Error
    expect(error).toMatchObject({ code: 'BARRIER_LOST', details: { uids: expect.arrayContaining(['out']) } })
  })

  test('a barrier that comes twice is an error', async () => {
    const { job } = wordsJob((stream) =>
      merge(stream.pipe(filter((element) => (element as { kind: string }).kind === 'barrier')), stream.pipe(tap(() => undefined))),
    )
    expect(await failed(job)).toMatchObject({ code: 'BARRIER_REPEATED', details: { operator: 'keyBy' }, hint: expect.stringContaining('union') })
  })

  test('plain merge instead of union', async () => {
    const out = memorySink<number>()
    const { job } = testJob(({ source, sink }) => merge(source('a', memorySource([1])), source('b', memorySource([2]))).pipe(sink('out', out)))
    expect(await failed(job)).toMatchObject({ code: 'STREAM_STARTED_TWICE', details: { operator: 'out' }, hint: expect.stringContaining('union') })
    expect(out.committed).toEqual([])
  })

  test('one uid twice', async () => {
    const { job } = testJob(({ source, sink }) =>
      source('a', memorySource(['x'])).pipe(
        keyBy((x) => x),
        count(),
        count(),
        sink('out', memorySink()),
      ),
    )
    expect(await failed(job)).toMatchObject({ code: 'UID_DUPLICATE', details: { uid: 'count' }, name: 'ConfigurationError' })
  })

  test.each([
    [
      'two sources',
      ({ source, sink }: never) => [
        (source as any)('a', memorySource([1])).pipe((sink as any)('x', memorySink())),
        (source as any)('a', memorySource([1])).pipe((sink as any)('y', memorySink())),
      ],
    ],
    ['a source and a sink', ({ source, sink }: never) => (source as any)('a', memorySource([1])).pipe((sink as any)('a', memorySink()))],
  ])('one uid of %s', async (_name, build) => {
    expect(await failed(testJob(build as never).job)).toMatchObject({ code: 'UID_DUPLICATE', details: { uid: 'a' } })
  })

  test('a keyed operator without keyBy', async () => {
    const { job } = testJob(({ source, sink }) => source('a', memorySource(['x'])).pipe(count() as never, sink('out', memorySink())))
    expect(await failed(job)).toMatchObject({ code: 'STREAM_NOT_KEYED', details: { uid: 'count' } })
  })

  test('a branch that ends in no sink', async () => {
    const { job } = testJob(({ source, sink }) => {
      const input = source('a', memorySource(['x']))
      input.pipe(
        keyBy((x) => x),
        count(),
      )
      return input.pipe(sink('out', memorySink()))
    })
    expect(await failed(job)).toMatchObject({ code: 'OPERATOR_NOT_STARTED', details: { uids: ['count'] } })
  })

  test('a source that nobody reads', async () => {
    const { job } = testJob(({ source, sink }) => {
      source('b', memorySource(['x']))
      return source('a', memorySource(['x'])).pipe(sink('out', memorySink()))
    })
    expect(await failed(job)).toMatchObject({ code: 'OPERATOR_NOT_STARTED', details: { uids: ['b'] } })
  })

  test.each([undefined, []])('a graph function that returns %j', async (returned) => {
    expect(await failed(testJob(() => returned as never).job)).toMatchObject({ code: 'JOB_WITHOUT_SINK', details: { job: 'job' } })
  })

  test('a graph function that throws', async () => {
    const mine = new Error('mine')
    expect(
      await failed(
        testJob(() => {
          throw mine
        }).job,
      ),
    ).toBe(mine)
  })

  test('records() instead of source(...)', async () => {
    expect(await failed(testJob(({ sink }) => of(1).pipe(records(), sink('out', memorySink()))).job)).toMatchObject({
      code: 'SOURCE_NOT_REPLAYABLE',
      details: { uid: 'out' },
    })
    expect(
      await failed(testJob(({ source, sink }) => source('a', memorySource([1])).pipe(union(of(1).pipe(records())), sink('out', memorySink()))).job),
    ).toMatchObject({ code: 'SOURCE_NOT_REPLAYABLE' })
    expect(await failed(testJob(({ source, sink }) => source('a', of(1) as never).pipe(sink('out', memorySink()))).job)).toMatchObject({
      code: 'SOURCE_NOT_REPLAYABLE',
      details: { uid: 'a' },
    })
  })

  test('a part of a running job that is subscribed to again', async () => {
    const errors: unknown[] = []
    const { job } = testJob(({ source, sink }) => {
      const input = source('in', memorySource([1]))
      const mapped = input.pipe(mapValues((n) => n))
      const again = (): void => {
        for (const stream of [input, mapped]) stream.subscribe({ error: (error) => errors.push(error) })
      }
      return mapped.pipe(tapValues(again), sink('out', memorySink()))
    })
    await ran(job)
    expect(errors).toMatchObject([
      { code: 'SUBSCRIBED_AGAIN', details: { uid: 'in' }, hint: expect.stringContaining('job.pipe(retry') },
      { code: 'SUBSCRIBED_AGAIN', details: { operator: 'mapValues' } },
    ])
  })

  test('retry inside a job cuts the stream, and says so', async () => {
    let failures = 0
    const { job } = wordsJob((stream) =>
      stream.pipe(
        tap(() => {
          if (failures++ === 3) throw new Error('flaky')
        }),
        retry(1),
      ),
    )
    expect(await failed(job)).toMatchObject({ code: 'INPUT_CUT', hint: expect.stringContaining('retry') })
  })

  test('an error that an operator of rxjs raises is the error of the job', async () => {
    const mine = new Error('mine')
    const { job } = wordsJob((stream) =>
      merge(
        stream,
        throwError(() => mine),
      ),
    )
    expect(await failed(job)).toBe(mine)
  })
})

describe('options', () => {
  const build = () => []
  test.each([
    [{ checkpoints: { intervalMs: 0 } }, 'checkpoints.intervalMs'],
    [{ checkpoints: { minPauseMs: -1 } }, 'checkpoints.minPauseMs'],
    [{ checkpoints: { timeoutMs: Number.NaN } }, 'checkpoints.timeoutMs'],
    [{ checkpoints: { tolerableFailures: 0.5 } }, 'checkpoints.tolerableFailures'],
    [{ limits: { rowsMax: 0 } }, 'limits.rowsMax'],
    [{ limits: { heldElementsMax: '5' as never } }, 'limits.heldElementsMax'],
  ])('%j is refused when the job is defined', (options, option) => {
    expect(() => defineJob('job', { storage: memory(), ...options }, build)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', details: expect.objectContaining({ option }) }),
    )
  })

  test.each(['', 'a b', '../x', 'nul'])('the name %j is refused when the job is defined', (name) => {
    expect(() => defineJob(name, { storage: memory() }, build)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  })
})
