import fc from 'fast-check'
import * as t from 'io-ts'
import { expect, it } from 'vitest'
import type { JobUnderLaw } from '../../laws/jobLaws.js'
import { savepointEquivalence } from '../../laws/savepointEquivalence.js'
import { PlainTarget, plainSink } from '../../laws/simulation/plainSink.js'
import { PlainStore, plainStorage } from '../../laws/simulation/plainStorage.js'
import { plainSurface, textOf } from '../../laws/simulation/plainSurface.js'
import type { Seen, Surface } from '../../laws/simulation/surface.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'

const job: JobUnderLaw = {
  inputs: { words: fc.array(fc.constantFrom('a', 'b'), { maxLength: 20 }) },
  sinks: ['out'],
  build: ({ source, sink }) =>
    source<string>('words').pipe(
      keyBy((word) => word),
      statefulMap('count', { state: t.number, initial: 0 }, (before, word: string) => [before + 1, `${word} ${before + 1}`]),
      sink('out'),
    ),
}

/** Nobody is fenced: each process has the checkpoints as they were when it began, and its own; and the sinks listen to all. */
function unfenced(): Surface {
  const shared = new PlainStore()
  const targets = new Map<string, PlainTarget>()
  const target = (uid: string): PlainTarget => {
    const known = targets.get(uid) ?? Object.defineProperty(new PlainTarget(), 'epoch', { get: () => 0, set: () => undefined })
    targets.set(uid, known)
    return known
  }
  return {
    ...plainSurface(),
    storage() {
      let { slot } = shared
      const own = Object.defineProperty(new PlainStore(), 'slot', {
        get: () => slot,
        set(next: PlainStore['slot']) {
          slot = shared.slot = next
        },
      })
      return plainStorage(own)
    },
    sink: (uid, life) =>
      plainSink(target(uid), {
        seen: (value): Seen => ({ key: '', text: textOf(value) }),
        fails: () => false,
        full: () => false,
        drained: () => life.step('sink', 'sink drained'),
      }),
    committed: (uid) => target(uid).committed,
    leftovers: () => [],
    newest: () => undefined,
  }
}

it('processes that sleep on a leg that is over wake up in the next one, and change nothing', async () => {
  const plain = await savepointEquivalence(job).check({ runs: 50, seed: 1, faults: ['pause'] })
  expect(plain.counters['zombies']).toBeGreaterThan(0)
})

it('a place in which they are not fenced is caught', async () => {
  const law = savepointEquivalence(job, { surfaces: [unfenced] })
  await expect(law.check({ runs: 300, seed: 1, faults: ['pause'] })).rejects.toThrow(/DOUBLED|PHANTOM|LOST|STATE_DIFF/)
})
