import fc from 'fast-check'
import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import { expect, it } from 'vitest'
import { jobLaw } from '../../laws/jobLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import { plainSurface } from '../../laws/simulation/plainSurface.js'
import { type Ending, type Plan, plans } from '../../laws/simulation/plan.js'
import type { Surface } from '../../laws/simulation/surface.js'
import type { Stream } from '../../lib/element.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'

const words = fc.array(fc.constantFrom('a', 'b'), { minLength: 2, maxLength: 20 })
const count = (input: Stream<string>) =>
  input.pipe(
    keyBy((word) => word),
    statefulMap('count', { state: t.number, initial: 0 }, (before, word: string) => [before + 1, `${word} ${before + 1}`]),
  )

/** Whoever takes over when so many did who published nothing finds nothing any more. */
const wearingOut = (takeOversMax: number) => (): Surface => {
  const surface = plainSurface()
  let takeOvers = 0
  return {
    ...surface,
    storage: (life) => {
      const storage = surface.storage(life)
      const worn = (session: CheckpointSession): CheckpointSession => ({
        ...session,
        latest: () => async () =>
          takeOvers < takeOversMax
            ? session.latest()()
            : session
                .latest()()
                .then(() => ({ _tag: 'Right', right: O.none })),
        takeOver: (...from) => {
          takeOvers += 1
          return session.takeOver(...from)
        },
        begin: (id, options) => {
          const writer = session.begin(id, options)
          return {
            ...writer,
            publish: (body) => {
              takeOvers = 0
              return writer.publish(body)
            },
          }
        },
      })
      return {
        ...storage,
        open: (job, options) => async () => {
          const opened = await storage.open(job, options)()
          return opened._tag === 'Left' ? opened : { ...opened, right: worn(opened.right) }
        },
      }
    },
  }
}

it('a storage that three crashes in recoveries, one after the other, wear out is caught', async () => {
  const law = jobLaw(
    {
      inputs: { input: words },
      sinks: ['output'],
      build: ({ source, sink }) => count(source<string>('input')).pipe(sink('output')),
      surface: wearingOut(3),
    },
    'recovery-equivalence',
    'what is committed equals what is committed without a crash',
  )
  await expect(law.check({ runs: 300, seed: 1, faults: ['kill'] })).rejects.toThrow(/LOST|DOUBLED|PHANTOM|STATE_DIFF|checkpoint ids increase/)
})

it('crashes in recoveries are counted, by how deep they are', async () => {
  const { counters } = await recoveryEquivalence(count, words).check({ runs: 100, seed: 1 })
  const { crashes = 0, crashesInRecovery = 0, crashesTwoDeep = 0, crashesThreeDeep = 0 } = counters
  expect(crashesThreeDeep).toBeGreaterThan(0)
  expect(crashesTwoDeep).toBeGreaterThan(crashesThreeDeep)
  expect(crashesInRecovery).toBeGreaterThan(crashesTwoDeep)
  expect(crashes).toBeGreaterThan(crashesInRecovery)
})

it('every way to end is seen alone, and beside others', () => {
  const drawn: readonly Plan[] = fc.sample(plans({ powerCuts: true }), { numRuns: 3_000, seed: 1 })
  const ways = drawn.map(({ endings }) => [...new Set(endings.map(({ how }: Ending) => how))])
  const often = drawn.filter(({ endings }) => endings.length >= 3)
  for (const how of ['kill', 'powerCut', 'pause', 'unsubscribe', 'stop'] as const)
    expect(often.some(({ endings }) => endings.every((ending) => ending.how === how))).toBe(true)
  expect(ways.some((all) => all.length >= 3)).toBe(true)
})
