/**
 * Rows on their way into a store of keys and values.
 *
 * **Invariants** The rows of a generation are those of its newest checkpoint. A row that a checkpoint changes is first copied to where the
 * checkpoint before finds it again, as long as that one, or an older one of the generation, is kept.
 */
import type { CheckpointId } from '../identity.js'
import type { RowChunk } from '../ports/checkpointStorage.js'
import type { KeyValueWrites } from '../ports/keyValueStore.js'
import { readRows } from '../state/rowFrames.js'
import { type Head, tableNumber } from './head.js'
import { changeIndex, type KeyChange } from './keyIndex.js'
import { rowPlace, undoPlace } from './places.js'
import { sealed } from './sealed.js'

/** So many rows are asked for at once. */
const sliceRows = 512
/** Stands for a row that there was not. No value that is sealed is empty. */
export const absent = new Uint8Array(0)

export interface WrittenTo {
  readonly generation: number
  readonly tables: Head['tables']
  readonly undo: CheckpointId | undefined
  readonly isIndexed?: ((uid: string, table: string) => boolean) | undefined
}

interface ChangedRow {
  readonly key: Uint8Array
  /** Sealed; undefined for a deletion. */
  readonly value: Uint8Array | undefined
}

const latin1 = new TextDecoder('latin1')

/** What changed, by uid, table and key: of a row that comes twice the last one counts. */
export class ChangedRows {
  private readonly tables = new Map<string, { readonly uid: string; readonly table: string; readonly rows: Map<string, ChangedRow> }>()

  add({ uid, table, bytes }: RowChunk): void {
    const name = `${uid}/${table}`
    const known = this.tables.get(name) ?? { uid, table, rows: new Map<string, ChangedRow>() }
    this.tables.set(name, known)
    // The decoder reads some bytes as other characters, but no two bytes as the same one.
    readRows(bytes, (key, value) => known.rows.set(latin1.decode(key), { key: key.slice(), value: value === undefined ? undefined : sealed(value) }))
  }

  /** Has a row go that this knows nothing of. */
  addMissing(uid: string, table: string, key: Uint8Array): void {
    const name = `${uid}/${table}`
    const known = this.tables.get(name) ?? { uid, table, rows: new Map<string, ChangedRow>() }
    this.tables.set(name, known)
    const text = latin1.decode(key)
    if (!known.rows.has(text)) known.rows.set(text, { key, value: undefined })
  }

  clear(): void {
    this.tables.clear()
  }

  /**
   * Writes the rows.
   *
   * @param undo - the checkpoint that is to be found again as it is now; undefined where none is
   * @param isIndexed - the tables whose index goes along
   * @returns the tables with those that are new, and how many rows there are more than before
   */
  async writeTo(
    at: KeyValueWrites,
    { generation, tables, undo, isIndexed = () => false }: WrittenTo,
  ): Promise<{ readonly tables: Head['tables']; readonly added: number }> {
    let known = tables
    let added = 0
    for (const { uid, table, rows } of this.tables.values()) {
      const found = tableNumber(known, uid, table)
      known = found.tables
      const changed = [...rows.values()]
      const keys: KeyChange[] | undefined = isIndexed(uid, table) ? [] : undefined
      for (let from = 0; from < changed.length; from += sliceRows) {
        const slice = changed.slice(from, from + sliceRows)
        const places = slice.map(({ key }) => rowPlace(generation, found.number, key))
        const before = await at.get(places)
        for (const [index, { key, value }] of slice.entries()) {
          const old = before[index]
          const place = places[index] as Uint8Array
          if (undo !== undefined) at.put(undoPlace(generation, undo, found.number, key), old ?? absent)
          if (value !== undefined) at.put(place, value)
          else if (old !== undefined) at.remove(place)
          added += (value === undefined ? 0 : 1) - (old === undefined ? 0 : 1)
          if ((value === undefined) !== (old === undefined)) keys?.push({ key, came: value !== undefined })
        }
      }
      if (keys !== undefined) await changeIndex(at, { generation, table: found.number }, keys)
    }
    return { tables: known, added }
  }
}
