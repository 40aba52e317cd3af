import type { Json } from '../json.js'
import { decodeKey, encodeKey, type Key } from '../key.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { Row } from '../state/row.js'
import type { RowAddress, RowCapture, RowTableOptions, RowTableScope } from '../state/rowStore.js'
import { type NamespacedOptions, RowTable } from '../state/rowTable.js'
import type { PagedMember } from './pagedMember.js'
import { type Home, Paging } from './paging.js'

/** A table of which those rows are in memory that have changed, and those that were used last. */
export class PagedRowTable<S> extends RowTable<S> implements PagedMember {
  readonly paging: Paging<S>
  isRestored = false
  private readonly hasNamespaces: boolean

  constructor(options: RowTableOptions<S> & NamespacedOptions, scope: RowTableScope, home: Home) {
    super(options, scope)
    this.hasNamespaces = options.namespaced === true
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
        forget: (row) => this.take(row),
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

  override get(key: Key): Row<S> | undefined {
    const row = super.get(key)
    return row === undefined ? this.load({ key, namespace: undefined, entry: undefined }) : this.paging.found(row)
  }

  override find(key: Key, namespace: Key): Row<S> | undefined {
    const row = super.find(key, namespace)
    return row === undefined ? this.load({ key, namespace, entry: undefined }) : this.paging.found(row)
  }

  override *rowsOf(key: Key): IterableIterator<Row<S>> {
    if (this.hasNamespaces) return yield* this.paging.rowsOf([...super.rowsOf(key)], `[${encodeKey(key)},`, key)
    const row = this.get(key)
    if (row !== undefined) yield row
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

  private load(address: RowAddress): Row<S> | undefined {
    if (!this.paging.attached) return undefined
    const cells = this.paging.cells(this.addressText(address), address.key)
    const own = cells === undefined ? undefined : this.stored(cells).own
    if (own === undefined) return undefined
    const row = super.insert(address, own.value)
    row.touchedMs = own.touchedMs
    this.paging.loaded(row)
    return row
  }

  /** The row of an address for a walk over all: the one in memory, or one that stands for itself. */
  private rowOf(text: string, cells: Uint8Array): Row<S> | undefined {
    const address = this.addressOf(decodeKey(text))
    const { key, namespace } = address
    const row = namespace === undefined ? super.get(key) : super.find(key, namespace)
    if (row !== undefined) return row
    if (this.paging.isRemoved(text)) return undefined
    const { own } = this.stored(cells)
    if (own === undefined) return undefined
    const loose = new Row(key, namespace, own.value)
    loose.touchedMs = own.touchedMs
    return this.paging.loose(loose)
  }
}
