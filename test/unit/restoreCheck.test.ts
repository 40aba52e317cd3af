import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { memory } from '../../backends/memory/memoryStorage.js'
import { type Codec, codec } from '../../lib/codec.js'
import { listState, valueState } from '../../lib/index.js'
import type { StateDescriptors } from '../../lib/state/descriptor.js'
import { keyBy } from '../../operators/keyBy.js'
import { processKeyed } from '../../operators/processKeyed.js'
import { failed, ran, settled, testJob, watched } from '../support/jobs.js'

interface Total {
  readonly sum: number
  readonly count: number
}

/** Sums alone, as the first release stored them. */
const sums: Codec<number> = codec({ encode: (sum) => sum, decode: (stored) => (t.number.is(stored) ? stored : Number.NaN) })
/** Sums and counts: a field was added. */
const totals: Codec<Total> = codec({
  version: 2,
  encode: (total) => total,
  decode: (stored) => stored as Total,
  migrations: { 1: (sum) => ({ sum, count: 0 }) },
})

/** Adds numbers up, in states of any shape. */
function adding(
  state: StateDescriptors,
  { storage = memory(), uid = 'add', restore = {} }: { storage?: ReturnType<typeof memory>; uid?: string; restore?: object } = {},
) {
  const input = memorySource([1, 2, 3])
  return testJob(
    ({ source, sink }) =>
      source('numbers', input).pipe(
        keyBy((n) => n % 2),
        processKeyed(
          uid,
          { state },
          {
            onRecord(n: number, { state }) {
              const { total, last } = state as { total?: { update(value: unknown): void }; last?: { add(value: unknown): void } }
              total?.update(n)
              last?.add(n)
            },
          },
        ),
        sink('out', memorySink<never>()),
      ),
    { storage, restore },
  ).job
}

async function stored(): Promise<ReturnType<typeof memory>> {
  const storage = memory()
  await ran(adding({ total: valueState(sums), last: listState(t.number) }, { storage }))
  return storage
}

describe('a look before a start', () => {
  test('finds nothing on a first start', async () => {
    expect(await adding({ total: valueState(sums) }).check()).toEqual({ checkpointId: undefined, fits: true, error: undefined, states: [] })
  })

  test('finds what is read as it was written', async () => {
    const storage = await stored()
    const check = await adding({ total: valueState(sums), last: listState(t.number) }, { storage }).check()
    expect(check).toMatchObject({ fits: true, checkpointId: 1 })
    expect(check.states).toMatchObject([
      { uid: 'add', state: 'total', outcome: 'asIs', rows: 2, storedVersions: [1], version: 1 },
      { uid: 'add', state: 'last', outcome: 'asIs', rows: 3, storedVersions: [1], version: 1 },
    ])
  })

  test('tells what would be migrated, what is not declared, and what cannot be read', async () => {
    const storage = await stored()
    expect((await adding({ total: valueState(totals) }, { storage }).check()).states).toMatchObject([
      { state: 'total', outcome: 'afterMigration', storedVersions: [1], version: 2 },
      { state: 'last', outcome: 'incompatible', version: undefined, error: { code: 'STATE_KIND_CHANGED' } },
    ])
    const changed = await adding({ total: valueState(t.string), last: listState(t.number) }, { storage }).check()
    expect(changed).toMatchObject({ fits: false, error: undefined })
    expect(changed.states).toMatchObject([
      { state: 'total', outcome: 'incompatible', error: { code: 'CODEC_MISMATCH' } },
      { state: 'last', outcome: 'asIs' },
    ])
  })

  test('tells an operator that is gone, and what is left out where that is asked for', async () => {
    const storage = await stored()
    const state = { total: valueState(sums), last: listState(t.number) }
    expect(await adding(state, { storage, uid: 'sum' }).check()).toMatchObject({ fits: false, error: { code: 'STATE_UNCLAIMED' } })
    const check = await adding(state, { storage, uid: 'sum', restore: { allowNonRestoredState: true } }).check()
    expect(check).toMatchObject({
      fits: true,
      states: [
        { uid: 'add', outcome: 'leftOut' },
        { uid: 'add', outcome: 'leftOut' },
      ],
    })
    expect((await adding(state, { storage, uid: 'sum', restore: { renamed: { add: 'sum' } } }).check()).states).toMatchObject([
      { uid: 'sum', outcome: 'asIs' },
      { uid: 'sum', outcome: 'asIs' },
    ])
  })

  test('a state that is not declared any more is left out where that is allowed, and does not come back', async () => {
    const storage = await stored()
    const fewer = { total: valueState(sums) }
    const restore = { allowNonRestoredState: true }
    expect(await failed(adding(fewer, { storage }))).toMatchObject({ code: 'STATE_KIND_CHANGED' })
    const check = await adding(fewer, { storage, restore }).check()
    expect(check).toMatchObject({
      fits: true,
      states: [
        { state: 'total', outcome: 'asIs' },
        { state: 'last', outcome: 'leftOut', rows: 3 },
      ],
    })
    await ran(adding(fewer, { storage, restore }))
    const again = await adding({ total: valueState(sums), last: listState(t.number) }, { storage }).check()
    expect(again).toMatchObject({ fits: true, states: [{ state: 'total', rows: 2 }] })
    expect(again.states).toHaveLength(1)
  })

  test('changes nothing: a run goes on beside it, and after it', async () => {
    const storage = memory()
    const state = { total: valueState(sums) }
    const run = watched(adding(state, { storage }))
    await settled()
    expect(await adding({ total: valueState(t.string) }, { storage }).check()).toMatchObject({ error: undefined })
    await run.done
    await ran(adding(state, { storage }))
  })
})
