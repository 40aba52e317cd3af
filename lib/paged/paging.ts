/**
 * What a table of either shape does with rows that need not be in memory.
 *
 * **Invariants** A row is in memory, or in the store, or both. In memory are all rows that changed since the last durable checkpoint,
 * and what the cache has; so what is read from the store is never older than what is not in memory. A deletion that is not durable
 * yet hides what the store has. For each address at most one row object is current; one that was evicted knows it.
 */
import { invariant } from '../errors.js'
import type { Key } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { Row } from '../state/row.js'
import type { RowAddress, RowTableScope } from '../state/rowStore.js'
import type { DirtyLimit } from './dirtyLimit.js'
import { pagedRows } from './pagedRows.js'
import type { PagedStore, RowKey, StoreReader } from './pagedStore.js'
import { roughBytes } from './roughBytes.js'
import { type Evicting, type RowCache, rowBytes } from './rowCache.js'

/** What the tables of one run share. */
export interface Home {
  readonly cache: RowCache
  readonly dirty: DirtyLimit
}

/** What paging asks of its table. */
export interface PagedTable<S> {
  readonly name: string
  readonly scope: RowTableScope
  /** The interval between two captures that goes on now. */
  readonly interval: number
  textOf(address: RowAddress): string
  /** Takes a row out of memory, and nowhere else. */
  forget(row: Row<S>): void
  /** All rows that are in memory. */
  inMemory(): Iterable<Row<S>>
  /** The row of an address: the one that is in memory, or else one made of the cells; none where it was removed, or the state has none there. */
  rowOf(text: string, cells: Uint8Array): Row<S> | undefined
  /** The current row of an address. */
  locate(address: RowAddress): Row<S> | undefined
  /** What is there now where a row was found earlier. */
  current(row: Row<S>): Row<S> | undefined
  /** The cells of states that the program does not declare; always none where it declares all. */
  foreignIn(cells: Uint8Array): Uint8Array | undefined
  /** Whether there are states that the program does not declare. */
  readonly hasForeign: boolean
}

/** In the place of a row's slot: the table has another object in its place, or none. */
const evicted = -1
/** So many rows that became durable are looked at whenever one changes or is read. */
const settledAtOnce = 4

export class Paging<S> implements Evicting, StoreReader {
  private store: PagedStore | undefined
  /** The number of the table in the store, once it has one. */
  private number: number | undefined
  private changedBytes = 0
  private capturedBytes = 0
  private capturing = false
  private countCaptured = 0
  private restoringNow = false
  /** Rows that were deleted, by address, until the deletion is durable. */
  private readonly removed = new Map<string, Row<S>>()
  /** Rows that became durable and are not in the cache yet, from `settledTo` on. */
  private settling: readonly (Row<S> | undefined)[] = []
  private settledTo = 0
  private readonly key: RowKey = { table: 0, bytes: new Uint8Array(256), start: 0, end: 0 }

  constructor(
    private readonly table: PagedTable<S>,
    private readonly home: Home,
  ) {}

  /** From now on rows may be in the store only. Rows that are restored all the same are not there yet. */
  attach(store: PagedStore): void {
    this.store = store
  }

  get attached(): boolean {
    return this.store !== undefined
  }

  /** The name of the table in the store. */
  get name(): readonly [uid: string, table: string] {
    return [this.table.scope.uid, this.table.name]
  }

  get isRestoring(): boolean {
    return this.restoringNow && this.store !== undefined
  }

  restoring(work: () => void): void {
    this.restoringNow = true
    try {
      work()
    } finally {
      this.restoringNow = false
    }
  }

  /** How many rows there were at the barrier that is being written. */
  get rowsCaptured(): number | undefined {
    return this.capturing ? this.countCaptured : undefined
  }

  rows(): IterableIterator<Row<S>> {
    const { store } = this
    if (store === undefined) return this.table.inMemory()[Symbol.iterator]() as IterableIterator<Row<S>>
    this.settleAll()
    const number = this.knownToStore
    return pagedRows(
      {
        inMemory: () => this.table.inMemory(),
        current: (row) => this.table.current(row),
        isClean: (row) => this.isClean(row),
        textOf: (row) => this.table.textOf(row),
        removedTexts: () => this.removed.keys(),
        rowOf: (text, cells) => this.table.rowOf(text, cells),
      },
      number === undefined ? [] : store.all(number),
    )
  }

  /** What the store has under addresses that begin alike, but for what was removed since. */
  *beginningWith(prefix: string, key: Key): IterableIterator<{ readonly text: string; readonly cells: Uint8Array }> {
    const table = this.knownToStore
    if (this.store === undefined || table === undefined) return
    const { bytes, end } = this.keyOf(table, prefix, key)
    // A copy: other rows may be read while these are visited.
    for (const { key: stored, cells } of this.store.beginningWith({ table, bytes: bytes.slice(0, end), start: 0, end })) {
      const text = fromUtf8.decode(stored.subarray(2))
      if (text.startsWith(prefix) && !this.removed.has(text)) yield { text, cells }
    }
  }

  /** The rows of one key, given those in memory: behind them what the store has beside them. */
  *rowsOf(inMemory: Iterable<Row<S>>, prefix: string, key: Key): IterableIterator<Row<S>> {
    yield* inMemory
    for (const { text, cells } of this.beginningWith(prefix, key)) {
      const row = this.table.rowOf(text, cells)
      if (row !== undefined && this.isEvicted(row)) yield row
    }
  }

  private get knownToStore(): number | undefined {
    this.number ??= this.store?.knownNumber(...this.name)
    return this.number
  }

  /** Whether the row is in the store as it is in memory. */
  isClean({ dirtyIn }: Row<S>): boolean {
    const { interval } = this.table
    return dirtyIn < (this.capturing ? interval - 1 : interval)
  }

  isEvicted({ slot }: Row<S>): boolean {
    return slot === evicted
  }

  /** A row that nobody finds in memory: it stands for itself while it is worked on. */
  loose(row: Row<S>): Row<S> {
    row.slot = evicted
    return row
  }

  /** Whether what the store may have at an address was deleted since. Of a row that is in memory it says nothing. */
  isRemoved(text: string): boolean {
    return this.removed.has(text)
  }

  /** The cells that the store has of a row that is not in memory. Good until the next one is read. */
  cells(text: string, key: Key): Uint8Array | undefined {
    return this.removed.size > 0 && this.isRemoved(text) ? undefined : this.stored(text, key)
  }

  /** The cells of states that the program does not declare, for a row that is about to be encoded, whatever became of it since. */
  foreignOf(row: Row<S>, text: string): Uint8Array | undefined {
    if (!this.table.hasForeign) return undefined
    const stored = this.stored(text, row.key)
    return stored === undefined ? undefined : this.table.foreignIn(stored)
  }

  /** The cells that the store has. */
  private stored(text: string, key: Key): Uint8Array | undefined {
    const table = this.knownToStore
    if (this.store === undefined || table === undefined) return undefined
    return this.store.read(this.keyOf(table, text, key))
  }

  /** A row was read from the store. */
  loaded(row: Row<S>): void {
    this.settleSome()
    this.home.cache.add(row, this)
  }

  /** A row was found in memory. */
  found(row: Row<S>): Row<S> {
    if (row.dirtyIn !== this.table.interval) this.home.cache.use(row)
    return row
  }

  /** A row changes for the first time since the last capture. */
  touched(row: Row<S>): void {
    // Out of the cache first: what settles makes room there, and this row may be the one that was used longest ago.
    this.home.cache.remove(row)
    this.settleSome()
    this.count(rowBytes + roughBytes(row.value))
  }

  /** A row is about to get a value. Answers the row that is to have it; none where the one that somebody held is gone. */
  changing(row: Row<S>, value: S): Row<S> | undefined {
    const successor = this.successor(row)
    if (successor !== undefined && (typeof value === 'object' || typeof value === 'string'))
      this.count(roughBytes(value) - roughBytes(successor.value))
    return successor
  }

  /**
   * The row itself, or what has taken its place when it was evicted while somebody held it, read again where that is in the store
   * only. None where it was removed since: the one that was evicted does not know, and must not be taken for the row that there was.
   */
  successor(row: Row<S>): Row<S> | undefined {
    return this.isEvicted(row) ? this.table.locate(row) : row
  }

  /** A row that somebody held is gone, and its successor with it. One that came and went between two captures has left no trace. */
  gone(row: Row<S>, successor: Row<S> | undefined): void {
    row.live = false
    if (successor === undefined) return
    if (successor.bornIn === this.table.interval) this.count(-rowBytes - roughBytes(successor.value))
    else if (this.store !== undefined) this.removed.set(this.table.textOf(successor), successor)
  }

  captured(rows: number): void {
    invariant(!this.capturing, 'the capture before is durable or given back')
    this.capturing = true
    this.countCaptured = rows
    this.home.dirty.captured(this.changedBytes)
    this.capturedBytes = this.changedBytes
    this.changedBytes = 0
  }

  captureEnded(): void {
    this.capturing = false
    this.home.dirty.ended(this.capturedBytes)
    this.capturedBytes = 0
  }

  /** Rows are in the store as they were at the barrier. */
  durable(rows: readonly (Row<S> | undefined)[]): void {
    if (this.store === undefined) return
    this.settleAll()
    this.settling = rows
    this.settledTo = 0
  }

  evict(row: Row<never>): void {
    this.table.forget(row)
    row.slot = evicted
  }

  private count(bytes: number): void {
    this.changedBytes += bytes
    this.home.dirty.add(bytes)
  }

  private settleSome(): void {
    if (this.settledTo < this.settling.length) this.settle(settledAtOnce)
  }

  private settleAll(): void {
    this.settle(this.settling.length)
  }

  private settle(rows: number): void {
    const end = Math.min(this.settling.length, this.settledTo + rows)
    for (; this.settledTo < end; this.settledTo++) {
      const row = this.settling[this.settledTo]
      if (row !== undefined) this.settleRow(row)
    }
    if (this.settledTo < this.settling.length) return
    this.settling = []
    this.settledTo = 0
  }

  private settleRow(row: Row<S>): void {
    if (row.live) {
      if (!this.isClean(row)) return
      // The store has the row itself now, and no older one that has to be hidden.
      if (this.removed.size > 0) this.removed.delete(this.table.textOf(row))
      this.home.cache.add(row, this)
      return
    }
    if (this.removed.size === 0) return
    const text = this.table.textOf(row)
    const hiding = this.removed.get(text)
    if (hiding !== undefined && this.isClean(hiding)) this.removed.delete(text)
  }

  private keyOf(table: number, text: string, key: Key): RowKey {
    const own = this.key
    const bytesMax = 2 + 3 * text.length
    if (own.bytes.length < bytesMax) own.bytes = new Uint8Array(2 * bytesMax)
    const keyGroup = keyGroupOf(key, this.table.scope.maxParallelism)
    own.table = table
    own.bytes[0] = keyGroup >>> 8
    own.bytes[1] = keyGroup & 0xff
    own.end = 2 + utf8.encodeInto(text, own.bytes.subarray(2)).written
    return own
  }
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()
