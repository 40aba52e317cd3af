import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { type MemorySource, memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { countRecords, listState, tumbling, unionListState, valueState } from '../../lib/index.js'
import type { JobInstance } from '../../lib/instanceShare.js'
import type { JobScope } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import { monotonousTimestamps } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'
import { window } from '../../operators/window.js'
import { windowAll } from '../../operators/windowAll.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

const words = ['to', 'be', 'or', 'not', 'to', 'be', 'that', 'is', 'the', 'question', 'to', 'die', 'to', 'sleep']

const count = (uid = 'count') => statefulMap(uid, { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])

/** What a test says of its job. */
type TestOptions = NonNullable<Parameters<typeof testJob>[1]>

/** A job of one branch, as one of its instances. */
function instanceOf(build: (scope: JobScope) => ReturnType<ReturnType<JobScope['sink']>>, options: TestOptions = {}) {
  return testJob(build, options).job
}

const counting = (input: MemorySource<string>, options: TestOptions = {}) => {
  const out = memorySink<string>()
  return {
    out,
    job: instanceOf(
      ({ source, sink }) =>
        source('words', input).pipe(
          keyBy((word) => word),
          count(),
          sink('out', out),
        ),
      options,
    ),
  }
}

const instances = (of: number): readonly JobInstance[] => Array.from({ length: of }, (_, index) => ({ index, of }))

/** Runs all instances up to a place and stops them there, each with a savepoint. */
async function stoppedAt(place: number, input: MemorySource<string>, of: number, restore?: JobOptions['restore']) {
  const committed: string[] = []
  const savepoints = []
  for (const instance of instances(of)) {
    const { job, out } = counting(input, { storage: memory(), instance, ...(restore === undefined ? {} : { restore }) })
    const savepoint = memory()
    await watched(job).stop({ savepoint, at: (_uid, offset) => (offset as number) >= place })
    savepoints.push(savepoint)
    committed.push(...out.committed)
  }
  return { committed, savepoints }
}

describe('instances of a job', () => {
  test('have the keys of one between them, each key in one', async () => {
    const alone = counting(memorySource(words))
    await ran(alone.job)
    const outputs = []
    for (const instance of instances(3)) {
      const { job, out } = counting(memorySource(words), { instance })
      await ran(job)
      outputs.push(out.committed)
    }
    expect(outputs.every((output) => output.length > 0)).toBe(true)
    expect(outputs.flat().sort()).toEqual([...alone.out.committed].sort())
    const keys = outputs.map((output) => new Set(output.map((line) => line.split(' ')[0])))
    for (const [index, own] of keys.entries()) for (const key of own) expect(keys.findIndex((each) => each.has(key))).toBe(index)
  })

  test('become more and fewer, and count on', async () => {
    const alone = counting(memorySource(words))
    await ran(alone.job)
    const input = memorySource(words)
    const two = await stoppedAt(4, input, 2)
    const three = await stoppedAt(9, input, 3, { from: two.savepoints })
    const { job, out } = counting(input, { storage: memory(), restore: { from: three.savepoints } })
    await ran(job)
    expect([...two.committed, ...three.committed, ...out.committed].sort()).toEqual([...alone.out.committed].sort())
  })

  test('that had read up to different places are not put together', async () => {
    const input = memorySource(words)
    const [first, second] = [await stoppedAt(4, input, 2), await stoppedAt(5, input, 2)]
    const from = [first.savepoints[0], second.savepoints[1]] as JobOptions['storage'][]
    const error = await failed(counting(input, { storage: memory(), restore: { from } }).job)
    expect(error).toMatchObject({ code: 'CUTS_DIFFER', details: { uid: 'words', instance: 1 } })
  })

  test('are put together when all are there, each once', async () => {
    const input = memorySource(words)
    const { savepoints } = await stoppedAt(4, input, 2)
    const [first] = savepoints as [JobOptions['storage']]
    for (const from of [[first], [first, first]])
      expect(await failed(counting(input, { storage: memory(), restore: { from } }).job)).toMatchObject({ code: 'SAVEPOINT_INCOMPLETE' })
    const ofThree = (await stoppedAt(4, input, 3)).savepoints[1] as JobOptions['storage']
    expect(await failed(counting(input, { storage: memory(), restore: { from: [first, ofThree] } }).job)).toMatchObject({
      code: 'SAVEPOINT_INCOMPLETE',
      details: { found: ['0 of 2', '1 of 3'] },
    })
  })

  test('are not put together while a transaction of one is undecided', async () => {
    const input = memorySource(words, { bounded: false })
    const storages = []
    for (const instance of instances(2)) {
      const storage = memory()
      const run = watched(counting(input, { storage, instance }).job)
      await settled()
      await run.checkpoint()
      run.cancel()
      await settled()
      storages.push(storage)
    }
    const error = await failed(counting(input, { storage: memory(), restore: { from: storages } }).job)
    expect(error).toMatchObject({ code: 'TRANSACTIONS_PENDING', details: { uid: 'out' } })
  })

  test('that ran programs that differ are not put together', async () => {
    const windowed = (sizeMs: number, options: TestOptions) =>
      instanceOf(
        ({ source, sink }) =>
          source('words', memorySource(words)).pipe(
            assignTimestamps({ timestamp: () => 1, watermarks: monotonousTimestamps() }),
            keyBy((word) => word),
            window('windows', { assigner: tumbling({ sizeMs }), aggregate: countRecords() }),
            sink('out', memorySink<number>()),
          ),
        options,
      )
    const from: JobOptions['storage'][] = []
    for (const instance of instances(2)) {
      const savepoint = memory()
      await watched(windowed(10 + instance.index, { storage: memory(), instance })).stop({ savepoint, at: (_uid, offset) => offset === 4 })
      from.push(savepoint)
    }
    const error = await failed(windowed(10, { storage: memory(), restore: { from } }))
    expect(error).toMatchObject({ code: 'STATE_NOT_SPLIT', details: { uid: 'windows' } })
  })

  test('do not take the storage of another over', async () => {
    const input = memorySource(words)
    const storage = memory()
    await ran(counting(input, { storage, instance: { index: 0, of: 2 } }).job)
    const error = await failed(counting(input, { storage, instance: { index: 1, of: 2 } }).job)
    expect(error).toMatchObject({ code: 'INSTANCE_CHANGED', details: { stored: '0 of 2', found: '1 of 2' } })
  })

  test('write what all of them have once', async () => {
    const outputs = []
    for (const instance of instances(3)) {
      const out = memorySink<string>()
      await ran(
        instanceOf(
          ({ source, sink }) =>
            source('words', memorySource(words)).pipe(
              mapValues((word: string) => word.length.toString()),
              sink('out', out),
            ),
          {
            instance,
          },
        ),
      )
      outputs.push(out.committed)
    }
    expect(outputs).toEqual([words.map(({ length }) => length.toString()), [], []])
  })

  test('are told which they are, for what they open', async () => {
    const seen: JobInstance[] = []
    const out = memorySink<string>()
    const build = ({ source, sink, instance }: JobScope) => {
      seen.push(instance)
      return source('words', memorySource(words)).pipe(sink('out', out))
    }
    await ran(instanceOf(build, { instance: { index: 1, of: 4 } }))
    await ran(instanceOf(build))
    expect(seen).toEqual([
      { index: 1, of: 4 },
      { index: 0, of: 1 },
    ])
  })

  test.each([
    { index: 2, of: 2 },
    { index: -1, of: 2 },
    { index: 0, of: 0 },
    { index: 0, of: 129, maxParallelism: 128 },
    { index: 0, of: 1, maxParallelism: 32_769 },
  ])('%j cannot be one', ({ maxParallelism, ...instance }) => {
    const options = maxParallelism === undefined ? { instance } : { instance, maxParallelism }
    expect(() => counting(memorySource(words), options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('what has to see every record', () => {
  const splits: Record<string, (scope: JobScope) => ReturnType<ReturnType<JobScope['sink']>>> = {
    'a second key': ({ source, sink }) =>
      source('words', memorySource(words)).pipe(
        keyBy((word) => word),
        keyBy((word) => word.length),
        count(),
        sink('out', memorySink<string>()),
      ),
    'one window of all': ({ source, sink }) =>
      source('words', memorySource(words)).pipe(
        assignTimestamps({ timestamp: () => 1, watermarks: monotonousTimestamps() }),
        keyBy((word) => word),
        windowAll('all', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords() }),
        sink('out', memorySink<number>()),
      ),
    'a sum without keys': ({ source, sink }) =>
      source('words', memorySource(words)).pipe(
        keyBy((word) => word),
        processUnkeyed('sum', { state: { sum: valueState(t.number) } }, { onRecord() {} }),
        sink('out', memorySink<never>()),
      ),
    'rules behind a key': ({ source, sink }) => {
      const input = source('words', memorySource(words)).pipe(keyBy((word) => word))
      return input.pipe(
        connectBroadcast('rules', input, { broadcast: { last: valueState(t.string) } }, { onBroadcast() {}, onRecord() {} }),
        sink('out', memorySink<never>()),
      )
    },
    'a union of keyed and not': ({ source, sink }) => {
      const input = source('words', memorySource(words))
      return input.pipe(
        keyBy((word) => word),
        union(input as never),
        sink('out', memorySink<unknown>()),
      )
    },
  }
  test.each(Object.keys(splits))('%s is refused where there are several instances', async (name) => {
    const build = splits[name] as (scope: JobScope) => ReturnType<ReturnType<JobScope['sink']>>
    expect(await failed(instanceOf(build, { instance: { index: 0, of: 2 } }))).toMatchObject({ code: 'STATE_NOT_SPLITTABLE' })
    await ran(instanceOf(build))
  })

  test('stands before the keys and is done by each: one window of all', async () => {
    const outputs = []
    for (const instance of instances(3)) {
      const out = memorySink<string>()
      await ran(
        instanceOf(
          ({ source, sink }) =>
            source('words', memorySource(words)).pipe(
              assignTimestamps({ timestamp: () => 1, watermarks: monotonousTimestamps() }),
              windowAll('all', { assigner: tumbling({ sizeMs: 10 }), aggregate: countRecords(), result: (n) => `${n}` }),
              sink('out', out),
            ),
          { instance },
        ),
      )
      outputs.push(...out.committed)
    }
    expect(outputs).toEqual([`${words.length}`])
  })
})

describe('lists of an operator', () => {
  /** Notes every word of its keys in two lists; what they hold is emitted at the end. */
  const noting = (input: MemorySource<string>, options: TestOptions) => {
    const out = memorySink<string>()
    const job = instanceOf(
      ({ source, sink }) =>
        source('words', input).pipe(
          keyBy((word) => word),
          processUnkeyed(
            'notes',
            { state: { own: listState(t.string), all: unionListState(t.string) }, emits: { emits: true } as never },
            {
              onRecord(word: string, { state }) {
                state.own.add(word)
                state.all.add(word)
              },
              onEnd({ state, emit }) {
                ;(emit as (line: string) => void)(`own ${[...state.own].join(' ')}`)
                ;(emit as (line: string) => void)(`all ${[...state.all].join(' ')}`)
              },
            },
          ),
          sink('out', out as never),
        ),
      options,
    )
    return { job, out }
  }

  test('are cut evenly, or whole for everybody', async () => {
    const input = memorySource(words, { bounded: false })
    const savepoints: JobOptions['storage'][] = []
    for (const instance of instances(2)) {
      const savepoint = memory()
      await watched(noting(input, { storage: memory(), instance }).job).stop({ savepoint, at: (_uid, offset) => offset === words.length })
      savepoints.push(savepoint)
    }
    input.end()
    const own: string[][] = []
    const all: string[][] = []
    for (const instance of instances(3)) {
      const { job, out } = noting(input, { storage: memory(), instance, restore: { from: savepoints } })
      await ran(job)
      const [first = '', second = ''] = out.committed
      own.push(first.split(' ').slice(1))
      all.push(second.split(' ').slice(1))
    }
    expect(own.map(({ length }) => length)).toEqual([5, 5, 4])
    expect(own.flat().sort()).toEqual([...words].sort())
    for (const each of all) expect(each).toEqual(own.flat())
  })
})
