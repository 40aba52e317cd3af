import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { callbackSink } from '../../backends/functions/callbackSink.js'
import { fromAsyncIterable } from '../../backends/functions/fromAsyncIterable.js'
import { type SinkFixture, sinkLaws } from '../../laws/sinkLaws.js'
import { type SourceLawOptions, sourceLaws } from '../../laws/sourceLaws.js'
import { RestoreError } from '../../lib/errors.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { KeyedTarget } from '../support/byKey.js'
import { lawsByKey } from '../support/lawsByKey.js'

/** The clock of the laws lets time pass at once: nobody could answer in time. */
const timeoutMs = Number.POSITIVE_INFINITY

const counted: SourceLawOptions<unknown> = {
  records: fc.anything(),
  async make(all) {
    let held = all
    async function* open() {
      for (const value of held) {
        // Some come late.
        if (held.indexOf(value) % 3 === 0) for (let turn = 0; turn < 20; turn += 1) await undefined
        yield value
      }
    }
    return {
      source: fromAsyncIterable({ open, skipStallMs: Number.POSITIVE_INFINITY, closeMs: Number.POSITIVE_INFINITY }),
      lose: async () => void (held = []),
      dispose: async () => undefined,
    }
  },
}

const seekable: SourceLawOptions<{ readonly at: number; readonly value: unknown }> = {
  records: fc.record({ at: fc.nat(), value: fc.anything() }, { noNullPrototype: true }),
  async make(all) {
    let held = all.map(({ value }, at) => ({ at, value }))
    all.forEach((record, at) => {
      Object.assign(record, { at })
    })
    const source = fromAsyncIterable({
      open(from?: number) {
        if (from !== undefined && held.length === 0) throw new RestoreError('SOURCE_OFFSET_GONE', { from })
        return held.filter(({ at }) => from === undefined || at > from)
      },
      offsetOf: ({ at }) => at,
      offset: t.number,
    })
    return { source, lose: async () => void (held = []), dispose: async () => undefined }
  },
}

describe('fromAsyncIterable that counts', () => {
  for (const law of sourceLaws(counted)) it(`${law.name}: ${law.statement}`, () => law.check())
})
describe('fromAsyncIterable that seeks', () => {
  for (const law of sourceLaws(seekable)) it(`${law.name}: ${law.statement}`, () => law.check())
})

const targetOf = (sinkOf: (target: KeyedTarget<unknown>) => TransactionalSink<unknown>) => async (): Promise<SinkFixture<unknown>> => {
  const target = new KeyedTarget<unknown>()
  return { sink: () => sinkOf(target), committed: async () => target.values, dispose: async () => undefined }
}
const plain = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }).filter((value) => typeof value !== 'symbol')

describe('callbackSink, counted by key', () => {
  const make = targetOf((target) =>
    callbackSink({ deliver: async (delivery) => target.take(delivery), committedUpTo: async () => target.newest, recordsMax: 1_000, timeoutMs }),
  )
  for (const law of lawsByKey(sinkLaws({ records: plain, make }), 'remembers')) it(`${law.name}: ${law.statement}`, () => law.check())
})

describe('callbackSink in batches, over a target that remembers keys only', () => {
  const make = targetOf((target) => callbackSink({ deliverBatch: (all) => all.map((delivery) => target.take(delivery)), batchMax: 2, timeoutMs }))
  for (const law of lawsByKey(sinkLaws({ records: plain, make }), 'forgets')) it(`${law.name}: ${law.statement}`, () => law.check())
})

it('a target that does not know keys breaks the laws: it is the keys that count', async () => {
  const seen: unknown[] = []
  const make = async (): Promise<SinkFixture<unknown>> => {
    seen.length = 0
    return {
      sink: () => callbackSink({ deliver: ({ value }) => seen.push(value), timeoutMs }),
      committed: async () => [...seen],
      dispose: async () => undefined,
    }
  }
  const law = sinkLaws({ records: fc.nat(), make }).find(({ name }) => name === 'commit-idempotent')
  await expect(law?.check({ seed: 1 })).rejects.toThrow('The law commit-idempotent does not hold')
})
