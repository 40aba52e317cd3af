import type { Json } from '../json.js'
import { decodeKey, encodeKey, type Key, mapKey } from '../key.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { type Entries, EntryTable } from '../state/entryTable.js'
import { Row } from '../state/row.js'
import type { RowAddress, RowCapture, RowTableOptions, RowTableScope } from '../state/rowStore.js'
import type { PagedMember } from './pagedMember.js'
import { type Home, Paging } from './paging.js'

/**
 * A table of entries of which those are in memory that have changed, and those that were used last.
 *
 * One entry is read by itself. All of a key are read together, and are known to be all until one of them is evicted.
 */
export class PagedEntryTable<S> extends EntryTable<S> implements PagedMember {
  readonly paging: Paging<S>
  isRestored = false
  /** Keys and namespaces of which every entry is in memory. */
  private readonly complete = new WeakSet<Entries<S>>()

  constructor(options: RowTableOptions<S>, scope: RowTableScope, home: Home) {
    super(options, scope)
    const interval = (): number => this.interval
    const hasForeign = (): boolean => this.states.length > 1
    this.paging = new Paging(
      {
        name: options.table,
        scope,
        get interval() {
          return interval()
        },
        textOf: (address) => this.addressText(address),
        forget: (row) => this.forgetEntry(row),
        inMemory: () => super.rows(),
        rowOf: (text, cells) => this.rowOf(text, cells),
        locate: (address) => this.locate(address),
        current: (row) => this.current(row),
        foreignIn: (cells) => this.stored(cells).foreign,
        get hasForeign() {
          return hasForeign()
        },
      },
      home,
    )
  }

  override get(key: Key, namespace: Key | undefined, entry: Key): Row<S> | undefined {
    const row = super.get(key, namespace, entry)
    return row === undefined ? this.load({ key, namespace, entry }) : this.paging.found(row)
  }

  override *entries(key: Key, namespace: Key | undefined): IterableIterator<Row<S>> {
    const loaded = this.completed(key, namespace)
    const entries = [...super.entries(key, namespace)]
    if (loaded.length === 0) for (const row of entries) this.paging.found(row)
    this.admit(loaded)
    yield* entries
  }

  override sizeOf(key: Key, namespace: Key | undefined): number {
    const loaded = this.completed(key, namespace)
    const size = super.sizeOf(key, namespace)
    this.admit(loaded)
    return size
  }

  override nextNumber(key: Key, namespace: Key | undefined): number {
    const loaded = this.completed(key, namespace)
    const number = super.nextNumber(key, namespace)
    this.admit(loaded)
    return number
  }

  /** What is read from the store is checked there and then. */
  override checkEntries(): void {
    if (!this.paging.attached) super.checkEntries()
  }

  /** What is read from the store is put in order there and then. */
  override order(): void {
    if (!this.paging.attached) super.order()
  }

  override *rowsOf(key: Key): IterableIterator<Row<S>> {
    const rows = [...this.paging.rowsOf([...super.rowsOf(key)], `[${encodeKey(key)},`, key)]
    yield* rows.sort((a, b) => numberOf(a) - numberOf(b))
  }

  override rows(): IterableIterator<Row<S>> {
    return this.paging.rows()
  }

  override current(row: Row<S>): Row<S> | undefined {
    const successor = this.paging.successor(row)
    return successor === undefined ? undefined : super.current(successor)
  }

  override write(row: Row<S>, value: S): void {
    const changed = this.paging.changing(row, value)
    if (changed !== undefined) super.write(changed, value)
  }

  override remove(row: Row<S>): void {
    const successor = this.paging.successor(row)
    if (successor !== undefined) super.remove(successor)
    this.paging.gone(row, successor)
  }

  override capture(): RowCapture {
    const capture = super.capture()
    this.paging.captured(this.count)
    return capture
  }

  override captureEnded(undone: readonly (Row<S> | undefined)[], durable: readonly (Row<S> | undefined)[] = []): void {
    super.captureEnded(undone, durable)
    this.paging.captureEnded()
    this.paging.durable(durable)
  }

  override restoreMeta(stored: Json): void {
    super.restoreMeta(stored)
    this.isRestored = true
  }

  override restore(chunk: RowChunk): void {
    this.paging.restoring(() => super.restore(chunk))
  }

  protected override foreignCells(row: Row<S>, keyText: string): Uint8Array | undefined {
    return this.paging.foreignOf(row, keyText) ?? super.foreignCells(row, keyText)
  }

  setSize(rows: number): void {
    this.count = rows
  }

  protected override touch(row: Row<S>): void {
    super.touch(row)
    this.paging.touched(row)
  }

  protected override insert(address: RowAddress, value: S): Row<S> {
    const row = super.insert(address, value)
    if (this.paging.isRestoring) this.touch(row)
    return row
  }

  private forgetEntry(row: Row<S>): void {
    const entries = this.entriesOf(mapKey(row.key), row.namespace)
    if (entries !== undefined) this.complete.delete(entries)
    this.take(row)
  }

  private load(address: RowAddress): Row<S> | undefined {
    if (!this.paging.attached || this.isComplete(address)) return undefined
    const cells = this.paging.cells(this.addressText(address), address.key)
    if (cells === undefined) return undefined
    const row = this.read(address, cells)
    if (row !== undefined) this.paging.loaded(row)
    return row
  }

  private read(address: RowAddress, cells: Uint8Array): Row<S> | undefined {
    const { own } = this.stored(cells)
    if (own === undefined) return undefined
    this.options.checkEntry?.(address.entry as Key)
    const row = super.insert(address, own.value)
    row.touchedMs = own.touchedMs
    return row
  }

  private isComplete({ key, namespace }: Pick<RowAddress, 'key' | 'namespace'>): boolean {
    const entries = this.entriesOf(mapKey(key), namespace)
    return entries !== undefined && this.complete.has(entries)
  }

  /** Reads what is not in memory of a key and namespace. Answers it: it may be evicted only when whoever asked has seen all. */
  private completed(key: Key, namespace: Key | undefined): readonly Row<S>[] {
    if (!this.paging.attached || this.isComplete({ key, namespace })) return []
    const prefix = `${encodeKey([key, namespace === undefined ? [] : [namespace]]).slice(0, -1)},`
    const loaded: Row<S>[] = []
    for (const { text, cells } of this.paging.beginningWith(prefix, key)) {
      const entry = decodeKey(text.slice(prefix.length, -1))
      if (super.get(key, namespace, entry) !== undefined) continue
      const row = this.read({ key, namespace, entry }, cells)
      if (row !== undefined) loaded.push(row)
    }
    const entries = this.entriesOf(mapKey(key), namespace)
    if (entries === undefined) return loaded
    this.complete.add(entries)
    // Also where nothing was missing: some may have come back one by one, behind those that had stayed.
    inOrder(entries)
    return loaded
  }

  private admit(loaded: readonly Row<S>[]): void {
    for (const row of loaded) this.paging.loaded(row)
  }

  /** The row of an address for a walk over all: the one in memory, or one that stands for itself. */
  private rowOf(text: string, cells: Uint8Array): Row<S> | undefined {
    const { key, namespace, entry } = this.addressOf(decodeKey(text))
    const row = super.get(key, namespace, entry as Key)
    if (row !== undefined) return row
    if (this.paging.isRemoved(text)) return undefined
    const { own } = this.stored(cells)
    if (own === undefined) return undefined
    const loose = new Row(key, namespace, own.value, entry)
    loose.touchedMs = own.touchedMs
    return this.paging.loose(loose)
  }
}

/** The store has the entries of a key in the order of their texts; elements of a list are numbered. */
function inOrder<S>(entries: Entries<S>): void {
  if (entries.many === undefined) return
  entries.many = new Map([...entries.many].sort(([, a], [, b]) => numberOf(a) - numberOf(b)))
}

const numberOf = ({ entry }: Row<never> | Row<unknown>): number => (typeof entry === 'number' ? entry : -1)
