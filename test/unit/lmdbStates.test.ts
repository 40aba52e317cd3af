import { option as O } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { lmdbIn } from '../../backends/lmdb/lmdb.js'
import { lmdbTables } from '../../backends/lmdb/lmdbTables.js'
import { json, stateCodec } from '../../lib/codec.js'
import { checkpointId, jobName, operatorUid } from '../../lib/identity.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowTable } from '../../lib/state/rowTable.js'
import { unwrap } from '../../lib/task.js'
import { temporaryDirectory } from '../support/temporary.js'

const job = jobName('states')
const uid = operatorUid('operator')
const scope = { uid, rowsMax: 1_000, maxParallelism: 128, tracked: true, development: true }
const codec = stateCodec<string>(json<string>())

/** One process over the store, with one table: it does some work, and takes a checkpoint. */
async function process(
  path: string,
  options: { readonly table?: string; readonly state?: string; readonly namespaced?: boolean },
  work: (table: RowTable<string>) => void,
): Promise<void> {
  const { table: name = 'table', state = 'state', namespaced = false } = options
  const session = await unwrap(lmdbIn(new Map(), path).storage.open(job))
  const latest = O.toUndefined(await unwrap(session.latest()))
  await unwrap(session.takeOver(latest === undefined ? O.none : O.some(latest)))
  const tables = lmdbTables(
    { file: `${path}/${job}/store.mdb`, cacheBytesMax: 500, dirtyBytesMax: Number.POSITIVE_INFINITY },
    { askCheckpoint() {}, pause: () => () => {} },
  )
  const table = tables.rows({ table: name, state, codec, namespaced, evictable: true }, scope)
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

describe('rows in a store', () => {
  it('keep the cells of a state that the program does not declare', async () => {
    const path = await temporaryDirectory()
    await process(path, { state: 'old' }, (table) => {
      table.create('a', undefined, 'old a')
      table.create('b', undefined, 'old b')
    })
    await process(path, { state: 'new' }, (table) => {
      expect(table.get('a')).toBeUndefined()
      table.create('a', undefined, 'new a')
    })
    await process(path, { state: 'new' }, (table) => {
      const row = table.get('a')
      expect(row?.value).toBe('new a')
      if (row !== undefined) table.remove(row)
    })
    await process(path, { state: 'old' }, (table) => {
      expect([table.get('a')?.value, table.get('b')?.value]).toEqual(['old a', 'old b'])
    })
  })

  it('of several namespaces are found by key and namespace, and by key', async () => {
    const path = await temporaryDirectory()
    await process(path, { namespaced: true }, (table) => {
      for (const key of ['a', 'ab', '']) for (const namespace of [1, 2, 10]) table.create(key, namespace, `${key} ${namespace}`)
    })
    await process(path, { namespaced: true }, (table) => {
      expect(table.find('a', 10)?.value).toBe('a 10')
      expect(table.find('a', 3)).toBeUndefined()
      expect(Array.from(table.rowsOf('a'), ({ value }) => value).sort()).toEqual(['a 1', 'a 10', 'a 2'])
      expect([...table.rows()]).toHaveLength(9)
      expect(table.size).toBe(9)
    })
  })

  it('of a table that a checkpoint did not know any more are not found by a later one of its name', async () => {
    const path = await temporaryDirectory()
    await process(path, { table: 'one' }, (table) => void table.create('a', undefined, 'first'))
    await process(path, { table: 'two' }, (table) => void table.create('a', undefined, 'second'))
    await process(path, { table: 'one' }, (table) => {
      expect(table.get('a')).toBeUndefined()
      expect([...table.rows()]).toEqual([])
      table.create('a', undefined, 'third')
    })
    await process(path, { table: 'one' }, (table) => {
      expect([...table.rows()].map(({ value }) => value)).toEqual(['third'])
    })
    const session = await unwrap(lmdbIn(new Map(), path).storage.open(job))
    const tables: string[] = []
    await unwrap(O.toUndefined(await unwrap(session.latest()))?.readRows(({ table }) => tables.push(table)) as never)
    expect(tables).toEqual(['two', 'one'])
    await session.close()()
  })
})
