import { ConfigurationError, type ErrorDetails } from '../errors.js'
import { defaultLimits } from '../limits.js'
import type { CheckpointSession, StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'
import type { StateRun, StateTables } from '../ports/stateBackend.js'
import { EntryTable } from '../state/entryTable.js'
import type { RowTableOptions, RowTableScope } from '../state/rowStore.js'
import { type NamespacedOptions, RowTable } from '../state/rowTable.js'
import { DirtyLimit } from './dirtyLimit.js'
import type { MemoryLimits } from './memoryLimits.js'
import { PagedEntryTable } from './pagedEntryTable.js'
import type { PagedMember } from './pagedMember.js'
import { PagedRowTable } from './pagedRowTable.js'
import type { PagedStore } from './pagedStore.js'
import type { Home } from './paging.js'
import { type MakeUsedLast, RowCache } from './rowCache.js'

export interface PagedTablesOptions extends MemoryLimits {
  readonly usedLast: MakeUsedLast
  /** The store behind a session, where it is the one of these tables. */
  storeOf(session: CheckpointSession): PagedStore | undefined
  /** Which store that is. */
  readonly details: ErrorDetails
}

/**
 * The tables of one run over the store of its checkpoints.
 *
 * Tables of which an operator holds rows stay on the heap: timers, windows, and what a time to live finds by itself.
 */
export class PagedTables implements StateTables {
  private readonly members: PagedMember[] = []
  private readonly home: Home
  private store: PagedStore | undefined

  constructor(
    private readonly options: PagedTablesOptions,
    run: StateRun,
  ) {
    this.home = { cache: new RowCache(options.cacheBytesMax, options.usedLast), dirty: new DirtyLimit(options.dirtyBytesMax, run) }
  }

  rows<S>(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope): RowTable<S> {
    if (!isPaged(options)) return new RowTable(options, scope)
    return this.member(new PagedRowTable(options, unlimited(scope), this.home))
  }

  entries<S>(options: RowTableOptions<S>, scope: RowTableScope): EntryTable<S> {
    if (!isPaged(options)) return new EntryTable(options, scope)
    return this.member(new PagedEntryTable(options, unlimited(scope), this.home))
  }

  /** Whether a table reads from the store. */
  has(uid: string, table: string): boolean {
    return this.members.some(({ paging: { name } }) => name[0] === uid && name[1] === table)
  }

  goOnFrom(session: CheckpointSession, stored: StoredCheckpoint | undefined): Unwanted {
    const store = this.options.storeOf(session)
    if (store === undefined) throw new ConfigurationError('STATE_STORED_ELSEWHERE', this.options.details)
    this.store = store
    store.use(this.members.map(({ paging }) => paging))
    const inPlace = stored !== undefined && store.isNewest(stored.checkpointId)
    const known = new Set<string>()
    for (const member of this.members) {
      const [uid, table] = member.paging.name
      if (inPlace && member.isRestored) {
        known.add(`${uid}/${table}`)
        member.setSize(store.rowsOf(uid, table))
      } else store.retire(uid, table)
      member.paging.attach(store)
    }
    return (uid, table) => known.has(`${uid}/${table}`)
  }

  checkpointAborted(): void {
    this.home.dirty.aborted()
  }

  close() {
    return async (): Promise<void> => {
      this.home.dirty.release()
      await this.store?.letGoOf()
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
