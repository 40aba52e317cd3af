import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import type { JobUnderLaw } from '../../laws/jobLaws.js'
import type { Law } from '../../laws/law.js'
import { passageLaw } from '../../laws/passageLaw.js'
import { rescalingEquivalence } from '../../laws/rescalingEquivalence.js'
import { savepointEquivalence } from '../../laws/savepointEquivalence.js'
import type { Stream } from '../../lib/element.js'
import { emits, listState, mapState, unionListState, valueState } from '../../lib/index.js'
import { boundedOutOfOrderness } from '../../lib/watermarkStrategy.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import { connectBroadcast } from '../../operators/connectBroadcast.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { processUnkeyed } from '../../operators/processUnkeyed.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { jobs } from '../laws/jobs.js'
import { keyValueSurface } from '../laws/keyValueSurface.js'
import { directorySurface, memorySurface } from '../laws/surfaces.js'

/** Storages, savepoints and sinks in memory, in a directory and in keys and values, in every pair. */
const everywhere = { surfaces: [memorySurface, directorySurface(), keyValueSurface], powerCuts: true }

interface Entry {
  readonly key: string
  readonly n: number
}
const entries = (maxLength: number, keys = 'abcdefgh'): fc.Arbitrary<readonly Entry[]> =>
  fc.array(fc.constantFrom(...keys), { maxLength }).map((all) => all.map((key, n) => ({ key, n })))

const underLaw = (name: string): JobUnderLaw => {
  const found = jobs.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no job is called ${name}`)
  const { job, inputs } = found
  return {
    ...job,
    // Its records come from one arbitrary: each source takes its own of them.
    inputs: Object.fromEntries(job.sources.map((uid) => [uid, inputs.map((each) => each[uid] ?? [])])),
    build: ({ source, sink }) => job.build({ source: (uid) => source<never>(uid), sink }),
  }
}

/** Rules that every instance has, known at the end of both inputs. */
const broadcast: JobUnderLaw = {
  inputs: { records: entries(12), rules: entries(5) },
  sinks: ['out'],
  build: ({ source, sink }) => {
    const timed = assignTimestamps({ timestamp: ({ n }: Entry) => n, watermarks: boundedOutOfOrderness({ delayMs: 100 }) })
    return source<Entry>('records').pipe(
      timed,
      keyBy(({ key }) => key),
      connectBroadcast(
        'by-rules',
        source<Entry>('rules').pipe(timed),
        { broadcast: { rules: mapState(t.number, t.string) }, state: { sum: valueState(t.number, { initial: 0 }) }, emits: emits<object>() },
        {
          onBroadcast: ({ key, n }, { broadcast }) => broadcast.rules.put(n, key),
          onRecord({ key, n }: Entry, { state, timers, emit }) {
            state.sum.update(state.sum.value() + n)
            timers.eventTime(1_000_000)
            emit({ key, n, sum: state.sum.value() })
          },
          onTimer(_at, { key, broadcast, state, emit }) {
            emit({ key, sum: state.sum.value(), rules: [...broadcast.rules].sort(([a], [b]) => a - b) })
          },
        },
      ),
      sink('out'),
    )
  },
}

/** Every record once at the end, out of the list of whichever instance has it; and what all of them have. */
const lists: JobUnderLaw = {
  inputs: { in: entries(16) },
  sinks: ['out'],
  order: 'multiset',
  keeps: 'any',
  build: ({ source, sink }) =>
    source<Entry>('in').pipe(
      keyBy(({ key }) => key),
      processUnkeyed(
        'notes',
        { state: { own: listState(t.number), all: unionListState(t.number) }, emits: emits<Entry>() },
        {
          onRecord({ n }: Entry, { state }) {
            state.own.add(n)
            state.all.add(n)
          },
          onEnd({ state, emit }) {
            const known = new Set(state.all)
            for (const n of state.own) emit({ key: known.has(n) ? 'known' : 'unknown', n })
          },
        },
      ),
      sink('out'),
    ),
}

const hold = (law: Law, runs: number) => async (): Promise<void> => {
  const { counters } = await law.check({ runs })
  expect(counters['restored']).toBeGreaterThan(runs / 2)
}

describe('savepoint-equivalence', () => {
  for (const name of [
    'statefulMap',
    'unions in a row, with slow sides',
    'processKeyed with timers',
    'state that expires by event time',
    'timers of processing time',
    'two sinks',
  ])
    it(name, hold(savepointEquivalence(underLaw(name), everywhere), 6))
  it('a window, on plain objects', hold(savepointEquivalence(underLaw('window with lateness and a side output')), 12))
  it('broadcast state', hold(savepointEquivalence(broadcast), 8))
})

describe('rescaling-equivalence', () => {
  for (const name of ['statefulMap', 'asyncMap in any order', 'sliding windows, merged of slices and with an evictor'])
    it(name, hold(rescalingEquivalence(underLaw(name), everywhere), 3))
  for (const name of ['processKeyed with timers', 'window with lateness and a side output', 'connectKeyed', 'intervalJoin'])
    it(`${name}, on plain objects`, hold(rescalingEquivalence(underLaw(name)), 4))
  it('broadcast state', hold(rescalingEquivalence(broadcast), 4))
  it('lists of an operator', hold(rescalingEquivalence(lists), 5))
})

describe('a program that changes from leg to leg', () => {
  const counting = (uid: string): JobUnderLaw => ({
    inputs: { in: entries(20, 'ab') },
    sinks: ['out'],
    order: 'exact',
    build: ({ source, sink }) =>
      source<Entry>('in').pipe(
        keyBy(({ key }) => key),
        statefulMap(uid, { state: t.number, initial: 0 }, (n, { key }: Entry) => [n + 1, { key, count: n + 1 }]),
        sink('out'),
      ),
  })

  it('renames its operator, and the same options stay through every crash', async () => {
    const law = passageLaw(
      { ...counting('leg0') },
      { name: 'renames', statement: 'a job whose operator has another name commits the same', instancesMax: 1 },
      {},
      (leg) => ({
        job: {
          sources: ['in'],
          sinks: ['out'],
          order: 'exact',
          keeps: 'any',
          build: ({ source, sink }) => counting(`leg${leg}`).build({ source: <T>(uid: string) => source(uid) as Stream<T>, sink }),
        },
        options: { restore: { renamed: leg === 0 ? {} : { [`leg${leg - 1}`]: `leg${leg}` } } },
      }),
    )
    await law.check({ runs: 12 })
  })
})

describe('a pipeline that forgets', () => {
  it('is caught', async () => {
    const forgetful = (input: Stream<Entry>) => {
      let total = 0
      return input.pipe(mapValues(({ key }) => ({ key, total: (total += 1) })))
    }
    const law = savepointEquivalence({
      inputs: { in: entries(4) },
      sinks: ['out'],
      build: ({ source, sink }) => forgetful(source<Entry>('in')).pipe(sink('out')),
    })
    await expect(law.check({ seed: 1, faults: [], runs: 100 })).rejects.toThrow(
      /The law savepoint-equivalence does not hold[\s\S]*savepointCompleted/,
    )
  })
})
