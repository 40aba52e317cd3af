import { ConfigurationError } from '../../lib/errors.js'
import { defaultLimits } from '../../lib/limits.js'
import type { CheckpointSession, StoredCheckpoint, Unwanted } from '../../lib/ports/checkpointStorage.js'
import type { StateRun, StateTables } from '../../lib/ports/stateBackend.js'
import { EntryTable } from '../../lib/state/entryTable.js'
import type { RowTableOptions, RowTableScope } from '../../lib/state/rowStore.js'
import { type NamespacedOptions, RowTable } from '../../lib/state/rowTable.js'
import { DirtyLimit } from './dirtyLimit.js'
import { LmdbSession } from './lmdbSession.js'
import { PagedEntryTable } from './pagedEntryTable.js'
import type { PagedMember } from './pagedMember.js'
import { PagedRowTable } from './pagedRowTable.js'
import type { Home } from './paging.js'
import { RowCache } from './rowCache.js'

export interface PagedTablesOptions {
  readonly file: string
  readonly cacheBytesMax: number
  readonly dirtyBytesMax: number
}

/**
 * The tables of one run over the store of its checkpoints.
 *
 * Tables of which an operator holds rows stay on the heap: timers, windows, and what a time to live finds by itself.
 */
export class PagedTables implements StateTables {
  private readonly members: PagedMember[] = []
  private readonly home: Home
  private session: LmdbSession | undefined

  constructor(
    private readonly options: PagedTablesOptions,
    run: StateRun,
  ) {
    this.home = { cache: new RowCache(options.cacheBytesMax), dirty: new DirtyLimit(options.dirtyBytesMax, run) }
  }

  rows<S>(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope): RowTable<S> {
    if (!isPaged(options)) return new RowTable(options, scope)
    return this.member(new PagedRowTable(options, unlimited(scope), this.home))
  }

  entries<S>(options: RowTableOptions<S>, scope: RowTableScope): EntryTable<S> {
    if (!isPaged(options)) return new EntryTable(options, scope)
    return this.member(new PagedEntryTable(options, unlimited(scope), this.home))
  }

  goOnFrom(session: CheckpointSession, stored: StoredCheckpoint | undefined): Unwanted {
    const { file } = this.options
    if (!(session instanceof LmdbSession) || session.file !== file) throw new ConfigurationError('STATE_STORED_ELSEWHERE', { file })
    this.session = session
    session.use(this.members.map(({ paging }) => paging))
    const inPlace = stored !== undefined && session.isNewest(stored.checkpointId)
    const known = new Set<string>()
    for (const member of this.members) {
      const [uid, table] = member.paging.name
      if (inPlace && member.isRestored) {
        known.add(`${uid}/${table}`)
        member.setSize(session.rowsOf(uid, table))
      } else session.retire(uid, table)
      member.paging.attach(session)
    }
    return (uid, table) => known.has(`${uid}/${table}`)
  }

  close() {
    return async (): Promise<void> => {
      this.home.dirty.release()
      await this.session?.letGoOf()
    }
  }

  private member<T extends PagedMember>(table: T): T {
    this.members.push(table)
    return table
  }
}

/** Rows that have expired may be missing in a checkpoint although they are live: those have to stay in memory. */
const isPaged = ({ evictable, leftOut }: RowTableOptions<never> | RowTableOptions<unknown>): boolean =>
  evictable === true && leftOut?.ofSnapshots !== true

/** The limit on rows in memory, where nobody chose one, is none on rows that need not be there. */
const unlimited = (scope: RowTableScope): RowTableScope =>
  scope.rowsMax !== defaultLimits.rowsMax
    ? scope
    : Object.defineProperty(Object.create(scope) as RowTableScope, 'rowsMax', { value: Number.POSITIVE_INFINITY })
