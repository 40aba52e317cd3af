/**
 * Keyed state on the heap, captured in O(1).
 *
 * **Invariants** A row that changed since the last capture stands once in `dirty`. A capture takes that list and leaves an empty
 * one. The first change to a row whose older capture is not encoded yet saves the old value into that capture, so what is
 * encoded is the state at the barrier, whatever happens meanwhile. At most one capture is open at a time. Of all row objects
 * that a key ever had at most one is live, and in a list of changes it stands behind the dead ones.
 *
 * **Fault model** A capture that could not be made durable is given back: its rows are dirty again and join the next capture.
 */
import type { StateCodec } from '../codec.js'
import { BackendError, CheckpointError, invariant, RestoreError, RxweirError, StreamError } from '../errors.js'
import type { Json } from '../json.js'
import { decodeKey, encodeKey, type Key, mapKey } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import { readCells } from './cells.js'
import { freezeDeep } from './freeze.js'
import { dead, none, Row } from './row.js'
import { type RowFrames, readRows } from './rowFrames.js'

export interface RowTableOptions<S> {
  /** Names the table within its operator. */
  readonly table: string
  /** Names the state that the rows hold. */
  readonly state: string
  readonly codec: StateCodec<S>
  /** Rows have a namespace beside their key: a window. */
  readonly namespaced?: boolean
}

/** What the shell of an operator knows and its author need not say. */
export interface RowTableScope {
  readonly uid: string
  readonly rowsMax: number
  readonly maxParallelism: number
  /** Changes are tracked, because captures will come. */
  readonly tracked: boolean
  readonly development: boolean
}

/** The changes of one table at one barrier. */
export interface RowCapture {
  readonly table: string
  readonly rows: number
  /** Encodes up to `rowsMax` more rows; false when none are left. */
  encode(frames: RowFrames, rowsMax: number): boolean
  /** The changes are durable. */
  release(): void
  /** The changes are not durable: they join the next capture. */
  giveBack(): void
}

/** In development, so many changed rows are encoded at the barrier already and compared later. */
const comparedRowsMax = 1_000

export class RowTable<S> {
  readonly name: string
  private readonly heads = new Map<string | number | bigint | boolean | null, Row<S>>()
  private dirty: Row<S>[] = []
  private interval = 1
  private open: Capture<S> | undefined
  private count = 0
  /** Names of states by their number; the numbers are part of what is stored. */
  private states: string[]
  private number = 0
  /** Cells of states that the program does not declare, by row key. */
  readonly foreign: Map<string, Uint8Array> = new Map()

  constructor(
    readonly options: RowTableOptions<S>,
    readonly scope: RowTableScope,
  ) {
    this.name = options.table
    this.states = [options.state]
  }

  /** How many rows there are. */
  get size(): number {
    return this.count
  }

  /** The row of a key; of a namespaced table, the first of its rows. */
  get(key: Key): Row<S> | undefined {
    return this.heads.get(mapKey(key))
  }

  /** The row of a key and a namespace. */
  find(key: Key, namespace: Key): Row<S> | undefined {
    let row = this.heads.get(mapKey(key))
    while (row !== undefined && row.namespace !== namespace) row = row.next
    return row
  }

  /** Adds a row. There must be none for the key and namespace. */
  create(key: Key, namespace: Key | undefined, value: S): Row<S> {
    if (this.count >= this.scope.rowsMax) throw new StreamError('STATE_FULL', { uid: this.scope.uid, rowsMax: this.scope.rowsMax })
    const row = this.insert(key, namespace, value)
    if (this.scope.development) freezeDeep(value)
    if (this.scope.tracked) this.touch(row)
    return row
  }

  /** Changes the value of a live row. */
  write(row: Row<S>, value: S): void {
    if (this.scope.development) freezeDeep(value)
    if (row.dirtyIn !== this.interval && this.scope.tracked) this.touch(row)
    row.value = value
  }

  /** Deletes a live row. */
  remove(row: Row<S>): void {
    invariant(row.live, 'a row that is removed is live')
    if (row.dirtyIn !== this.interval && this.scope.tracked) this.touch(row)
    this.take(row)
  }

  /** Visits all rows. The one visited may be removed meanwhile. */
  *rows(): IterableIterator<Row<S>> {
    for (const head of this.heads.values()) {
      let row: Row<S> | undefined = head
      while (row !== undefined) {
        const following: Row<S> | undefined = row.next
        yield row
        row = following
      }
    }
  }

  /** Fixes the changes since the last capture. Takes no longer for many changes than for one. */
  capture(): RowCapture {
    invariant(this.open === undefined, 'the capture before was released or given back')
    const capture = new Capture(this, this.interval, this.dirty)
    this.open = capture
    this.dirty = []
    this.interval += 1
    return capture
  }

  /** What has to be stored beside the rows, so that they can be read. */
  meta(): Json {
    return { states: this.states }
  }

  restoreMeta(stored: Json): void {
    const states = (stored as { states?: unknown }).states
    if (!Array.isArray(states) || !states.every((name) => typeof name === 'string'))
      throw new BackendError('SNAPSHOT_CORRUPT', { uid: this.scope.uid, table: this.name, reason: 'the names of its states are missing' })
    this.states = [...(states as string[])]
    this.number = this.states.indexOf(this.options.state)
    if (this.number < 0) this.number = this.states.push(this.options.state) - 1
  }

  /** Takes rows over from a checkpoint: later ones over earlier ones. */
  restore(chunk: RowChunk): void {
    readRows(chunk.bytes, (keyBytes, value) => {
      const keyText = text(keyBytes.subarray(2))
      const { key, namespace } = this.addressOf(keyText)
      const found = this.locate(key, namespace)
      if (value === undefined) {
        this.foreign.delete(keyText)
        if (found !== undefined) this.take(found)
        return
      }
      let own = false
      let unknown: number[] | undefined
      readCells(value, (state, version, cellText, cell) => {
        if (state !== this.number) {
          unknown = [...(unknown ?? []), ...cell]
          return
        }
        own = true
        const decoded = this.decode(text(cellText), version)
        if (found === undefined) this.insert(key, namespace, decoded)
        else found.value = decoded
      })
      if (unknown === undefined) this.foreign.delete(keyText)
      else this.foreign.set(keyText, Uint8Array.from(unknown))
      if (!own && found !== undefined) this.take(found)
    })
  }

  /** @internal Encodes one row as it was at a barrier. */
  encodeRow(row: Row<S>, value: S | typeof dead, frames: RowFrames): void {
    const keyText = encodeKey(this.options.namespaced === true ? [row.key, row.namespace ?? null] : row.key)
    const keyGroup = keyGroupOf(row.key, this.scope.maxParallelism)
    const foreign = this.foreign.size === 0 ? undefined : this.foreign.get(keyText)
    if (value !== dead) frames.addCell(keyGroup, keyText, this.number, this.options.codec.version, this.encode(value), foreign)
    else if (foreign !== undefined) frames.addCell(keyGroup, keyText, this.number, 0, undefined, foreign)
    else frames.addDeletion(keyGroup, keyText)
  }

  /** @internal */
  encode(value: S): string {
    return this.options.codec.toText(value)
  }

  /** @internal The open capture has ended. */
  captureEnded(undone: readonly Row<S>[]): void {
    this.open = undefined
    for (const row of undone) {
      row.saved = none
      const superseded = !row.live && this.locate(row.key, row.namespace) !== undefined
      if (row.dirtyIn !== this.interval && !superseded) this.touch(row)
    }
  }

  private touch(row: Row<S>): void {
    this.open?.save(row)
    row.dirtyIn = this.interval
    row.slot = this.dirty.length
    this.dirty.push(row)
  }

  private locate(key: Key, namespace: Key | undefined): Row<S> | undefined {
    return namespace === undefined ? this.get(key) : this.find(key, namespace)
  }

  private insert(key: Key, namespace: Key | undefined, value: S): Row<S> {
    const row = new Row(key, namespace, value)
    const at = mapKey(key)
    if (namespace !== undefined) row.next = this.heads.get(at)
    this.heads.set(at, row)
    this.count += 1
    return row
  }

  private take(row: Row<S>): void {
    const at = mapKey(row.key)
    const head = this.heads.get(at)
    if (head === row) {
      if (row.next === undefined) this.heads.delete(at)
      else this.heads.set(at, row.next)
    } else {
      let before = head
      while (before !== undefined && before.next !== row) before = before.next
      invariant(before !== undefined, 'a live row is among the rows of its key')
      before.next = row.next
    }
    row.live = false
    this.count -= 1
  }

  private addressOf(keyText: string): { readonly key: Key; readonly namespace: Key | undefined } {
    const decoded = decodeKey(keyText)
    if (this.options.namespaced !== true) return { key: decoded, namespace: undefined }
    if (!Array.isArray(decoded) || decoded.length !== 2)
      throw new BackendError('SNAPSHOT_CORRUPT', { uid: this.scope.uid, table: this.name, reason: 'a row has no namespace' })
    return { key: decoded[0] as Key, namespace: decoded[1] as Key }
  }

  private decode(stored: string, version: number): S {
    try {
      const value = this.options.codec.fromText(stored, version)
      if (this.scope.development) freezeDeep(value)
      return value
    } catch (cause) {
      if (cause instanceof RxweirError && cause.details.uid !== undefined) throw cause
      const code = cause instanceof RestoreError ? cause.code : 'CODEC_MISMATCH'
      throw new RestoreError(
        code,
        { uid: this.scope.uid, state: this.options.state, ...(cause instanceof RxweirError ? cause.details : {}) },
        { cause },
      )
    }
  }
}

/** One barrier's changes, until they are durable. */
class Capture<S> implements RowCapture {
  readonly table: string
  readonly rows: number
  private position = 0
  private readonly compared: Map<Row<S>, string> | undefined

  constructor(
    private readonly owner: RowTable<S>,
    private readonly interval: number,
    private readonly changed: readonly Row<S>[],
  ) {
    this.table = owner.name
    this.rows = changed.length
    if (owner.scope.development) this.compared = this.encodeSome()
  }

  /** Called before a row changes: keeps the value of the barrier, if that is not encoded yet. */
  save(row: Row<S>): void {
    if (row.dirtyIn === this.interval && row.slot >= this.position) row.saved = row.live ? row.value : dead
  }

  encode(frames: RowFrames, rowsMax: number): boolean {
    const end = Math.min(this.changed.length, this.position + rowsMax)
    for (; this.position < end; this.position++) {
      const row = this.changed[this.position] as Row<S>
      const { saved } = row
      const value = saved !== none ? saved : row.live ? row.value : dead
      row.saved = none
      this.compare(row, value)
      this.owner.encodeRow(row, value, frames)
    }
    return this.position < this.changed.length
  }

  release(): void {
    this.owner.captureEnded([])
  }

  giveBack(): void {
    this.owner.captureEnded(this.changed)
  }

  /** Values that freezing cannot protect (a Map, a Date, bytes) are compared with what they were at the barrier. */
  private encodeSome(): Map<Row<S>, string> {
    const texts = new Map<Row<S>, string>()
    for (const row of this.changed) {
      if (texts.size >= comparedRowsMax) break
      if (row.live && typeof row.value === 'object' && row.value !== null) texts.set(row, this.owner.encode(row.value))
    }
    return texts
  }

  private compare(row: Row<S>, value: S | typeof dead): void {
    const before = this.compared?.get(row)
    if (before !== undefined && (value === dead || this.owner.encode(value) !== before))
      throw new CheckpointError('STATE_MUTATED', { uid: this.owner.scope.uid, state: this.owner.options.state })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const text = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a stored text is not UTF-8' }, { cause })
  }
}
