import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { json, stateCodec } from '../../lib/codec.js'
import { checkpointId, operatorUid } from '../../lib/identity.js'
import type { StateTables } from '../../lib/ports/stateBackend.js'
import type { EntryTable } from '../../lib/state/entryTable.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowStore, RowTableOptions } from '../../lib/state/rowStore.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import { unwrap } from '../../lib/task.js'
import { type PagedPlace, pagedPlaces } from '../support/pagedPlaces.js'

const uid = operatorUid('operator')
const scope = { uid, rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }
const codec = stateCodec<string>(json<string>())

interface Names {
  readonly table?: string
  readonly state?: string
}

/** One process over the store, with one table of rows: it does some work, and takes a checkpoint. */
const process = (
  place: PagedPlace,
  { namespaced = false, ...names }: Names & { readonly namespaced?: boolean },
  work: (table: RowTable<string>) => void,
) => processWith((tables, options) => tables.rows({ ...options, namespaced }, scope), place, names, work)

/** The same with a table of entries. */
const processEntries = (place: PagedPlace, names: Names, work: (table: EntryTable<string>) => void) =>
  processWith((tables, options) => tables.entries(options, scope), place, names, work)

async function processWith<T extends RowStore<string>>(
  make: (tables: StateTables, options: RowTableOptions<string>) => T,
  place: PagedPlace,
  { table: name = 'table', state = 'state' }: Names,
  work: (table: T) => void,
): Promise<void> {
  const { tables, session } = await place.open()
  const table = make(tables, { table: name, state, codec, evictable: true })
  const latest = O.toUndefined(await unwrap(session.latest()))
  await unwrap(session.takeOver(latest === undefined ? O.none : O.some(latest)))
  const meta = latest?.body as { readonly [table: string]: never } | undefined
  if (meta?.[name] !== undefined) table.restoreMeta(meta[name])
  tables.goOnFrom(session, latest)
  work(table)
  const capture = table.capture()
  const frames = new RowFrames()
  while (capture.encode(frames, 10));
  const writer = session.begin(checkpointId((latest?.checkpointId ?? 0) + 1))
  if (frames.rows > 0) await unwrap(writer.write({ uid, table: name, rows: frames.rows, bytes: frames.take() }))
  await unwrap(writer.publish({ [name]: table.meta() }))
  capture.release()
  await session.close()()
  await tables.close()()
}

describe.each(Object.entries(pagedPlaces))('rows in %s', (_name, makePlace) => {
  it('keep the cells of a state that the program does not declare', async () => {
    const place = await makePlace()
    await process(place, { state: 'old' }, (table) => {
      table.create('a', undefined, 'old a')
      table.create('b', undefined, 'old b')
    })
    await process(place, { state: 'new' }, (table) => {
      expect(table.get('a')).toBeUndefined()
      table.create('a', undefined, 'new a')
    })
    await process(place, { state: 'new' }, (table) => {
      const row = table.get('a')
      expect(row?.value).toBe('new a')
      if (row !== undefined) table.remove(row)
    })
    await process(place, { state: 'old' }, (table) => {
      expect([table.get('a')?.value, table.get('b')?.value]).toEqual(['old a', 'old b'])
    })
  })

  it('keep the cells of an entry whose state the program does not declare', async () => {
    const place = await makePlace()
    await processEntries(place, { state: 'old' }, (table) => {
      table.create('a', undefined, 1, 'old 1')
      table.create('a', undefined, 2, 'old 2')
    })
    await processEntries(place, { state: 'new' }, (table) => {
      expect(table.get('a', undefined, 1)).toBeUndefined()
      table.create('a', undefined, 1, 'new 1')
    })
    await processEntries(place, { state: 'new' }, (table) => {
      expect(Array.from(table.entries('a', undefined), ({ value }) => value)).toEqual(['new 1'])
      for (const row of table.entries('a', undefined)) table.remove(row)
    })
    await processEntries(place, { state: 'old' }, (table) => {
      expect(Array.from(table.entries('a', undefined), ({ value }) => value)).toEqual(['old 1', 'old 2'])
    })
  })

  it('of several namespaces are found by key and namespace, and by key', async () => {
    const place = await makePlace()
    await process(place, { namespaced: true }, (table) => {
      for (const key of ['a', 'ab', '']) for (const namespace of [1, 2, 10]) table.create(key, namespace, `${key} ${namespace}`)
    })
    await process(place, { namespaced: true }, (table) => {
      expect(table.find('a', 10)?.value).toBe('a 10')
      expect(table.find('a', 3)).toBeUndefined()
      expect(Array.from(table.rowsOf('a'), ({ value }) => value).sort()).toEqual(['a 1', 'a 10', 'a 2'])
      expect([...table.rows()]).toHaveLength(9)
      expect(table.size).toBe(9)
    })
  })

  it('of a table that a checkpoint did not know any more are not found by a later one of its name', async () => {
    const place = await makePlace()
    await process(place, { table: 'one' }, (table) => void table.create('a', undefined, 'first'))
    await process(place, { table: 'two' }, (table) => void table.create('a', undefined, 'second'))
    await process(place, { table: 'one' }, (table) => {
      expect(table.get('a')).toBeUndefined()
      expect([...table.rows()]).toEqual([])
      table.create('a', undefined, 'third')
    })
    await process(place, { table: 'one' }, (table) => {
      expect([...table.rows()].map(({ value }) => value)).toEqual(['third'])
    })
    const { session } = await place.open()
    const tables: string[] = []
    await unwrap(O.toUndefined(await unwrap(session.latest()))?.readRows(({ table, rows }) => tables.push(`${table} ${rows}`)) as never)
    expect(tables.sort()).toEqual(['one 1', 'two 1'])
    await session.close()()
  })
})
