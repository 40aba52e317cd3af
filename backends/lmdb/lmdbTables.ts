import { LRUCache } from 'lru-cache'
import { PagedTables } from '../../lib/paged/pagedTables.js'
import type { StateRun } from '../../lib/ports/stateBackend.js'
import { LmdbSession } from './lmdbSession.js'

export interface LmdbTablesOptions {
  readonly file: string
  readonly cacheBytesMax: number
  readonly dirtyBytesMax: number
}

/** The tables of one run over the file that has its checkpoints. */
export const lmdbTables = ({ file, ...limits }: LmdbTablesOptions, run: StateRun): PagedTables =>
  new PagedTables(
    {
      ...limits,
      usedLast: (options) => new LRUCache(options),
      storeOf: (session) => (session instanceof LmdbSession && session.file === file ? session : undefined),
      details: { file },
    },
    run,
  )
