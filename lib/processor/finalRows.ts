/**
 * The rows that a checkpoint has, each once, as it is in the end.
 *
 * A storage tells rows in the order in which they were written: the same one may come again, with another value or deleted. What comes
 * once is passed on as it is read; only what may come again is held.
 *
 * **Invariants** A row is visited once, with its last value; one whose last word is a deletion is not. Memory: two filters of fixed size
 * and `heldBytesMax`; where what may come again does not fit, the rows are read again for the rest.
 */
import type { RowChunk, StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'
import { readRows } from '../state/rowFrames.js'
import { HeldRows } from './heldRows.js'
import { readChunks } from './readChunks.js'
import { RepeatFilter } from './repeatFilter.js'
import { type RowHash, rowHash } from './rowHash.js'

export interface FinalRowsOptions {
  readonly isUnwanted?: Unwanted | undefined
  readonly heldBytesMax: number
  /** Called for every row that is told, deletions too, before the first is visited. */
  readonly look?: ((uid: string, table: string, key: Uint8Array) => void) | undefined
  /** Called behind some rows: whoever collects them hands them on. */
  readonly turn?: (() => Promise<void> | undefined) | undefined
  /** Only the keys are of interest: values of rows that may come again are not held, and are empty. */
  readonly keysOnly?: boolean | undefined
  /** The rows are read from their beginning, for the first time or once more. */
  readonly begins?: (() => void) | undefined
  /** Called for every chunk that is read, each time. */
  readonly read?: ((chunk: RowChunk) => void) | undefined
}

const nothing = new Uint8Array(0)
const rowsPerTurn = 1_000

export async function visitFinalRows(
  stored: Pick<StoredCheckpoint, 'readRows'>,
  { isUnwanted, heldBytesMax, look, turn, keysOnly = false, begins, read }: FinalRowsOptions,
  visit: (uid: string, table: string, key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const numbers = new TableNumbers()
  const filter = new RepeatFilter()
  const hash: RowHash = { first: 0, second: 0 }
  type VisitNumbered = (number: number, key: Uint8Array, value: Uint8Array | undefined, chunk: RowChunk) => void
  const eachRow = (take: VisitNumbered, after?: () => Promise<void> | undefined): Promise<void> => {
    begins?.()
    return readChunks(
      stored,
      (chunk) => {
        const { uid, table, bytes } = chunk
        if (isUnwanted?.(uid, table) === true) return undefined
        const number = numbers.of(uid, table)
        readRows(bytes, (key, value) => {
          rowHash(number, key, hash)
          take(number, key, value, chunk)
        })
        read?.(chunk)
        return after?.()
      },
      isUnwanted,
    )
  }
  await eachRow((_number, key, _value, { uid, table }) => {
    filter.add(hash)
    look?.(uid, table, key)
  })
  const held = new HeldRows(heldBytesMax)
  const hold = (number: number, key: Uint8Array, value: Uint8Array | undefined): void => {
    if (held.takes(hash)) held.put(number, key, hash, keysOnly && value !== undefined ? nothing : value)
  }
  await eachRow((number, key, value, { uid, table }) => {
    if (filter.mayRepeat(hash)) hold(number, key, value)
    else if (value !== undefined) visit(uid, table, key, value)
  }, turn)
  for (;;) {
    let visited = 0
    for (const { table: number, key, value } of held.rows()) {
      if (value === undefined) continue
      const { uid, table } = numbers.tableOf(number)
      visit(uid, table, key, value)
      visited += 1
      if (visited % rowsPerTurn === 0) await turn?.()
    }
    await turn?.()
    if (!held.nextTurn()) return
    await eachRow((number, key, value) => {
      if (filter.mayRepeat(hash)) hold(number, key, value)
    })
  }
}

/** Numbers for tables, so that equal keys of two tables are two rows. */
export class TableNumbers {
  private readonly numbers = new Map<string, Map<string, number>>()
  private readonly tables: { readonly uid: string; readonly table: string }[] = []

  of(uid: string, table: string): number {
    let tables = this.numbers.get(uid)
    if (tables === undefined) this.numbers.set(uid, (tables = new Map()))
    let number = tables.get(table)
    if (number === undefined) tables.set(table, (number = this.tables.push({ uid, table }) - 1))
    return number
  }

  tableOf(number: number): { readonly uid: string; readonly table: string } {
    return this.tables[number] as { readonly uid: string; readonly table: string }
  }
}
