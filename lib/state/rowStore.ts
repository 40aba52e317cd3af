/**
 * Rows on the heap, captured in O(1): what every table of keyed state has in common.
 *
 * **Invariants** A row that changed since the last capture stands once in `dirty`. A capture takes that list and leaves an empty
 * one. The first change to a row whose older capture is not encoded yet saves the old value into that capture, so what is
 * encoded is the state at the barrier, whatever happens meanwhile. Of all row objects that a key ever had at most one is live, and
 * in a list of changes it stands behind the dead ones. A row that came and went between two captures is in none of them: no
 * checkpoint has anything at its address that a change before it does not tell of. Several captures may be open: each is the
 * difference to the one before it, and whoever gives one back gives back all that were taken later, too.
 *
 * **Fault model** A capture that could not be made durable is given back: its rows are dirty again and join the next capture.
 */
import type { StateCodec } from '../codec.js'
import { BackendError, CheckpointError, invariant, RestoreError, RxweirError, StreamError } from '../errors.js'
import type { Json } from '../json.js'
import { decodeKey, type Key } from '../key.js'
import { keyGroupOf } from '../keyGroup.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import type { Redistribution } from '../restore/redistribution.js'
import { onlyStamp, readCells } from './cells.js'
import { freezeDeep } from './freeze.js'
import { dead, none, type Row } from './row.js'
import { type RowFrames, readRows } from './rowFrames.js'

export interface RowTableOptions<S> {
  /** Names the table within its operator. */
  readonly table: string
  /** Names the state that the rows hold. */
  readonly state: string
  readonly codec: StateCodec<S>
  /** Throws for the name of an entry that does not fit. */
  readonly checkEntry?: ((entry: Key) => void) | undefined
  /** The time by which rows expire; none where they stay. A row is stamped with it when it is written. */
  readonly time?: (() => number) | undefined
  /** What becomes of the rows in another number of instances; by their keys, unless told. */
  readonly redistribution?: Redistribution | undefined
  /** What has expired is left out of checkpoints. Without it, it is in there as long as it is in the table. */
  readonly leftOut?: LeftOut | undefined
  /**
   * Nobody holds a row longer than it is worked on, so that a backend may keep rows elsewhere, and read one again when it is asked
   * for. Default no: what is due at a time (timers, windows) is found through its row.
   */
  readonly evictable?: boolean | undefined
}

/** When rows have expired, for checkpoints that leave them out. */
export interface LeftOut {
  /** A row has expired when so much time has passed since it was stamped. */
  readonly afterMs: number
  /** What time it is at a barrier, by what a restored job goes on from. */
  readonly nowMs: () => number
  /** Rows that have expired at a barrier are not written. */
  readonly ofSnapshots: boolean
  /** The storage may leave out, of what it has, the rows that have expired at a barrier. */
  readonly ofMerges: boolean
}

/** Where a row stands. */
export interface RowAddress {
  readonly key: Key
  readonly namespace: Key | undefined
  readonly entry: Key | undefined
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
  /** Whether a stored row had expired at the barrier, told by its cells; none where that is of no interest. */
  readonly expired?: ((cells: Uint8Array) => boolean) | undefined
  /** Encodes up to `rowsMax` more rows; false when none are left. */
  encode(frames: RowFrames, rowsMax: number): boolean
  /** The changes are durable. */
  release(): void
  /** The changes are not durable: they join the next capture. */
  giveBack(): void
}

/** In development, so many changed rows are encoded at the barrier already and compared later. */
const comparedRowsMax = 1_000
/** So many empty places in a list of changes are always tolerated. */
const spareGaps = 64

export abstract class RowStore<S> {
  readonly name: string
  /** With a gap for each row that came and went again. */
  private dirty: (Row<S> | undefined)[] = []
  private gaps = 0
  protected interval = 1
  /** The newest capture that is neither durable nor given back; behind it those before it. */
  private open: Capture<S> | undefined
  protected count = 0
  /** Names of states by their number; the numbers are part of what is stored. */
  protected states: string[]
  protected number = 0
  /** Cells of states that the program does not declare, by row key. */
  protected readonly foreign: Map<string, Uint8Array> = new Map()

  protected constructor(
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

  /** Visits all rows. The one visited may be removed meanwhile. */
  abstract rows(): IterableIterator<Row<S>>

  /** Visits the rows of one key. */
  abstract rowsOf(key: Key): IterableIterator<Row<S>>

  protected abstract addressOf(decoded: Key): RowAddress
  protected abstract addressText(address: RowAddress): string
  protected abstract locate(address: RowAddress): Row<S> | undefined
  protected abstract insert(address: RowAddress, value: S): Row<S>
  protected abstract take(row: Row<S>): void

  /** What is there now where a row was found earlier: since then it may have been removed, and maybe put again. */
  current(row: Row<S>): Row<S> | undefined {
    return row.live ? row : this.locate(row)
  }

  /** Changes the value of a live row. */
  write(row: Row<S>, value: S): void {
    if (this.scope.development) freezeDeep(value)
    if (row.dirtyIn !== this.interval && this.scope.tracked) this.touch(row)
    row.value = value
    if (this.options.time !== undefined) row.touchedMs = this.options.time()
  }

  /** Stamps a live row anew. */
  refresh(row: Row<S>): void {
    this.write(row, row.value)
  }

  /** Deletes a live row. */
  remove(row: Row<S>): void {
    invariant(row.live, 'a row that is removed is live')
    if (row.bornIn === this.interval) this.leaveOut(row)
    else if (row.dirtyIn !== this.interval && this.scope.tracked) this.touch(row)
    this.take(row)
    row.live = false
    this.count -= 1
  }

  /** Fixes the changes since the last capture. Takes no longer for many changes than for one. */
  capture(): RowCapture {
    const capture = new Capture(this, this.interval, this.dirty, this.dirty.length - this.gaps)
    capture.before = this.open
    this.open = capture
    this.dirty = []
    this.gaps = 0
    this.interval += 1
    return capture
  }

  /** @internal The rule by which stored rows had expired at this moment. Rows that hold other cells, too, are kept. */
  expiredCells(beforeMs: number): (cells: Uint8Array) => boolean {
    const { number } = this
    return (cells) => {
      const touchedMs = onlyStamp(cells, number)
      return touchedMs !== undefined && touchedMs <= beforeMs
    }
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
      const address = this.addressOf(decodeKey(keyText))
      const found = this.locate(address)
      if (value === undefined) {
        this.foreign.delete(keyText)
        if (found !== undefined) this.forget(found)
        return
      }
      const { own, foreign } = this.stored(value)
      if (own !== undefined) {
        let row = found
        if (row === undefined) {
          row = this.insert(address, own.value)
          this.count += 1
        } else row.value = own.value
        row.touchedMs = own.touchedMs
      }
      if (foreign === undefined) this.foreign.delete(keyText)
      else this.foreign.set(keyText, foreign)
      if (own === undefined && found !== undefined) this.forget(found)
    })
  }

  /** Whose a stored row is. */
  storedAddress(keyBytes: Uint8Array): RowAddress {
    return this.addressOf(decodeKey(text(keyBytes.subarray(2))))
  }

  /** What a stored row holds; undefined where it has only cells of states that the program does not declare. */
  storedValue(cells: Uint8Array): { readonly value: S } | undefined {
    return this.stored(cells).own
  }

  /** What this state has in the cells of a stored row, and the cells of states that the program does not declare. */
  protected stored(cells: Uint8Array): {
    readonly own: { readonly value: S; readonly touchedMs: number } | undefined
    readonly foreign: Uint8Array | undefined
  } {
    let own: { readonly value: S; readonly touchedMs: number } | undefined
    let foreign: number[] | undefined
    readCells(cells, ({ state, version, text: cellText, touchedMs, bytes }) => {
      if (state !== this.number) foreign = [...(foreign ?? []), ...bytes]
      else own = { value: this.decode(text(cellText), version), touchedMs: touchedMs ?? this.options.time?.() ?? 0 }
    })
    return { own, foreign: foreign === undefined ? undefined : Uint8Array.from(foreign) }
  }

  /** @internal Encodes one row as it was at a barrier. */
  encodeRow(row: Row<S>, value: S | typeof dead, touchedMs: number, frames: RowFrames): void {
    const keyText = this.addressText(row)
    const keyGroup = keyGroupOf(row.key, this.scope.maxParallelism)
    const foreign = this.foreignCells(row, keyText)
    const stamp = this.options.time === undefined ? undefined : touchedMs
    if (value !== dead) frames.addCell(keyGroup, keyText, this.number, this.options.codec.version, stamp, this.encode(value), foreign)
    else if (foreign !== undefined) frames.addCell(keyGroup, keyText, this.number, 0, undefined, undefined, foreign)
    else frames.addDeletion(keyGroup, keyText)
  }

  /** Cells of states that the program does not declare, in the row of that name. */
  protected foreignCells(_row: Row<S>, keyText: string): Uint8Array | undefined {
    return this.foreign.size === 0 ? undefined : this.foreign.get(keyText)
  }

  /** @internal */
  encode(value: S): string {
    return this.options.codec.toText(value)
  }

  /** @internal A capture is open no more: what follows is not saved for it. */
  closed(ended: Capture<S>): void {
    let later: Capture<S> | undefined
    let capture = this.open
    for (; capture !== undefined && capture !== ended; capture = capture.before) later = capture
    invariant(capture === ended, 'a capture ends once')
    if (later === undefined) this.open = ended.before
    else later.before = ended.before
  }

  /** @internal An open capture has ended: its rows are dirty again, or durable. */
  captureEnded(undone: readonly (Row<S> | undefined)[], _durable: readonly (Row<S> | undefined)[] = []): void {
    for (const row of undone) {
      if (row === undefined) continue
      const successor = row.live ? undefined : this.locate(row)
      // The change of the one that came after it tells of both, also when that one goes.
      if (successor !== undefined) successor.bornIn = 0
      else if (row.dirtyIn !== this.interval) this.touch(row)
    }
  }

  /** Adds a row. There must be none at the address. */
  protected add(address: RowAddress, value: S): Row<S> {
    if (this.count >= this.scope.rowsMax) throw new StreamError('STATE_FULL', { uid: this.scope.uid, rowsMax: this.scope.rowsMax })
    const row = this.insert(address, value)
    this.count += 1
    if (this.options.time !== undefined) row.touchedMs = this.options.time()
    if (this.scope.development) freezeDeep(value)
    if (this.scope.tracked) {
      row.bornIn = this.interval
      this.touch(row)
    }
    return row
  }

  protected touch(row: Row<S>): void {
    for (let capture = this.open; capture !== undefined; capture = capture.before) capture.save(row)
    row.dirtyIn = this.interval
    row.slot = this.dirty.length
    this.dirty.push(row)
  }

  /** Takes a row out of the changes. The others keep their order, and are moved together once most places are empty. */
  private leaveOut(row: Row<S>): void {
    const { dirty } = this
    dirty[row.slot] = undefined
    this.gaps += 1
    if (this.gaps * 2 < dirty.length + spareGaps) return
    let kept = 0
    for (const each of dirty) {
      if (each === undefined) continue
      each.slot = kept
      dirty[kept] = each
      kept += 1
    }
    dirty.length = kept
    this.gaps = 0
  }

  /** Takes a row out while restoring: nothing is to be stored of it. */
  private forget(row: Row<S>): void {
    this.take(row)
    row.live = false
    this.count -= 1
  }

  protected decode(stored: string, version: number): S {
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

interface SavedValue<S> {
  readonly value: S | typeof dead
  readonly touchedMs: number
}

/** One barrier's changes, until they are durable. */
class Capture<S> implements RowCapture {
  readonly table: string
  readonly expired: ((cells: Uint8Array) => boolean) | undefined
  private position = 0
  /** What was touched then or earlier is not written. */
  private readonly leftOutMs: number = Number.NaN
  private readonly compared: Map<Row<S>, string> | undefined
  /** Values of rows in which the capture before still keeps its own: only where both wait to be encoded. */
  private savedAside: Map<Row<S>, SavedValue<S>> | undefined
  /** The open capture before this one. */
  before: Capture<S> | undefined

  constructor(
    private readonly owner: RowStore<S>,
    private readonly interval: number,
    private readonly changed: readonly (Row<S> | undefined)[],
    readonly rows: number,
  ) {
    this.table = owner.name
    const { leftOut } = owner.options
    if (leftOut !== undefined) {
      const beforeMs = expiredBefore(leftOut)
      if (leftOut.ofSnapshots) this.leftOutMs = beforeMs
      if (leftOut.ofMerges && !Number.isNaN(beforeMs)) this.expired = owner.expiredCells(beforeMs)
    }
    if (owner.scope.development) this.compared = this.encodeSome()
  }

  /** Called before a row changes: keeps the value of the barrier, if that is not encoded yet. */
  save(row: Row<S>): void {
    if (row.dirtyIn !== this.interval || row.slot < this.position) return
    const value = row.live ? row.value : dead
    if (row.saved === none) {
      row.saved = value
      row.savedMs = row.touchedMs
    } else {
      this.savedAside ??= new Map()
      this.savedAside.set(row, { value, touchedMs: row.touchedMs })
    }
  }

  encode(frames: RowFrames, rowsMax: number): boolean {
    const end = Math.min(this.changed.length, this.position + rowsMax)
    while (this.position < end) {
      const row = this.changed[this.position]
      this.position += 1
      if (row === undefined) continue
      let value = row.live ? row.value : dead
      let { touchedMs } = row
      // A row that has not changed since is as it was.
      if (row.dirtyIn !== this.interval) {
        const aside = this.savedAside?.get(row)
        value = aside === undefined ? this.takeSaved(row) : aside.value
        touchedMs = aside === undefined ? row.savedMs : aside.touchedMs
      }
      this.compare(row, value)
      // It may stand in an earlier checkpoint: what has expired is written as a deletion.
      this.owner.encodeRow(row, touchedMs <= this.leftOutMs ? dead : value, touchedMs, frames)
    }
    return this.position < this.changed.length
  }

  release(): void {
    this.owner.closed(this)
    this.owner.captureEnded([], this.changed)
  }

  giveBack(): void {
    for (let at = this.position; at < this.changed.length; at++) {
      const row = this.changed[at]
      if (row !== undefined && row.dirtyIn !== this.interval && this.savedAside?.has(row) !== true) this.takeSaved(row)
    }
    this.owner.closed(this)
    this.owner.captureEnded(this.changed)
  }

  /** What the row has kept for this capture: where several wait, a row has room for the oldest of them. */
  private takeSaved(row: Row<S>): S | typeof dead {
    const { saved } = row
    invariant(saved !== none, 'what a row was at a barrier is saved before it changes')
    row.saved = none
    return saved
  }

  /** Values that freezing cannot protect (a Map, a Date, bytes) are compared with what they were at the barrier. */
  private encodeSome(): Map<Row<S>, string> {
    const texts = new Map<Row<S>, string>()
    for (const row of this.changed) {
      if (texts.size >= comparedRowsMax) break
      if (row?.live === true && typeof row.value === 'object' && row.value !== null) texts.set(row, this.owner.encode(row.value))
    }
    return texts
  }

  private compare(row: Row<S>, value: S | typeof dead): void {
    const before = this.compared?.get(row)
    if (before !== undefined && (value === dead || this.owner.encode(value) !== before))
      throw new CheckpointError('STATE_MUTATED', { uid: this.owner.scope.uid, state: this.owner.options.state })
  }
}

/** What was touched then or earlier has expired. At the end of time, and where nothing ever does, no number is: nothing has. */
function expiredBefore({ nowMs, afterMs }: LeftOut): number {
  const now = nowMs()
  // A job that is drained goes on before the end of time.
  return now === Number.POSITIVE_INFINITY || afterMs === Number.POSITIVE_INFINITY ? Number.NaN : now - afterMs
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const text = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new BackendError('SNAPSHOT_CORRUPT', { reason: 'a stored text is not UTF-8' }, { cause })
  }
}
