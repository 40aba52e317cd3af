/**
 * What differs between the rows of two checkpoints.
 *
 * **Invariants** Each row is told once, with what it was in the one and in the other; rows that are alike are not told. Memory: that of
 * `ChangedKeys` and `heldBytesMax`; where the rows that may differ do not fit, both are read again for the rest of the keys.
 */
import { RestoreError } from '../errors.js'
import type { Key } from '../key.js'
import { readRows } from '../state/rowFrames.js'
import { ChangedKeys } from './changedKeys.js'
import { type DecodedRow, rowDecoder } from './decodedRows.js'
import { TableNumbers } from './finalRows.js'
import { HeldRows } from './heldRows.js'
import { iterated } from './iterated.js'
import { type OpenSavepoint, openSavepoint } from './openSavepoint.js'
import { readChunks } from './readChunks.js'
import { ShapeFinder } from './rowAddress.js'
import { type RowHash, rowHash } from './rowHash.js'
import type { SavepointReader } from './savepointReader.js'
import type { PlainRow } from './stateRow.js'

/** One row that differs. */
export interface RowDifference {
  readonly uid: string
  readonly state: string
  readonly key: Key
  readonly namespace: Key | undefined
  readonly entry: Key | undefined
  /** As it was in the first; undefined where it was not there. */
  readonly before: PlainRow | undefined
  /** As it is in the second; undefined where it is gone. */
  readonly after: PlainRow | undefined
}

interface Pair {
  readonly uid: string
  readonly table: string
  readonly key: Uint8Array
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

const rowsPerTurn = 1_000

/**
 * Tells the rows that differ between two checkpoints of a job, in no order.
 *
 * A row is the same where its value, its version and its time of expiry are.
 *
 * @throws RestoreError `MAX_PARALLELISM_CHANGED` where the two have another number of key groups
 * @example What a correction has changed
 * ```ts
 * const [one, other] = [memory(), memory()]
 * const total = (value: number) => newRows('total', 'rows', valueState(t.number), [{ key: 'ada', value }, { key: 'bob', value: 3 }])
 * await writeSavepoint(one, 'orders', { states: [total(10)] })
 * await writeSavepoint(other, 'orders', { states: [total(12)] })
 * const changed = []
 * for await (const { key, before, after } of differences(await readSavepoint(one, 'orders'), await readSavepoint(other, 'orders')))
 *   changed.push([key, before?.value, after?.value])
 * changed // => [['ada', 10, 12]]
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function differences(before: SavepointReader, after: SavepointReader): AsyncIterable<RowDifference> {
  if (before.maxParallelism !== after.maxParallelism)
    throw new RestoreError('MAX_PARALLELISM_CHANGED', { stored: before.maxParallelism, found: after.maxParallelism })
  const sides = [openSavepoint(before), openSavepoint(after)] as const
  return iterated(async (hand) => {
    const numbers = new TableNumbers()
    const decoders = sides.map((side) => new Decoders(side))
    const held = new HeldRows(sides[0].heldBytesMax)
    const hash: RowHash = { first: 0, second: 0 }
    const changed = new ChangedKeys()
    for (const [side, { stored }] of sides.entries()) {
      if (side === 1) changed.secondSide()
      await readChunks(stored, ({ uid, table, bytes }) => {
        const number = numbers.of(uid, table)
        readRows(bytes, (key, value) => {
          rowHash(number, key, hash)
          decoders[side]?.see(uid, table, key)
          changed.add(hash, key, value)
        })
      })
    }
    do {
      for (const [side, { stored }] of sides.entries())
        await readChunks(stored, ({ uid, table, bytes }) => {
          const number = numbers.of(uid, table)
          readRows(bytes, (key, value) => {
            rowHash(number, key, hash)
            if (!changed.mayDiffer(hash) || !held.takes(hash)) return
            held.put(2 * number + side, key, hash, value)
          })
        })
      let list: RowDifference[] = []
      for (const pair of pairsOf(held, numbers)) {
        const found = differenceOf(pair, decoders)
        if (found !== undefined) list.push(found)
        if (list.length < rowsPerTurn) continue
        await hand(list)
        list = []
      }
      if (list.length > 0) await hand(list)
    } while (held.nextTurn())
  })
}

/** Rows are held side by side: those of the first have even tables, and those of the second odd ones. */
function* pairsOf(held: HeldRows, numbers: TableNumbers): Iterable<Pair> {
  for (const { hash, table: numbered, key, value } of held.rows()) {
    const isSecond = numbered % 2 === 1
    const other = held.get(isSecond ? numbered - 1 : numbered + 1, key, hash)
    // Told with the row of the first.
    if (isSecond && other !== undefined) continue
    const { uid, table } = numbers.tableOf(numbered >>> 1)
    yield { uid, table, key, before: isSecond ? undefined : value, after: isSecond ? value : other?.value }
  }
}

function differenceOf({ uid, table, key, before, after }: Pair, [first, second]: readonly Decoders[]): RowDifference | undefined {
  if (before === undefined ? after === undefined : after !== undefined && sameBytes(before, after)) return undefined
  const [was, is] = [first?.decode(uid, table, key, before), second?.decode(uid, table, key, after)]
  const row = is ?? was
  // The numbers of states may differ where their values do not.
  if (row === undefined || (was !== undefined && is !== undefined && sameRow(was, is))) return undefined
  return { uid, state: table, key: row.key, namespace: row.namespace, entry: row.entry, before: was, after: is }
}

const sameRow = (a: DecodedRow, b: DecodedRow): boolean =>
  a.text === b.text && a.version === b.version && a.touchedMs === b.touchedMs && sameBytes(a.foreign, b.foreign)

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

/** The decoders of the tables of one side, with the shapes of their rows. */
class Decoders {
  private readonly tables = new Map<string, { readonly finder: ShapeFinder; decode?: ReturnType<typeof rowDecoder> }>()

  constructor(private readonly open: OpenSavepoint) {}

  see(uid: string, table: string, key: Uint8Array): void {
    this.table(uid, table).finder.see(key)
  }

  decode(uid: string, table: string, key: Uint8Array, value: Uint8Array | undefined): PlainRow | undefined {
    if (value === undefined) return undefined
    const known = this.table(uid, table)
    known.decode ??= rowDecoder(this.open.body, { uid, table }, known.finder.shape())
    return known.decode(key, value)
  }

  private table(uid: string, table: string): { readonly finder: ShapeFinder; decode?: ReturnType<typeof rowDecoder> } {
    const name = `${uid}/${table}`
    let known = this.tables.get(name)
    if (known === undefined) this.tables.set(name, (known = { finder: new ShapeFinder(this.open.body.maxParallelism) }))
    return known
  }
}
