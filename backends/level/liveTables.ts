import { either as E } from 'fp-ts'
import { LRUCache } from 'lru-cache'
import { ConfigurationError } from '../../lib/errors.js'
import type { JobName } from '../../lib/identity.js'
import type { MemoryLimits } from '../../lib/paged/memoryLimits.js'
import type { PagedStore } from '../../lib/paged/pagedStore.js'
import { PagedTables } from '../../lib/paged/pagedTables.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import { keepsRowsAsTheyAre } from '../../lib/sealing/sealedSession.js'

/** Brings the tables of a run together with the session that has its checkpoints: which tables need an index is known when it takes over. */
export class LiveTables {
  /** Of runs that have not opened their storage yet. */
  private readonly waiting = new Map<JobName, PagedTables>()
  private readonly stores = new WeakMap<CheckpointSession, PagedStore>()

  constructor(private readonly options: MemoryLimits & { readonly sublevel: string }) {}

  readonly state: StateBackend = {
    manifest: { name: 'level', largerThanMemory: true },
    open: (job, run) => async () => {
      const { sublevel, ...limits } = this.options
      const tables = new PagedTables(
        {
          ...limits,
          usedLast: (options) => new LRUCache(options),
          storeOf: (session) => {
            // An earlier run may have compressed them.
            if (keepsRowsAsTheyAre(session)) return this.stores.get(session)
            throw new ConfigurationError('STATE_NOT_SYNCHRONOUS', { sublevel, reason: 'rows that are sealed or compressed are not opened at once' })
          },
          details: { sublevel: `${sublevel}/${job}` },
        },
        run,
      )
      this.waiting.set(job, tables)
      return E.right(tables)
    },
  }

  /** Which tables of the run that opens its storage read from it. */
  tablesOf(job: JobName): (uid: string, table: string) => boolean {
    const tables = this.waiting.get(job)
    this.waiting.delete(job)
    return (uid, table) => tables?.has(uid, table) === true
  }

  opened(session: CheckpointSession, store: PagedStore): CheckpointSession {
    this.stores.set(session, store)
    return session
  }
}
