import { Readable, Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { fromReadable } from '../../backends/nodeStreams/fromReadable.js'
import { readableLines } from '../../backends/nodeStreams/readableLines.js'
import { writableSink } from '../../backends/nodeStreams/writableSink.js'
import { type SinkFixture, sinkLaws } from '../../laws/sinkLaws.js'
import { type SourceLawOptions, sourceLaws } from '../../laws/sourceLaws.js'
import type { Delivery } from '../../lib/delivery.js'
import { KeyedTarget } from '../support/byKey.js'
import { lawsByKey } from '../support/lawsByKey.js'

/** The clock of the laws lets time pass at once: nobody could come in time. */
const patient = { skipStallMs: Number.POSITIVE_INFINITY, closeMs: Number.POSITIVE_INFINITY }

const objects: SourceLawOptions<unknown> = {
  // A stream of objects ends where it is pushed null.
  records: fc.anything().filter((value) => value !== null && value !== undefined),
  async make(all) {
    let held = all
    return {
      source: fromReadable<unknown>({ open: () => Readable.from(held, { highWaterMark: 2 }), ...patient }),
      lose: async () => void (held = []),
      dispose: async () => undefined,
    }
  },
}

const lines: SourceLawOptions<string> = {
  records: fc.string().map((text) => text.replace(/[\r\n\uFEFF]/g, '')),
  async make(all) {
    let bytes = Buffer.from(all.map((text) => `${text}\n`).join(''))
    const open = () => Readable.from(Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => bytes.subarray(7 * index, 7 * index + 7)))
    return {
      source: readableLines({ open, ...patient }),
      async lose() {
        bytes = Buffer.from('')
      },
      dispose: async () => undefined,
    }
  },
}

describe('fromReadable', () => {
  for (const law of sourceLaws(objects)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
})
describe('readableLines', () => {
  for (const law of sourceLaws(lines)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
})

describe('writableSink, counted by key', () => {
  const make = async (): Promise<SinkFixture<unknown>> => {
    const target = new KeyedTarget<unknown>()
    const open = () =>
      new Writable({
        objectMode: true,
        highWaterMark: 2,
        write(delivery: Delivery<unknown>, _, callback) {
          target.take(delivery)
          setImmediate(callback)
        },
      })
    return {
      sink: () => writableSink({ open, objectMode: true, committedUpTo: async () => target.newest, timeoutMs: Number.POSITIVE_INFINITY }),
      committed: async () => target.values,
      dispose: async () => undefined,
    }
  }
  for (const law of lawsByKey(sinkLaws({ records: fc.jsonValue(), make }), 'remembers'))
    it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
})
