/**
 * The rows that a checkpoint has, each once, as it is in the end.
 *
 * A storage tells rows in the order in which they were written: the same one may come again, with another value or deleted. What comes
 * once is passed on as it is read; only what may come again is held.
 *
 * **Invariants** A row is visited once, with its last value; one whose last word is a deletion is not. Memory: two filters of fixed size
 * and `heldBytesMax`; where what may come again does not fit, the rows are read again for the rest.
 */
import type { StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'
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
  /** Only how many there are is of interest: of rows that may come again the visitor gets neither key nor value. */
  readonly countOnly?: boolean | undefined
}

interface HeldRow {
  readonly uid: string
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

const nothing = new Uint8Array(0)
const rowsPerTurn = 1_000
/** What a row that is only counted takes in memory, about. */
const countedOverhead = 250
const utf8 = new TextDecoder()

export async function visitFinalRows(
  stored: Pick<StoredCheckpoint, 'readRows'>,
  { isUnwanted, heldBytesMax, look, turn, keysOnly = false, countOnly = false }: FinalRowsOptions,
  visit: (uid: string, table: string, key: Uint8Array, value: Uint8Array) => void,
): Promise<void> {
  const numbers = new TableNumbers()
  const filter = new RepeatFilter()
  const hash: RowHash = { first: 0, second: 0 }
  const unwanted = (uid: string, table: string): boolean => isUnwanted?.(uid, table) === true
  await readChunks(
    stored,
    ({ uid, table, bytes }) => {
      if (unwanted(uid, table)) return
      const number = numbers.of(uid, table)
      readRows(bytes, (key) => {
        rowHash(number, key, hash)
        filter.add(hash)
        look?.(uid, table, key)
      })
    },
    isUnwanted,
  )
  const held = new HeldRows<HeldRow>(heldBytesMax)
  let first = true
  do {
    await readChunks(
      stored,
      ({ uid, table, bytes }) => {
        if (unwanted(uid, table)) return undefined
        const number = numbers.of(uid, table)
        readRows(bytes, (key, value) => {
          rowHash(number, key, hash)
          if (!filter.mayRepeat(hash)) {
            if (first && value !== undefined) visit(uid, table, key, value)
          } else if (held.takes(hash)) {
            const address = `${number} ${utf8.decode(key.subarray(2))}`
            if (countOnly) return held.put(address, hash, { uid, table, key: nothing, value: value && nothing }, 0, countedOverhead)
            const kept = value === undefined ? undefined : keysOnly ? nothing : value.slice()
            held.put(address, hash, { uid, table, key: key.slice(), value: kept }, 2 * key.length + (kept?.length ?? 0))
          }
        })
        return first ? turn?.() : undefined
      },
      isUnwanted,
    )
    first = false
    let visited = 0
    for (const { uid, table, key, value } of held.values()) {
      if (value === undefined) continue
      visit(uid, table, key, value)
      visited += 1
      if (visited % rowsPerTurn === 0) await turn?.()
    }
    await turn?.()
  } while (held.nextTurn())
}

/** Numbers for tables, so that equal keys of two tables are two rows. */
export class TableNumbers {
  private readonly numbers = new Map<string, Map<string, number>>()
  private count = 0

  of(uid: string, table: string): number {
    let tables = this.numbers.get(uid)
    if (tables === undefined) this.numbers.set(uid, (tables = new Map()))
    let number = tables.get(table)
    if (number === undefined) tables.set(table, (number = this.count++))
    return number
  }
}
