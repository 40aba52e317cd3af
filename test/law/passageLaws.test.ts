import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import type { JobUnderLaw } from '../../laws/jobLaws.js'
import type { Law } from '../../laws/law.js'
import { passageLaw } from '../../laws/passageLaw.js'
import { rescalingEquivalence } from '../../laws/rescalingEquivalence.js'
import { savepointEquivalence } from '../../laws/savepointEquivalence.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import type { Stream } from '../../lib/element.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { jobs } from '../laws/jobs.js'
import { keyValueSurface } from '../laws/keyValueSurface.js'

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

const hold = (law: Law, runs: number) => async (): Promise<void> => {
  const { counters } = await law.check({ runs })
  expect(counters['restored']).toBeGreaterThan(runs / 2)
}

describe('savepoint-equivalence', () => {
  it('a window, on plain objects', hold(savepointEquivalence(underLaw('window with lateness and a side output')), 12))
  it(
    'two sinks, on objects and in keys and values',
    hold(savepointEquivalence(underLaw('two sinks'), { surfaces: [plainSurface, keyValueSurface] }), 6),
  )
})

describe('rescaling-equivalence', () => {
  it('processKeyed with timers, on plain objects', hold(rescalingEquivalence(underLaw('processKeyed with timers')), 4))
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
