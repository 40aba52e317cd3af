import type { Key } from '../key.js'
import type { EntryTable } from './entryTable.js'
import type { Expiry } from './expiry.js'
import type { KeyedScope } from './keyedScope.js'
import type { RowStore, RowTableOptions } from './rowStore.js'
import type { NamespacedOptions, RowTable } from './rowTable.js'
import type { CheckedTtl } from './ttl.js'

/** What an operator gives the handles of its states. */
export interface StateHost {
  readonly scope: KeyedScope
  /** Names the operator, for messages. */
  readonly uid: string
  /** State belongs to windows, too. */
  readonly namespaced: boolean
  rows<S>(options: RowTableOptions<S> & NamespacedOptions): RowTable<S>
  entries<S>(options: RowTableOptions<S>): EntryTable<S>
  /** The time by which a state expires, what checkpoints leave out of it, and whether its rows are found without being held. */
  timesOf(ttl: CheckedTtl | undefined): Pick<RowTableOptions<never>, 'time' | 'leftOut' | 'evictable'>
  expiry<S>(ttl: CheckedTtl, table: RowStore<S>): Expiry<S>
}

/** What the core needs of every handle beside what its user sees. */
export interface KeptState {
  /** Every key that has this state, in the current namespace. */
  keysWithState(): IterableIterator<Key>
  /** Joins what several namespaces of the current key hold into one: windows were merged. */
  mergeInto?(target: Key, sources: readonly Key[]): void
  /** Restored; called before the first record. */
  restored?(): void
}
