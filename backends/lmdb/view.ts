import type { Transaction } from 'lmdb'
import { BackendError } from '../../lib/errors.js'
import { operatorUid } from '../../lib/identity.js'
import type { RowKey, StoredRow } from '../../lib/paged/pagedStore.js'
import type { RowChunk, Unwanted } from '../../lib/ports/checkpointStorage.js'
import type { Bound } from '../../lib/sealing/boundBytes.js'
import { RowFrames } from '../../lib/state/rowFrames.js'
import type { Environment, Tree } from './environment.js'
import { boundOf, decodeManifest, type Manifest } from './manifestRecord.js'
import { storedRow } from './rowBlock.js'
import { tableStart } from './rowKey.js'
import type { RowSealing } from './rowSealing.js'

/** Rows that are read in one go. */
const pageRows = 1_024
const chunkBytes = 256 * 1024

/**
 * The store as it was at one moment: a read transaction, which keeps every page that it can see.
 *
 * It counts who uses it, and lets the pages go with the last of them.
 */
export class View {
  readonly manifest: Manifest | undefined
  private readonly transaction: Transaction
  private readonly tree: Tree
  private users = 1

  constructor(
    private readonly environment: Environment,
    private readonly sealing: RowSealing,
  ) {
    const { transaction, manifest } = environment.read()
    this.transaction = transaction
    try {
      this.manifest = manifest === undefined ? undefined : decodeManifest(manifest, environment.file, sealing)
    } catch (error) {
      transaction.done()
      throw error
    }
    this.tree = environment.trees[this.manifest?.tree ?? 0]
  }

  /** The number of its manifest; 0 where there is none. */
  get seq(): number {
    return this.manifest?.seq ?? 0
  }

  use(): this {
    this.users += 1
    return this
  }

  letGo(): void {
    this.users -= 1
    if (this.users === 0) this.transaction.done()
  }

  /** The cells of a row; good until the next row is read. */
  read(key: RowKey): Uint8Array | undefined {
    this.requireHeld()
    const found = this.tree.getBinaryFast(key, { transaction: this.transaction })
    if (found === undefined) return undefined
    return this.opened(key.table, storedRow(key.bytes.subarray(key.start, key.end), Uint8Array.prototype.subarray.call(found, 0, this.tree.lastSize)))
      .cells
  }

  /** Up to `limit` rows, from one on (or behind it) and before another, in the order of their places. */
  page(start: RowKey, end: RowKey, limit: number, exclusiveStart = false): readonly (StoredRow & { readonly at: RowKey })[] {
    this.requireHeld()
    const { asArray } = this.tree.getRange({ start, end, limit, exclusiveStart, transaction: this.transaction })
    return asArray.map(({ key: at, value }) => ({ at, ...this.opened(at.table, storedRow(at.bytes, value)) }))
  }

  /** The same without the rows: just where they are. */
  places(start: RowKey, end: RowKey, limit: number): readonly RowKey[] {
    this.requireHeld()
    return this.tree.getRange({ start, end, limit, exclusiveStart: false, transaction: this.transaction }).asArray.map(({ key }) => key)
  }

  /** Hands over the rows of all tables, but those that are not wanted, table by table. */
  async readRows(visit: (chunk: RowChunk) => unknown, isUnwanted: Unwanted, breathe: () => Promise<void>): Promise<void> {
    for (const [index, [uid, table]] of (this.manifest?.tables ?? []).entries()) {
      if (uid === '' || isUnwanted(uid, table)) continue
      for (const { rows, bytes } of this.chunksOf(index + 1)) {
        await visit({ uid: operatorUid(uid), table, rows, bytes })
        await breathe()
      }
    }
  }

  /** How many rows a table has. */
  count(number: number): number {
    this.requireHeld()
    return this.tree.getKeysCount({ start: tableStart(number), end: tableStart(number + 1), transaction: this.transaction })
  }

  private *chunksOf(number: number): IterableIterator<{ readonly rows: number; readonly bytes: Uint8Array }> {
    const frames = new RowFrames(4 * 1024)
    const end = tableStart(number + 1)
    let from = tableStart(number)
    for (let more = true, first = true; more; first = false) {
      const page = this.page(from, end, pageRows, !first)
      for (const { at, key, cells } of page) {
        frames.add(key, cells)
        from = at
      }
      more = page.length === pageRows
      if (frames.byteLength >= chunkBytes || (!more && frames.rows > 0)) yield { rows: frames.rows, bytes: frames.take() }
    }
  }

  private opened(table: number, { key, cells }: StoredRow): StoredRow {
    const bound = (): Bound => boundOf(this.manifest, table, key)
    return { key, cells: this.sealing.opened(cells, bound, 'a row of the store') }
  }

  private requireHeld(): void {
    if (this.users === 0)
      throw new BackendError('BACKEND_NOT_OPEN', { file: this.environment.file, reason: 'the checkpoint is not kept any more: hold(...) keeps one' })
  }
}
