import type { CheckpointId } from '../identity.js'

/** Where a row stands in a store: the number of its table, and its key as the frames of the core have it. */
export interface RowKey {
  table: number
  bytes: Uint8Array
  /** The part of `bytes` that is the key. */
  start: number
  end: number
}

/** A row as it is in the store: the key in the frames of the core, and its cells. */
export interface StoredRow {
  readonly key: Uint8Array
  readonly cells: Uint8Array
}

/** A table that reads from the store. */
export interface StoreReader {
  readonly name: readonly [uid: string, table: string]
  /** How many rows it had at the barrier of the checkpoint that is being written. */
  readonly rowsCaptured: number | undefined
}

/**
 * The rows of the newest checkpoint that a session has published or taken over, read synchronously.
 *
 * **Invariants** A row that no checkpoint changes meanwhile is read as it is, also while one is being published. What one changes may be read as
 * it was or as it will be: tables have such rows in memory. Nothing that another writer publishes is taken for a row of this session
 * without the next publish failing.
 */
export interface PagedStore {
  /** Whether the rows of a checkpoint are those that are in place. */
  isNewest(id: CheckpointId): boolean
  /** The number of a table; none where the store has no rows of it. It keeps its number as long as the session is open. */
  knownNumber(uid: string, table: string): number | undefined
  /** How many rows a table has. */
  rowsOf(uid: string, table: string): number
  /** Nobody has the rows of that name any more: such a table begins anew. */
  retire(uid: string, table: string): void
  /** These tables read from now on: the store stays open until they have let go, too. */
  use(readers: readonly StoreReader[]): void
  letGoOf(): Promise<void>
  /** The cells of a row. They are good until the next row is read. */
  read(key: RowKey): Uint8Array | undefined
  /** Rows whose keys begin alike, in the order of their keys, and maybe others. Each is good until the next one is asked for. */
  beginningWith(prefix: RowKey): Iterable<StoredRow>
  /** All rows of a table. Checkpoints may be published meanwhile: rows that come with them may be visited, and none is twice. */
  all(table: number): Iterable<StoredRow>
}
