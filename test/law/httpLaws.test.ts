import fc from 'fast-check'
import * as t from 'io-ts'
import { describe, it } from 'vitest'
import type { Fetch } from '../../backends/http/fetching.js'
import { ndjsonTail } from '../../backends/http/ndjsonTail.js'
import { webhookSink } from '../../backends/http/webhookSink.js'
import { type SinkFixture, sinkLaws } from '../../laws/sinkLaws.js'
import { type SourceLawOptions, sourceLaws } from '../../laws/sourceLaws.js'
import { KeyedTarget } from '../support/byKey.js'
import { lawsByKey } from '../support/lawsByKey.js'

/** What JSON text can hold: -0 comes back as 0. */
const records: fc.Arbitrary<unknown> = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))

/** The clock of the laws lets time pass at once: nobody could answer in time. */
const patient = { timeoutMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY }

/** A body that arrives in pieces. */
const pieces = (bytes: Uint8Array, size: number): ReadableStream<Uint8Array> => {
  let from = 0
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(from, (from += size)))
    },
  })
}

/** A file behind HTTP that sends pieces, with or without ranges, and breaks every third connection after a while. */
const fileOf = (ranges: boolean, loss: 'gone' | 'shorter' | 'replaced'): SourceLawOptions<unknown> => ({
  records,
  async make(all) {
    let text: string | undefined = all.map((value, index) => `${JSON.stringify(value)}${['\n', '\r\n', '\n\n'][index % 3]}`).join('')
    let asked = 0
    const fetch: Fetch = async (_, { headers }) => {
      if (text === undefined) return new Response(null, { status: 404 })
      const bytes = new TextEncoder().encode(text)
      asked += 1
      const first = ranges ? /^bytes=(\d+)-$/.exec(new Headers(headers).get('range') ?? '')?.[1] : undefined
      const from = Number(first ?? 0)
      if (first !== undefined && from >= bytes.length) return new Response(null, { status: 416 })
      const body = pieces(bytes.subarray(from), 1 + ((asked * 13) % 40))
      return new Response(asked % 3 === 0 ? broken(body, 3) : body, { status: first === undefined ? 200 : 206 })
    }
    return {
      source: ndjsonTail({ url: 'http://127.0.0.1/log', codec: t.unknown, fetch, ...patient }),
      async lose() {
        text = loss === 'gone' ? undefined : loss === 'shorter' ? '' : `"${'other '.repeat(2_000)}"\n`
      },
      dispose: async () => undefined,
    }
  },
})

/** Ends in an error after some pieces. */
const broken = (body: ReadableStream<Uint8Array>, after: number): ReadableStream<Uint8Array> => {
  let count = 0
  return body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        if ((count += 1) > after) controller.error(new TypeError('terminated'))
        else controller.enqueue(chunk)
      },
    }),
  )
}

const endpoint: SourceLawOptions<{ readonly at: number; readonly value: unknown }> = {
  records: fc.record({ at: fc.nat(), value: records }, { noNullPrototype: true }),
  async make(all) {
    all.forEach((record, at) => {
      Object.assign(record, { at })
    })
    let held: readonly { readonly at: number }[] | undefined = all
    let asked = 0
    const fetch: Fetch = async (url) => {
      const since = new URL(url).searchParams.get('since')
      if (held === undefined) return new Response(null, { status: since === null ? 200 : 410 })
      const text = held.filter(({ at }) => since === null || at > Number(since)).map((record) => `${JSON.stringify(record)}\n`)
      asked += 1
      const body = pieces(new TextEncoder().encode(text.join('')), 1 + ((asked * 13) % 60))
      return new Response(asked % 3 === 0 ? broken(body, 3) : body)
    }
    const source = ndjsonTail({
      url: (from?: number) => `http://127.0.0.1/rows${from === undefined ? '' : `?since=${from}`}`,
      codec: t.type({ at: t.number, value: t.unknown }) as never as t.Type<{ readonly at: number; readonly value: unknown }>,
      offsetOf: ({ at }) => at,
      offset: t.number,
      fetch,
      ...patient,
    })
    return {
      source,
      async lose() {
        held = undefined
      },
      dispose: async () => undefined,
    }
  },
}

for (const [name, options] of [
  ['a file with ranges, that is removed', fileOf(true, 'gone')],
  ['a file with ranges, that is cut', fileOf(true, 'shorter')],
  ['a file without ranges, that is replaced', fileOf(false, 'replaced')],
] as const)
  describe(`ndjsonTail of ${name}`, () => {
    for (const law of sourceLaws(options)) it(`${law.name}: ${law.statement}`, () => law.check({ runs: 50 }))
  })

describe('ndjsonTail of an endpoint', () => {
  for (const law of sourceLaws(endpoint)) it(`${law.name}: ${law.statement}`, () => law.check())
})

for (const batchMax of [undefined, 2])
  describe(`webhookSink, counted by key, ${batchMax === undefined ? 'record by record' : 'in batches'}`, () => {
    const make = async (): Promise<SinkFixture<unknown>> => {
      const target = new KeyedTarget<unknown>()
      let asked = 0
      const fetch: Fetch = async (_, { headers, body }) => {
        asked += 1
        // Some are taken and the answer gets lost, some are not.
        if (asked % 5 === 0) return new Response(null, { status: 503 })
        const key = new Headers(headers).get('idempotency-key') ?? ''
        const [, name, first] = /^(.*\/)(\d+)/.exec(key) ?? []
        const values: unknown[] = batchMax === undefined ? [JSON.parse(String(body))] : JSON.parse(String(body))
        values.forEach((value, index) => {
          target.takeKey(`${name}${Number(first) + index}`, value)
        })
        if (asked % 7 === 0) throw new TypeError('fetch failed')
        return new Response(null, { status: 204 })
      }
      const batches = batchMax === undefined ? {} : { batchMax }
      return {
        sink: () => webhookSink({ url: 'http://127.0.0.1', fetch, ...batches, timeoutMs: Number.POSITIVE_INFINITY }),
        committed: async () => target.values,
        dispose: async () => undefined,
      }
    }
    for (const law of lawsByKey(sinkLaws({ records, make }), 'forgets')) it(`${law.name}: ${law.statement}`, () => law.check())
  })
