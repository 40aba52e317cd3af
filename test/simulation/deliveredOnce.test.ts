import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { callbackSink } from '../../backends/functions/callbackSink.js'
import { jobLaws } from '../../laws/jobLaws.js'
import { plainSurface, textOf } from '../../laws/simulation/plainSurface.js'
import { injected } from '../../laws/simulation/port.js'
import type { SurfaceFactory } from '../../laws/simulation/surface.js'
import { SinkError } from '../../lib/errors.js'
import { keyBy } from '../../operators/keyBy.js'
import { statefulMap } from '../../operators/statefulMap.js'
import { KeyedTarget } from '../support/byKey.js'

let repeated = 0

/** A function that hears of a record at some instant and answers at another, or fails, or does what it should and then fails. */
const calledBack =
  (batchMax: number, recordsMax: number): SurfaceFactory =>
  () => {
    const surface = plainSurface()
    const targets = new Map<string, KeyedTarget<unknown>>()
    const target = (uid: string): KeyedTarget<unknown> => {
      const known = targets.get(uid) ?? new KeyedTarget()
      targets.set(uid, known)
      return known
    }
    return {
      ...surface,
      sink: (uid, life) =>
        callbackSink({
          recordsMax,
          batchMax,
          timeoutMs: Number.POSITIVE_INFINITY,
          committedUpTo: async () => target(uid).newest,
          async deliverBatch(deliveries) {
            const fails = life.fault('sink')
            const unheard = fails && life.world.random() < 0.5
            await life.ask('sink', 'delivery', async () => {
              if (unheard) return
              const before = target(uid).repeated
              for (const delivery of deliveries) target(uid).take(delivery)
              repeated += target(uid).repeated - before
            })
            if (fails) throw new SinkError('SINK_IO', injected)
          },
        }),
      committed: (uid) => target(uid).values.map((value) => ({ key: '', text: textOf(value) })),
      leftovers: () => [],
    }
  }

const words = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 })

describe.each([
  [1, 10_000],
  [3, 4],
])('a job over a callbackSink, %i records a call and %i waiting at most', (batchMax, recordsMax) => {
  const laws = jobLaws({
    inputs: { in: words },
    sinks: ['out'],
    order: 'exact',
    surface: calledBack(batchMax, recordsMax),
    build: ({ source, sink }) =>
      source<string>('in').pipe(
        keyBy((word) => word),
        statefulMap('count', { state: t.number, initial: 0 }, (before, word: string) => [before + 1, `${word} ${before + 1}`]),
        sink('out'),
      ),
  })
  for (const law of laws) it(`${law.name}: ${law.statement}`, () => law.check())
})

it('the simulations above have delivered some records twice', () => {
  expect(repeated).toBeGreaterThan(0)
})
