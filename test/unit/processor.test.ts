import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { directory } from '../../backends/directory/index.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { emits } from '../../lib/emits.js'
import type { JobScope } from '../../lib/job.js'
import { changedRows, newRows, newTimers, readSavepoint, type SavepointReader, writeSavepoint } from '../../lib/processor/index.js'
import { listState } from '../../lib/state/listState.js'
import { mapState } from '../../lib/state/mapState.js'
import { reducingState } from '../../lib/state/reducingState.js'
import { valueState } from '../../lib/state/valueState.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { ran, settled, testJob, watched } from '../support/jobs.js'
import { temporaryDirectory } from '../support/temporary.js'

/** What a test says of its job. */
type TestOptions = NonNullable<Parameters<typeof testJob>[1]>

const count = (uid = 'count') => statefulMap(uid, { state: t.number, initial: 0 }, (n, word: string) => [n + 1, `${word} ${n + 1}`])
const counting = (words: readonly string[], options: TestOptions = {}, uid = 'count') => {
  const out = memorySink<string>()
  const build = ({ source, sink }: JobScope) =>
    source('words', memorySource(words)).pipe(
      keyBy((word) => word),
      count(uid),
      sink('out', out),
    )
  return { out, job: testJob(build, options).job }
}

/** Everything of an asynchronous sequence. */
async function all<A>(from: AsyncIterable<A>): Promise<readonly A[]> {
  const list: A[] = []
  for await (const each of from) list.push(each)
  return list
}
const sorted = <A>(list: readonly A[]): readonly A[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const states = {
  last: valueState(t.string),
  words: listState(t.string),
  lengths: mapState(t.number, t.number),
  longest: reducingState(t.string, (a: string, b: string) => (b.length > a.length ? b : a)),
}

/** A state of every kind, timers of both kinds, and state without a key. */
const kinds = (words: readonly string[], options: TestOptions = {}) => {
  const out = memorySink<string>()
  const build = ({ source, sink }: JobScope) =>
    source('words', memorySource(words, { bounded: false })).pipe(
      processUnkeyed(
        'seen',
        { state: { all: listState(t.string) }, emits: emits<string>() },
        {
          onRecord(word: string, { state, emit }) {
            state.all.add(word)
            emit(word)
          },
          initializeState: ({ state, restored }) => void (restored && seen.push(...state.all)),
        },
      ),
      keyBy((word) => word[0] as string),
      processKeyed(
        'kinds',
        { state: states, emits: emits<string>() },
        {
          onRecord(word: string, { state, timers, emit }) {
            state.words.add(word)
            state.last.update(word)
            state.lengths.put(word.length, (state.lengths.get(word.length) ?? 0) + 1)
            state.longest.add(word)
            timers.eventTime(1_000 + word.length)
            timers.processingTime(10_000_000 + word.length)
            emit(`${[...state.words].join('+')} ${[...state.lengths].map(String).join(' ')} ${state.longest.get()}`)
          },
          onTimer: (at, { key, emit }) => emit(`${key} at ${at}`),
        },
      ),
      sink('out', out),
    )
  const seen: string[] = []
  return { out, seen, ...testJob(build, options) }
}

/** A savepoint of the job with all kinds of state, and a reader of it. */
async function kindsRead(words: readonly string[]): Promise<SavepointReader> {
  const savepoint = memory()
  const run = watched(kinds(words).job)
  await settled()
  await run.stop({ savepoint })
  return readSavepoint(savepoint, 'job')
}

describe('a reader', () => {
  test('knows the checkpoint, sources, operators and their states', async () => {
    const reader = await kindsRead(['to', 'be', 'the'])
    expect(reader).toMatchObject({ job: 'job', checkpointId: 1, maxParallelism: 128, instance: { index: 0, of: 1 }, transactions: [] })
    expect(reader.sources).toEqual([{ uid: 'words', offset: 3, finished: false }])
    const named = reader.operators.map(({ uid, kind, states }) => [uid, kind, states.map(({ name }) => name).sort()])
    expect(sorted(named)).toEqual([
      ['kinds', 'operator', ['eventTimers', 'last', 'lengths', 'longest', 'processingTimers', 'words']],
      ['out', 'sink', []],
      ['seen', 'operator', ['all']],
    ])
    await reader.close()
  })

  test('shows every kind of state as its descriptor describes it', async () => {
    const reader = await kindsRead(['to', 'be', 'the'])
    const of = { namespace: undefined, touchedMs: undefined }
    expect(sorted(await all(reader.rows('kinds', 'last', states.last)))).toMatchObject([
      { key: 'b', value: 'be', ...of },
      { key: 't', value: 'the', ...of },
    ])
    expect(sorted(await all(reader.rows('kinds', 'words', states.words)))).toMatchObject([
      { key: 'b', entry: 0, value: 'be' },
      { key: 't', entry: 0, value: 'to' },
      { key: 't', entry: 1, value: 'the' },
    ])
    const lengths = await all(reader.rows('kinds', 'lengths', states.lengths))
    const entries: readonly (readonly [unknown, number, number])[] = lengths.map(({ key, entry, value }) => [key, entry, value])
    expect(sorted(entries)).toEqual([
      ['b', 2, 1],
      ['t', 2, 1],
      ['t', 3, 1],
    ])
    expect(sorted((await all(reader.rows('kinds', 'longest', valueState(t.string)))).map(({ value }) => value))).toEqual(['be', 'the'])
    expect(sorted(await all(reader.rows('seen', 'all', listState(t.string))))).toMatchObject([
      { key: null, entry: 0, value: 'to' },
      { key: null, entry: 1, value: 'be' },
      { key: null, entry: 2, value: 'the' },
    ])
  })

  test('shows state of which nobody says what it is, with its text', async () => {
    const reader = await kindsRead(['to'])
    expect(await all(reader.rows('kinds', 'lengths'))).toEqual([
      { key: 't', namespace: undefined, entry: 2, value: 1, touchedMs: undefined, version: 1, text: '1' },
    ])
    expect(await all(reader.rows('kinds', 'last'))).toMatchObject([{ key: 't', entry: undefined, value: 'to', text: '"to"' }])
  })

  test('shows keys once, and timers', async () => {
    const reader = await kindsRead(['to', 'be', 'the', 'tomorrow'])
    expect(sorted(await all(reader.keys('kinds', 'words')))).toEqual(['b', 't'])
    expect(sorted(await all(reader.keys('kinds', 'last')))).toEqual(['b', 't'])
    const timers = (await all(reader.timers('kinds'))).map(({ domain, key, at }) => `${domain} ${key} ${at}`)
    expect(timers.sort()).toEqual([
      'event b 1002',
      'event t 1002',
      'event t 1003',
      'event t 1008',
      'processing b 10000002',
      'processing t 10000002',
      'processing t 10000003',
      'processing t 10000008',
    ])
    expect(await all(reader.timers('seen'))).toEqual([])
  })

  test('names what there is where something is missing', async () => {
    const reader = await kindsRead(['to'])
    expect(() => reader.rows('kinds', 'lost')).toThrow(expect.objectContaining({ code: 'STATE_MISSING' }))
    expect(() => reader.keys('nobody', 'last')).toThrow(/kinds\/last/)
    await expect(readSavepoint(memory(), 'job')).rejects.toMatchObject({ code: 'SAVEPOINT_MISSING' })
    await expect(all(reader.rows('kinds', 'last', valueState(t.number)))).rejects.toMatchObject({ code: 'CODEC_MISMATCH' })
  })

  test('stops where nobody wants more, and may be asked again', async () => {
    const reader = await kindsRead(['to', 'be', 'or', 'not'])
    for await (const row of reader.rows('kinds', 'last')) {
      expect(row.version).toBe(1)
      break
    }
    expect(await all(reader.rows('kinds', 'last'))).toHaveLength(4)
  })

  test('chooses one of the checkpoints that are retained', async () => {
    const storage = memory()
    const input = memorySource(['a'], { bounded: false })
    const build = ({ source, sink }: JobScope) =>
      source('words', input).pipe(
        keyBy((word) => word),
        count(),
        sink('out', memorySink<string>()),
      )
    const run = watched(testJob(build, { storage }).job)
    await settled()
    await run.checkpoint()
    input.push('a')
    await settled()
    await run.checkpoint()
    const values = async (checkpoint?: number) => {
      const reader = await readSavepoint(storage, 'job', checkpoint === undefined ? {} : { checkpoint })
      const rows = await all(reader.rows('count', 'rows', valueState(t.number)))
      await reader.close()
      return rows.map(({ value }) => value)
    }
    expect(await values()).toEqual([2])
    expect(await values(1)).toEqual([1])
    await expect(values(7)).rejects.toMatchObject({ code: 'CHECKPOINT_MISSING' })
    run.cancel()
  })
})

describe('a savepoint that is written', () => {
  test('of data is where a job begins: state of every kind, timers, and where the source stands', async () => {
    const target = directory(`${await temporaryDirectory()}/savepoint`)
    const written = await writeSavepoint(target, 'job', {
      sources: { words: 1 },
      states: [
        newRows(
          'seen',
          'all',
          listState(t.string),
          [
            { key: null, value: 'in' },
            { key: null, value: 'to' },
          ],
          { own: true },
        ),
        newRows('kinds', 'last', states.last, [{ key: 't', value: 'to' }]),
        newRows('kinds', 'words', states.words, [
          { key: 't', value: 'to' },
          { key: 't', value: 'too' },
        ]),
        newRows('kinds', 'lengths', states.lengths, [
          { key: 't', entry: 2, value: 1 },
          { key: 't', entry: 3, value: 1 },
        ]),
        newRows('kinds', 'longest', valueState(t.string), [{ key: 't', value: 'too' }]),
        newTimers('kinds', 'processing', [{ key: 't', at: 0 }]),
      ],
    })
    expect(written).toEqual({ checkpointId: 1, rows: 9 })
    const { out, seen, job } = kinds(['lost', 'the'], { storage: memory(), restore: { from: target } })
    await watched(job).stop({ at: (_uid, offset) => offset === 2 })
    expect(out.committed).toEqual(['t at 0', 'to+too+the 2,1 3,2 too'])
    expect(seen).toEqual(['in', 'to'])
  })

  test('has the state of the broadcast side', async () => {
    const target = memory()
    await writeSavepoint(target, 'job', {
      states: [newRows('rules', 'broadcast:limit', valueState(t.number), [{ key: null, value: 2 }])],
    })
    const out = memorySink<number>()
    const build = ({ source, sink }: JobScope) =>
      source('numbers', memorySource([1, 2, 3])).pipe(
        connectBroadcast(
          'rules',
          source('limits', memorySource<number>([])),
          { broadcast: { limit: valueState(t.number) }, emits: emits<number>() },
          {
            onBroadcast: (limit, { broadcast }) => broadcast.limit.update(limit),
            onRecord: (n: number, { broadcast, emit }) => void (n <= (broadcast.limit.value() ?? 0) && emit(n)),
          },
        ),
        sink('out', out),
      )
    await ran(testJob(build, { restore: { from: target } }).job)
    expect(out.committed).toEqual([1, 2])
  })

  test('changes values and keys, drops rows, and goes on from where the source stood', async () => {
    const first = memory()
    const { job, out } = counting(['a', 'b', 'a', 'c'])
    const run = watched(job)
    await run.stop({ savepoint: first, at: (_uid, offset) => offset === 4 })
    expect(out.committed).toHaveLength(4)
    const from = await readSavepoint(first, 'job')
    const target = memory()
    await writeSavepoint(target, 'job', {
      from,
      states: [
        changedRows('count', 'rows', valueState(t.number), ({ key, value }) =>
          key === 'c' ? undefined : { key: key === 'b' ? 'B' : key, value: value * 100 },
        ),
      ],
    })
    const next = counting(['-', '-', '-', '-', 'a', 'b', 'B', 'c'], { restore: { from: target } })
    await ran(next.job)
    expect(next.out.committed).toEqual(['a 201', 'b 1', 'B 101', 'c 1'])
  })

  test('renames, leaves out, and adds beside what is there', async () => {
    const first = memory()
    await writeSavepoint(first, 'job', {
      states: [
        newRows('count', 'rows', valueState(t.number), [{ key: 'a', value: 7 }]),
        newRows('gone', 'rows', valueState(t.number), [{ key: 'a', value: 9 }]),
      ],
    })
    const target = memory()
    await writeSavepoint(target, 'job', { from: await readSavepoint(first, 'job'), renamed: { count: 'total' }, without: ['gone'] })
    const reader = await readSavepoint(target, 'job')
    expect(reader.operators.map(({ uid }) => uid)).toEqual(['total'])
    const next = counting(['a'], { restore: { from: target } }, 'total')
    await ran(next.job)
    expect(next.out.committed).toEqual(['a 8'])
    await expect(writeSavepoint(memory(), 'job', { from: reader, without: ['count'] })).rejects.toMatchObject({ code: 'STATE_MISSING' })
    await expect(writeSavepoint(target, 'job', { from: reader })).rejects.toMatchObject({ code: 'SAVEPOINT_EXISTS' })
  })

  test('refuses what no job could read, and leaves nothing behind', async () => {
    const target = memory()
    const rows = (row: object) => writeSavepoint(target, 'job', { states: [newRows('m', 'map', mapState(t.number, t.number), [row as never])] })
    await expect(rows({ key: 'a', value: 1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(rows({ key: {}, entry: 1, value: 1 })).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(rows({ key: 'a', entry: 1, value: undefined })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(readSavepoint(target, 'job')).rejects.toMatchObject({ code: 'SAVEPOINT_MISSING' })
    const twice = newRows('v', 'v', valueState(t.number), [])
    await expect(writeSavepoint(target, 'job', { states: [twice, twice] })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(writeSavepoint(target, 'job', { sources: { s: null } })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })

  test('of several instances is that of one, and of one those of several', async () => {
    const words = ['to', 'be', 'or', 'not', 'to', 'be', 'that', 'is', 'the', 'question', 'to', 'die', 'to', 'sleep']
    const part = async (index: number, of: number, from?: ReturnType<typeof memory>) => {
      const { job, out } = counting(words, { instance: { index, of }, ...(from === undefined ? {} : { restore: { from } }) })
      const savepoint = memory()
      await watched(job).stop({ savepoint, at: (_uid, offset) => (offset as number) >= 7 })
      return { savepoint, out }
    }
    const parts = [await part(0, 3), await part(1, 3), await part(2, 3)]
    const readers = await Promise.all(parts.map(({ savepoint }) => readSavepoint(savepoint, 'job')))
    const one = memory()
    expect(await writeSavepoint(one, 'job', { from: readers })).toMatchObject({ rows: 5 })
    const [two, three] = [memory(), memory()]
    const whole = await readSavepoint(one, 'job')
    await writeSavepoint(two, 'job', { from: whole, instance: { index: 0, of: 2 } })
    await writeSavepoint(three, 'job', { from: readers, instance: { index: 1, of: 2 } })
    const rest = await Promise.all(
      [two, three].map(async (from, index) => {
        const { job, out } = counting(words, { instance: { index, of: 2 }, restore: { from } })
        await ran(job)
        return out.committed
      }),
    )
    const alone = counting(words)
    await ran(alone.job)
    expect([...parts.flatMap(({ out }) => out.committed), ...rest.flat()].sort()).toEqual([...alone.out.committed].sort())
    await expect(writeSavepoint(memory(), 'job', { from: readers.slice(1) })).rejects.toMatchObject({ code: 'SAVEPOINT_INCOMPLETE' })
  })
})
