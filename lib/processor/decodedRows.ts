import type { CheckpointBody } from '../checkpointBody.js'
import { BackendError, RestoreError } from '../errors.js'
import { readCells } from '../state/cells.js'
import { decodeTagged } from '../taggedJson.js'
import { visitFinalRows } from './finalRows.js'
import type { OpenSavepoint } from './openSavepoint.js'
import { ownerOf, type RowShape, readAddress, ShapeFinder } from './rowAddress.js'
import type { StateFormat } from './stateFormat.js'
import type { PlainRow } from './stateRow.js'
import { metaOf } from './storedOperator.js'

/** A row of a state. Read by a format, its value is the state's; else it is what was stored. */
export interface DecodedRow extends PlainRow {
  /** Cells of states that were called otherwise. */
  readonly foreign?: Uint8Array
}

export interface WantedState {
  readonly uid: string
  readonly table: string
  readonly format?: StateFormat | undefined
}

/** What becomes of rows: `turn` is called behind some of them. */
export interface RowTaker {
  visit(row: DecodedRow): void
  turn(): Promise<void> | undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const isOther =
  ({ uid, table }: WantedState) =>
  (foundUid: string, foundTable: string): boolean =>
    foundUid !== uid || foundTable !== table

/** Visits the rows of one state, decoded. */
export async function visitDecodedRows(open: OpenSavepoint, wanted: WantedState, { visit, turn }: RowTaker): Promise<void> {
  const { stored, body, heldBytesMax } = open
  const finder = new ShapeFinder(body.maxParallelism, wanted.format?.hasEntries === true ? 'entry' : undefined)
  const look = (_uid: string, _table: string, key: Uint8Array): void => finder.see(key)
  let decode: RowDecoder | undefined
  await visitFinalRows(stored, { isUnwanted: isOther(wanted), heldBytesMax, look, turn }, (_uid, _table, key, value) => {
    decode ??= rowDecoder(body, wanted, finder.shape())
    const row = decode(key, value)
    if (row !== undefined) visit(row)
  })
}

type RowDecoder = (key: Uint8Array, value: Uint8Array) => DecodedRow | undefined

/** Reads rows of one state; undefined for a row that only has cells of other states. */
export function rowDecoder(body: CheckpointBody, { uid, table, format }: WantedState, shape: RowShape): RowDecoder {
  const number = cellNumber(body, uid, table)
  return (keyBytes, bytes) => {
    const owner = ownerOf(readAddress(keyBytes).address, shape)
    if (owner === undefined)
      throw new BackendError('SNAPSHOT_CORRUPT', { uid, table, reason: `a row is no ${shape === 'entry' ? 'entry' : 'window'}` })
    let row: DecodedRow | undefined
    let foreign: number[] | undefined
    readCells(bytes, (cell) => {
      if (cell.state !== number) {
        foreign = [...(foreign ?? []), ...cell.bytes]
        return
      }
      const text = utf8.decode(cell.text)
      const value = format === undefined ? plainValue(text) : typedValue(format, text, cell.version, { uid, state: table })
      const { key, namespace, entry } = owner
      const { touchedMs, version } = cell
      // Spread, it would be made in the old part of the heap, where those of millions of rows pile up.
      row = { key, namespace, entry, value, touchedMs, version, text }
    })
    return foreign === undefined || row === undefined ? row : { ...row, foreign: Uint8Array.from(foreign) }
  }
}

/** Where a table has cells of several states, the one that was declared last is the one of the program. */
export function cellNumber(body: CheckpointBody, uid: string, table: string): number {
  const states = (metaOf(uid, body.operators[uid]?.meta ?? null).tables[table] as { readonly states: readonly string[] }).states
  return states.length - 1
}

function typedValue({ codec }: StateFormat, text: string, version: number, where: { readonly uid: string; readonly state: string }): unknown {
  try {
    return codec.fromText(text, version)
  } catch (cause) {
    if (cause instanceof RestoreError) throw cause
    throw new RestoreError('CODEC_MISMATCH', where, { cause })
  }
}

/** Codecs of operators of ours may have a text of their own. */
export function plainValue(text: string): unknown {
  try {
    return decodeTagged(text)
  } catch {
    return text
  }
}
