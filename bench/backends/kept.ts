import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { JobOptions } from 'rxweir'
import { directory } from 'rxweir/backends/directory'
import { level } from 'rxweir/backends/level'
import { lmdb } from 'rxweir/backends/lmdb'
import { memory } from 'rxweir/backends/memory'
import { postgresStorage } from 'rxweir/backends/postgres'
import { dropSchema } from './postgresServer.js'

/** What is measured. In `lmdb` and `level rows` live rows are in the store, too, and not on the heap. */
export const backends = ['memory', 'directory', 'level', 'postgres', 'lmdb', 'level rows'] as const
export type BackendName = (typeof backends)[number]

export interface Kept {
  readonly options: JobOptions
  close(): Promise<void>
}

/** A place for the state of a job, and on the server a schema, if one is used: both are removed behind `use`. */
export async function withFolder<A>(connection: string, use: (folder: string) => Promise<A>): Promise<A> {
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    if (connection !== '') await dropSchema(connection, schemaOf(folder))
  }
}

const nothingToClose = async (): Promise<void> => {}

/** Opens a backend; what it kept before is still there, but in memory. */
export async function open(backend: BackendName, folder: string, connection: string): Promise<Kept> {
  switch (backend) {
    case 'memory':
      return { options: { storage: memory() }, close: nothingToClose }
    case 'directory':
      return { options: { storage: directory(folder) }, close: nothingToClose }
    case 'lmdb':
      return { options: { ...lmdb(folder) }, close: nothingToClose }
    case 'postgres':
      return { options: { storage: postgresStorage({ connection, schema: schemaOf(folder) }) }, close: nothingToClose }
    case 'level':
    case 'level rows': {
      const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
      await database.open()
      const { state, storage } = level(database)
      return { options: backend === 'level' ? { storage } : { state, storage }, close: () => database.close() }
    }
  }
}

/** A schema of its own for each measurement. */
export const schemaOf = (folder: string): string => `bench_${folder.replace(/^.*-/, '').toLowerCase()}`
