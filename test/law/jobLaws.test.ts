import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { type JobUnderLaw, jobLaws } from '../../laws/jobLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import { Tried } from '../../laws/simulation/campaign.js'
import type { Stream } from '../../lib/element.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { union } from '../../operators/union.js'

const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 })
const count = (uid: string) => statefulMap(uid, { state: t.number, initial: 0 }, (before, word: string) => [before + 1, `${word} ${before + 1}`])

const job: JobUnderLaw = {
  inputs: { left: words, right: words },
  sinks: ['counts'],
  build: ({ source, sink }) =>
    source<string>('left').pipe(
      mapValues((word) => `left ${word}`),
      union(source<string>('right').pipe(mapValues((word) => `right ${word}`))),
      keyBy((word) => word),
      count('count'),
      sink('counts'),
    ),
}

describe('a job', () => {
  for (const law of jobLaws(job)) it(`${law.name}: ${law.statement}`, () => law.check())
})

it('a pipeline keeps recovery-equivalence in a line', async () => {
  const law = recoveryEquivalence(
    (input: Stream<string>) =>
      input.pipe(
        keyBy((word) => word),
        count('count'),
      ),
    words,
    { order: 'exact' },
  )
  const { runs, counters, faultPoints, replay, seed } = await law.check()
  expect(runs).toBe(100)
  expect(counters).toMatchObject({ runs: 100, crashes: expect.any(Number), restored: expect.any(Number) })
  expect(Object.keys(faultPoints)).toContain('storage publish begins')
  // 48 to 89 over 60 seeds.
  expect(Object.values(faultPoints).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(20)
  expect(replay).toBe(`check({ runs: 100, seed: ${seed} })`)
})

describe('a check', () => {
  const law = recoveryEquivalence(
    (input: Stream<string>) =>
      input.pipe(
        keyBy((word) => word),
        count('count'),
      ),
    words,
  )

  it('lets only those faults happen that it is told', async () => {
    const { counters, faultPoints, replay } = await law.check({ runs: 60, seed: 5, faults: ['unsubscribe', 'storage'] })
    expect(counters['crashes']).toBe(0)
    expect(counters['faults']).toBeGreaterThan(0)
    expect(Object.values(faultPoints).some((times) => times > 0)).toBe(true)
    expect(replay).toBe('check({ runs: 60, seed: 5, faults: ["unsubscribe","storage"] })')
    expect((await law.check({ runs: 120, seed: 5, faults: [] })).counters).toMatchObject({ crashes: 0, faults: 0, restored: 0 })
  })

  it('ends when its time is over, and says how many cases it tried', async () => {
    const { runs, replay } = await law.check({ runs: 1_000_000, seed: 5, timeBudgetMs: 100 })
    expect(runs).toBeLessThan(100_000)
    expect(replay).toBe(`check({ runs: ${runs}, seed: 5 })`)
  })
})

describe('a pipeline that forgets', () => {
  /** Counts beside the state, where no barrier sees it. */
  const forgetful = () => {
    let total = 0
    return mapValues((word: string) => `${word} ${(total += 1)}`)
  }
  const law = recoveryEquivalence((input: Stream<string>) => input.pipe(forgetful()), words)

  it('is caught, with the statement, a story, the seed and a way to see it again', async () => {
    const failure = await law.check({ seed: 1 }).then(
      () => undefined,
      (error: Error) => error.message,
    )
    expect(failure).toContain('The law recovery-equivalence does not hold: for every history and every crash plan')
    expect(failure).toMatch(/Replay it with check\(\{ seed: 1, path: "[\d:]+" \}\)/)
    expect(failure).toMatch(/STATE_DIFF|LOST/)
    expect(failure).toContain('What happened: ')
  })

  it('is caught again by the replay', async () => {
    const failure = await law.check({ seed: 1 }).catch((error: Error) => error.message)
    const path = /path: "([\d:]+)"/.exec(String(failure))?.[1] ?? ''
    await expect(law.check({ seed: 1, path })).rejects.toThrow('does not hold')
  })
})

it('a campaign in which no process died inside a checkpoint says that it tried nothing', () => {
  const tried = new Tried()
  expect(tried.vacuous(100)).toContain('no process died while a checkpoint was under way')
  tried.statistics.crashesInCheckpoint = 1
  expect(tried.vacuous(100)).toContain('no checkpoint was restored')
  tried.statistics.restored = 1
  expect(tried.vacuous(100)).toContain('no process died in the recovery from a crash in a recovery')
  tried.statistics.crashesThreeDeep = 1
  expect(tried.vacuous(100)).toBeUndefined()
})
