/**
 * What the drivers do when nothing else is done: the rows that the keyed mean changes between two checkpoints, as keys and values of the
 * same size, made durable in one step. This is the limit of a backend that stands on them.
 */
import { open as openFile } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { open as openLmdb } from 'lmdb'
import pg from 'pg'
import { accesses } from './accesses.js'
import { schemaOf, withFolder } from './kept.js'
import type { BackendRequest } from './measureBackend.js'

export interface RawMeasurement {
  /** Records per second, as many as the pipeline had to the same writes. */
  readonly come: number
  readonly again: number
}

/** Keys and values of one step. */
type Rows = readonly (readonly [string, string])[]

interface RawStore {
  write(rows: Rows): Promise<void>
  close(): Promise<void>
}

async function rawFile(folder: string): Promise<RawStore> {
  const file = await openFile(`${folder}/rows`, 'a')
  return {
    async write(rows) {
      const bytes = Buffer.from(rows.map(([key, value]) => `${key}\t${value}\n`).join(''))
      await file.appendFile(bytes)
      await file.datasync()
    },
    close: () => file.close(),
  }
}

async function rawLmdb(folder: string): Promise<RawStore> {
  const store = openLmdb<string, string>({ path: `${folder}/store`, encoding: 'string', compression: false, mapSize: 2 ** 40 })
  return {
    async write(rows) {
      store.transactionSync(() => {
        for (const [key, value] of rows) store.putSync(key, value)
      })
      await store.flushed
    },
    close: () => store.close(),
  }
}

async function rawLevel(folder: string): Promise<RawStore> {
  const database = new ClassicLevel(folder)
  await database.open()
  return {
    write: (rows) =>
      database.batch(
        rows.map(([key, value]) => ({ type: 'put', key, value })),
        { sync: true },
      ),
    close: () => database.close(),
  }
}

async function rawPostgres(folder: string, connection: string): Promise<RawStore> {
  const client = new pg.Client(connection)
  await client.connect()
  const schema = schemaOf(folder)
  await client.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.raw (key bytea PRIMARY KEY, value bytea NOT NULL)`)
  return {
    async write(rows) {
      await client.query(
        `INSERT INTO ${schema}.raw SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        [rows.map(([key]) => Buffer.from(key)), rows.map(([, value]) => Buffer.from(value))],
      )
    },
    close: () => client.end(),
  }
}

const rawStores: { readonly [backend: string]: (folder: string, connection: string) => Promise<RawStore> } = {
  directory: rawFile,
  lmdb: rawLmdb,
  level: rawLevel,
  'level rows': rawLevel,
  postgres: rawPostgres,
}

/** Which backends have a driver to be compared with. */
export const hasRaw = (backend: string): boolean => backend in rawStores

export const measureRaw = ({ backend, keys, again, access, recordsPerCheckpoint, connection }: BackendRequest): Promise<RawMeasurement> =>
  withFolder(connection, async (folder) => {
    const opening = rawStores[backend]
    if (opening === undefined) throw new RangeError(`${backend} has no driver of its own`)
    const store = await opening(folder, connection)
    const all = accesses(keys, again, access)
    const writing = async (from: number, to: number): Promise<number> => {
      let spentMs = 0
      for (let at = from; at < to; at += recordsPerCheckpoint) {
        const changed = new Set(all.subarray(at, Math.min(to, at + recordsPerCheckpoint)))
        const rows = Array.from(changed, (key) => [`key-${key}`, JSON.stringify({ sum: key * 3 + at, count: 3 })] as const)
        const startMs = performance.now()
        await store.write(rows)
        spentMs += performance.now() - startMs
      }
      return Math.round(((to - from) * 1_000) / spentMs)
    }
    const come = await writing(0, keys)
    const cameAgain = await writing(keys, keys + again)
    await store.close()
    return { come, again: cameAgain }
  })
