import type { Json } from '../../lib/json.js'
import { decodeKey, encodeKey, type Key } from '../../lib/key.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import { Row } from '../../lib/state/row.js'
import type { RowFrames } from '../../lib/state/rowFrames.js'
import type { RowAddress, RowCapture, RowTableOptions, RowTableScope } from '../../lib/state/rowStore.js'
import { type NamespacedOptions, RowTable } from '../../lib/state/rowTable.js'
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

  override write(row: Row<S>, value: S): void {
    const current = this.current(row)
    this.paging.changes(current, value)
    super.write(current, value)
  }

  override remove(row: Row<S>): void {
    const current = this.current(row)
    const leavesNoTrace = current.bornIn === this.interval
    super.remove(current)
    row.live = false
    this.paging.gone(current, leavesNoTrace)
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

  override encodeRow(row: Row<S>, value: S, touchedMs: number, frames: RowFrames): void {
    const text = this.states.length > 1 ? this.addressText(row) : undefined
    const cells = text === undefined ? undefined : this.paging.stored(text, row.key)
    const foreign = cells === undefined ? undefined : this.stored(cells).foreign
    if (text !== undefined && foreign !== undefined) this.foreign.set(text, foreign)
    super.encodeRow(row, value, touchedMs, frames)
    if (text !== undefined && foreign !== undefined) this.foreign.delete(text)
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

  /** A row that was evicted while somebody held it: what is there now is what counts. */
  private current(row: Row<S>): Row<S> {
    return this.paging.isEvicted(row) ? (this.locate(row) ?? row) : row
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
