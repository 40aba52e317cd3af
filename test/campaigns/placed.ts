import type { CheckpointStorage, FileLayer, OpenFile, StateBackend, TransactionalSink } from 'rxweir'
import { directory, fileSink, jsonLinesSink } from 'rxweir/backends/directory'
import { nodeFiles } from '../../backends/directory/nodeFiles.js'
import { encryption } from '../support/sealingKeys.js'
import type { Orders } from './orders.js'
import type { Line, Output } from './workload.js'

export interface Placed {
  readonly storage: CheckpointStorage
  readonly state?: StateBackend | undefined
  readonly sinks: { readonly [O in Output]: TransactionalSink<Line> }
}

/** Backends and sinks of a place, as a program opens them. Only the drivers that it needs are loaded. */
export async function placed({ place, folder, database, lies = false }: Orders): Promise<Placed> {
  const files = lies ? lyingFiles : nodeFiles
  const state = `${folder}/state`
  const sinks = {
    chains: jsonLinesSink<Line>(`${folder}/chains`, { files }),
    // So small and so young that parts end all the time, with a checkpoint and between two.
    sums: fileSink<Line>(`${folder}/sums`, { files, rolling: { sizeMax: 4_096, ageMs: 20, inactivityMs: 20 } }),
  }
  switch (place) {
    case 'plain':
      return { storage: directory(state, { files }), sinks }
    case 'sealed':
      return { storage: directory(state, { files, encryption: encryption(1, 2), compression: 'zlib', compactAfterSegments: 2 }), sinks }
    case 'lmdb': {
      const { lmdb } = await import('rxweir/backends/lmdb')
      return { ...lmdb(state, { cacheBytesMax: 1024 * 1024 }), sinks }
    }
    case 'level':
    case 'levelRows': {
      const [{ level }, { ClassicLevel }] = await Promise.all([import('rxweir/backends/level'), import('classic-level')])
      const backend = level(new ClassicLevel(state))
      return { storage: backend, ...(place === 'levelRows' ? { state: backend.state } : {}), sinks }
    }
    case 'postgres': {
      if (database === undefined) throw new Error('which database?')
      const { postgresSink, postgresStorage } = await import('rxweir/backends/postgres')
      const { address, schema } = database
      const storage = postgresStorage({ connection: address, schema })
      const rows = (output: Output) => ({
        table: { schema, table: output },
        columns: ['line'],
        row: (line: Line) => ({ line: JSON.stringify(line) }),
      })
      // One sink in the transaction of the checkpoint, one behind a ledger of its own.
      return {
        storage,
        sinks: { chains: postgresSink({ storage, ...rows('chains') }), sums: postgresSink({ connection: address, schema, ...rows('sums') }) },
      }
    }
  }
}

/** The file system, but nothing is synced. */
const unsynced = (file: OpenFile): OpenFile => Object.assign(file, { sync: async () => undefined })
const lyingFiles: FileLayer = {
  ...nodeFiles,
  create: async (path) => unsynced(await nodeFiles.create(path)),
  open: async (path) => unsynced(await nodeFiles.open(path)),
  syncDirectory: async () => undefined,
}
