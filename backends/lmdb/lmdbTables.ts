import { LRUCache } from 'lru-cache'
import type { MemoryLimits } from '../../lib/paged/memoryLimits.js'
import { PagedTables } from '../../lib/paged/pagedTables.js'
import type { StateRun } from '../../lib/ports/stateBackend.js'
import { LmdbSession } from './lmdbSession.js'

export interface LmdbTablesOptions extends MemoryLimits {
  readonly file: string
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
