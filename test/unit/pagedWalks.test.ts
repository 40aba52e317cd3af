import { option as O } from 'fp-ts'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import { checkpointId, operatorUid } from '../../lib/identity.js'
import type { StateTables } from '../../lib/ports/stateBackend.js'
import { openState, type StateDescriptor } from '../../lib/state/descriptor.js'
import type { EntryTable } from '../../lib/state/entryTable.js'
import { Expiry } from '../../lib/state/expiry.js'
import { heapTables } from '../../lib/state/heap.js'
import { KeyedScope } from '../../lib/state/keyedScope.js'
import { listState } from '../../lib/state/listState.js'
import { type MapState, mapState } from '../../lib/state/mapState.js'
import type { Row } from '../../lib/state/row.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowStore } from '../../lib/state/rowStore.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import type { StateHost } from '../../lib/state/stateHost.js'
import { checkedTtl } from '../../lib/state/ttl.js'
import { unwrap } from '../../lib/task.js'
import { type PagedPlace, pagedPlaces } from '../support/pagedPlaces.js'

const uid = operatorUid('operator')
const scope = { uid, rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }
const codec = stateCodec<string>(json<string>())

/** A run over a store, with a cache of very few rows. What it works on is made first. */
async function started<W>(makePlace: () => Promise<PagedPlace>, make: (tables: StateTables) => W) {
  const place = await makePlace()
  const { tables, session } = await place.open()
  const work = make(tables)
  const latest = await unwrap(session.latest())
  await unwrap(session.takeOver(latest))
  tables.goOnFrom(session, O.toUndefined(latest))
  let lastId = 0
  /** All rows of a table are durable, and may be evicted. */
  const settle = async <S>(table: RowStore<S>) => {
    const capture = table.capture()
    const frames = new RowFrames()
    while (capture.encode(frames, 10));
    const writer = session.begin(checkpointId(++lastId))
    if (frames.rows > 0) await unwrap(writer.write({ uid, table: table.name, rows: frames.rows, bytes: frames.take() }))
    await unwrap(writer.publish({ [table.name]: table.meta() }))
    capture.release()
  }
  const end = async () => {
    await session.close()()
    await tables.close()()
    await place.dispose()
  }
  return { ...work, settle, end }
}

/** Rows with a time to live of 100 ms, of which an access looks at one. */
const expiring = (namespaced: boolean) => (tables: StateTables) => {
  let nowMs = 0
  const now = (): number => nowMs
  const table: RowTable<string> = tables.rows({ table: 'table', state: 'state', codec, evictable: true, time: now, namespaced }, scope)
  const expiry = new Expiry<string>(checkedTtl({ afterMs: 100, cleanup: { rowsPerAccess: 1 } }), now, table, () => {})
  return {
    table,
    row: (n: number): Row<string> | undefined => (namespaced ? table.find('k', n) : table.get(`k${n}`)),
    create: (n: number): Row<string> => (namespaced ? table.create('k', n, `${n}`) : table.create(`k${n}`, undefined, `${n}`)),
    /** So many rows are looked at. */
    look(rows: number): void {
      for (let n = 0; n < rows; n++) expiry.lookFurther()
    },
    at(ms: number): void {
      nowMs = ms
    },
  }
}

/** A state of the key `k`, and the table that it stands in. */
function stateIn<H>(tables: StateTables, descriptor: StateDescriptor<H>, now = (): number => 0) {
  const keyed = new KeyedScope()
  keyed.enter('k', undefined)
  let table: EntryTable<never> | undefined
  const host: StateHost = {
    scope: keyed,
    uid,
    namespaced: false,
    rows: (options) => tables.rows(options, scope),
    entries(options) {
      const made = tables.entries(options, scope)
      table = made as EntryTable<never>
      return made
    },
    timesOf: (ttl) => ({ evictable: true, ...(ttl === undefined ? {} : { time: now }) }),
    expiry: (ttl, of) => new Expiry(ttl, now, of, () => {}),
  }
  const state = openState(descriptor, 'state', host) as H
  return { state, table: table as EntryTable<never>, enter: (key: string) => keyed.enter(key, undefined) }
}

/** What a visit shows of 30 entries, when others are put and removed at its first one. */
function visited(map: MapState<number, string>): (readonly [number, string])[] {
  const seen: (readonly [number, string])[] = []
  for (const [entry, value] of map) {
    seen.push([entry, value])
    if (entry !== 0) continue
    map.put(20, 'put')
    map.remove(21)
    map.remove(22)
    map.put(22, 'put again')
    map.put(99, 'new')
  }
  return seen
}

const filled = (map: MapState<number, string>): void => {
  for (let entry = 0; entry < 30; entry++) map.put(entry, 'old')
}

const ttl = { afterMs: 100, cleanup: 'onRead', refresh: 'onReadAndWrite' } as const

describe.each(Object.entries(pagedPlaces))('a walk over rows in %s', (_name, makePlace) => {
  describe.each([
    ['of keys', false],
    ['of namespaces', true],
  ])('%s', (_kind, namespaced) => {
    it('does not take a row that was refreshed for the one it met before that was evicted', async () => {
      const { table, row, create, look, at, settle, end } = await started(makePlace, expiring(namespaced))
      for (let n = 0; n < 20; n++) create(n)
      look(1)
      await settle(table)
      for (let n = 100; n < 120; n++) create(n)
      at(90)
      const found = row(5)
      expect(found?.touchedMs).toBe(0)
      if (found !== undefined) table.write(found, 'refreshed')
      at(120)
      look(20)
      expect(row(5)?.value).toBe('refreshed')
      expect(row(4) === undefined).toBe(true)
      await end()
    })

    it('does not remove once more what was removed after it had met it', async () => {
      const { table, row, create, look, at, settle, end } = await started(makePlace, expiring(namespaced))
      for (let n = 0; n < 20; n++) create(n)
      look(1)
      await settle(table)
      at(90)
      for (let n = 100; n < 120; n++) create(n)
      const found = row(5)
      if (found !== undefined) table.remove(found)
      expect(table.size).toBe(39)
      await settle(table)
      at(120)
      look(20)
      // All that are young, and the one at which it had looked before its time was over.
      expect([table.size, [...table.rows()].length]).toEqual([21, 21])
      await end()
    })

    it('changes nothing through a row that was evicted, and removed since', async () => {
      const { table, row, create, settle, end } = await started(makePlace, expiring(namespaced))
      const [held] = Array.from({ length: 20 }, (_, n) => create(n))
      await settle(table)
      for (let n = 100; n < 120; n++) create(n)
      const found = row(0)
      if (held === undefined || found === undefined) throw new Error('the row is there')
      expect(found === held).toBe(false)
      table.remove(found)
      table.write(held, 'written')
      expect([row(0) === undefined, table.size]).toEqual([true, 39])
      table.remove(held)
      expect(table.size).toBe(39)
      await settle(table)
      expect([row(0) === undefined, [...table.rows()].length]).toEqual([true, 39])
      await end()
    })
  })

  it('of a map sees what is put and removed on the way, as on the heap', async () => {
    const { state, table, enter, settle, end } = await started(makePlace, (tables) => stateIn(tables, mapState(t.number, t.string)))
    filled(state)
    await settle(table)
    enter('other')
    filled(state)
    enter('k')
    const onHeap = stateIn(heapTables, mapState(t.number, t.string)).state
    filled(onHeap)
    const seen = visited(state)
    expect(seen).toEqual(visited(onHeap))
    expect(seen).toEqual(
      Array.from({ length: 30 }, (_, n) => [n, n === 20 ? 'put' : n === 22 ? 'put again' : 'old']).filter(([entry]) => entry !== 21),
    )
    await end()
  })

  it('of a list that refreshes its elements leaves them in their order', async () => {
    const { state, table, enter, settle, end } = await started(makePlace, (tables) => stateIn(tables, listState(t.number, { ttl })))
    const elements = Array.from({ length: 30 }, (_, n) => n)
    state.addAll(elements)
    await settle(table)
    enter('other')
    state.addAll(elements)
    enter('k')
    expect([...state]).toEqual(elements)
    expect([...state]).toEqual(elements)
    await end()
  })
})
