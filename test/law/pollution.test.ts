/** Names that are traps, wherever a name can stand: they are data, and no prototype that all objects share ever changes. */
import fc from 'fast-check'
import * as t from 'io-ts'
import { afterEach, describe, expect, it } from 'vitest'
import { jobLaw } from '../../laws/jobLaws.js'
import { recoveryEquivalence } from '../../laws/recoveryEquivalence.js'
import type { Stream } from '../../lib/element.js'
import { emits, json, listState, mapState, monotonousTimestamps, tumbling, valueState } from '../../lib/index.js'
import { assignTimestamps } from '../../operators/assignTimestamps.js'
import * as durable from '../../operators/durable/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { window } from '../../operators/window.js'
import { directorySurface, memorySurface, rollingParts } from '../laws/surfaces.js'

const trap = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON', '$map', '')
interface Trapped {
  readonly key: string
  readonly name: string
  readonly at: number
  readonly data: unknown
}
/** Records whose own data have such names, as JSON text brings them. */
const records: fc.Arbitrary<readonly Trapped[]> = fc.array(fc.record({ key: trap, name: trap, inner: trap }), { maxLength: 14 }).map((all) =>
  all.map(({ key, name, inner }, n) => ({
    key,
    name,
    at: 7 * n,
    data: JSON.parse(`{${JSON.stringify(name)}:{${JSON.stringify(inner)}:${n}}}`) as unknown,
  })),
)

const states = (input: Stream<Trapped>) =>
  input.pipe(
    keyBy(({ key }) => key),
    processKeyed(
      'traps',
      {
        state: { value: valueState(json<unknown>()), list: listState(json<unknown>()), map: mapState(t.string, json<unknown>()) },
        emits: emits<object>(),
      },
      {
        onRecord({ key, name, data }, { state, emit }) {
          const before = state.value.value()
          state.value.update(data)
          state.list.add(data)
          state.map.put(name, data)
          emit({ key, before, names: [...state.map.keys()].sort(), size: state.list.size })
        },
      },
    ),
  )
const windows = (input: Stream<Trapped>) =>
  input.pipe(
    assignTimestamps({ timestamp: ({ at }: Trapped) => at, watermarks: monotonousTimestamps() }),
    keyBy(({ key }) => key),
    window('windows', { assigner: tumbling({ sizeMs: 20 }), reduce: (_: Trapped, last: Trapped) => last }),
  )
const twins = (input: Stream<Trapped>) =>
  input.pipe(
    keyBy(({ key }) => key),
    durable.scan('twin', (_: unknown, { data }: Trapped) => data, undefined as unknown),
  )

const shared = [Object.prototype, Array.prototype, Function.prototype, Map.prototype]
const before = shared.map((prototype) => Reflect.ownKeys(prototype).length)
afterEach(() => {
  expect(shared.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(before)
  expect(({} as { [name: string]: unknown })['0']).toBeUndefined()
})

describe('names that are traps are data', () => {
  for (const [name, define] of Object.entries({ states, windows, twins }))
    it(`in keys, values, lists and maps of ${name}`, async () => {
      await recoveryEquivalence(define, records).check({ runs: 20 })
    })
  const surfaces = { memory: memorySurface, 'a directory': directorySurface(), 'files that roll': directorySurface(undefined, rollingParts) }
  for (const [name, surface] of Object.entries(surfaces))
    it(`in what ${name} holds, as uids of sources and sinks too`, async () => {
      const law = jobLaw(
        {
          inputs: Object.fromEntries([['constructor', records]]),
          sinks: ['__proto__'],
          surface,
          powerCuts: name !== 'memory',
          build: ({ source, sink }) => states(source('constructor')).pipe(sink('__proto__')),
        },
        'traps',
        'names that are traps are data',
      )
      await law.check({ runs: 12 })
    })
})
