/**
 * A session whose rows are read as they are asked for, by the tables of a run.
 *
 * **Invariants** The rows of the generation of the newest checkpoint are read synchronously, each by one look-up. Of each table that is read so there
 * is an index of its keys (`keyIndex.ts`), which changes in the steps that change its rows: whoever cannot iterate finds the rows of a key there,
 * and those of a table.
 *
 * **Fault model** That of `keyValueSession.ts`. An index that is missing, or that was left behind by a program that did not keep it, is made by the
 * takeover, in steps; where it dies in between, the next one begins anew.
 */
import { either as E, type option as O, type taskEither } from 'fp-ts'
import { BackendError, invariant } from '../errors.js'
import type { CheckpointId, Epoch } from '../identity.js'
import type { Json } from '../json.js'
import type { PagedStore, RowKey, StoredRow, StoreReader } from '../paged/pagedStore.js'
import type { StoredCheckpoint } from '../ports/checkpointStorage.js'
import type { KeyRange, KeyValueStore } from '../ports/keyValueStore.js'
import type { ChangedRows } from './changedRows.js'
import type { Head } from './head.js'
import { allKeys, countKeys, keysBeginningWith, type Look } from './indexedKeys.js'
import { changeIndex } from './keyIndex.js'
import { KeyValueSession, type SessionSettings } from './keyValueSession.js'
import { behind, ofTable, rowAt, rowPlace } from './places.js'
import { unsealed } from './sealed.js'

/** So many keys are read, and indexed or removed, in one step. */
const stepKeys = 2_000

export interface LiveSettings extends SessionSettings {
  readonly isIndexed: (uid: string, table: string) => boolean
}

export class LiveSession extends KeyValueSession implements PagedStore {
  /** Tables that begin anew with the next publish, although there are rows of that name. */
  private readonly retired = new Set<string>()
  private headers: { readonly generation: number; readonly of: Uint8Array[] } = { generation: -1, of: [] }
  /** Of the row that is read: the same bytes for each. */
  private place = new Uint8Array(256)

  constructor(
    store: KeyValueStore,
    private readonly look: Look,
    private readonly live: LiveSettings,
  ) {
    super(store, live)
  }

  override takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    const taking = super.takeOver(from, above)
    return async () => {
      const taken = await taking()
      if (E.isLeft(taken)) return taken
      const made = await this.task(() => this.makeIndexes())()
      return E.isLeft(made) ? made : taken
    }
  }

  override async publish(
    id: CheckpointId,
    body: Json,
    rows: ChangedRows,
    aside?: { readonly generation: number; readonly rows: number },
  ): Promise<void> {
    const retired = [...this.retired]
    // A generation of its own has nothing of before.
    if (aside === undefined) for (const name of retired) await this.removeMissing(name, rows)
    await super.publish(id, body, rows, aside)
    for (const name of retired) this.retired.delete(name)
  }

  // --- for the tables that read what was published

  isNewest(id: CheckpointId): boolean {
    return this.head.checkpoints.at(-1)?.id === id
  }

  knownNumber(uid: string, table: string): number | undefined {
    if (this.retired.has(nameOf(uid, table))) return undefined
    const number = this.head.tables.findIndex(([ownUid, ownTable]) => ownUid === uid && ownTable === table)
    return number < 0 ? undefined : number
  }

  rowsOf(uid: string, table: string): number {
    const number = this.knownNumber(uid, table)
    return number === undefined ? 0 : countKeys(this.look, this.indexed(number))
  }

  retire(uid: string, table: string): void {
    if (this.rowsOf(uid, table) > 0) this.retired.add(nameOf(uid, table))
  }

  /** The database is its owner's: it stays open anyway. */
  use(readers: readonly StoreReader[]): void {
    for (const { name } of readers) invariant(this.live.isIndexed(...name), 'a table that reads from the store has an index')
  }

  async letGoOf(): Promise<void> {}

  read({ table, bytes, start, end }: RowKey): Uint8Array | undefined {
    const header = this.headerOf(table)
    const length = header.length + end - start
    if (this.place.length < length) this.place = new Uint8Array(2 * length)
    const { place } = this
    place.set(header)
    for (let at = header.length, from = start; from < end; at += 1, from += 1) place[at] = bytes[from] as number
    const value = this.look(place.subarray(0, length))
    return value === undefined ? undefined : unsealed(value, 'a row')
  }

  *beginningWith({ table, bytes, start, end }: RowKey): IterableIterator<StoredRow> {
    for (const key of keysBeginningWith(this.look, this.indexed(table), bytes.subarray(start, end))) yield* this.rowAt(table, key)
  }

  *all(table: number): IterableIterator<StoredRow> {
    for (const key of allKeys(this.look, this.indexed(table))) yield* this.rowAt(table, key)
  }

  // --- within

  private get head(): Head {
    if (this.dead !== undefined) throw this.dead
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { job: this.live.job, reason: 'the session has not taken over' })
    return this.own
  }

  private indexed(table: number) {
    return { generation: this.head.generation, table }
  }

  /** A row that went since its key was found is not there any more. */
  private *rowAt(table: number, key: Uint8Array): IterableIterator<StoredRow> {
    const cells = this.read({ table, bytes: key, start: 0, end: key.length })
    if (cells !== undefined) yield { key, cells }
  }

  /** What the places of all rows of a table begin with. */
  private headerOf(table: number): Uint8Array {
    const { generation } = this.head
    if (this.headers.generation !== generation) this.headers = { generation, of: [] }
    this.headers.of[table] ??= rowPlace(generation, table, new Uint8Array(0))
    return this.headers.of[table]
  }

  private async makeIndexes(): Promise<void> {
    const { generation, tables, indexed = [] } = this.head
    const missing = tables.flatMap((name, number) => (this.live.isIndexed(...name) && !indexed.includes(number) ? [number] : []))
    if (missing.length === 0) return
    for (const table of missing) {
      await this.inSteps(ofTable(7, generation, table), async (at, keys) => {
        for (const key of keys) at.remove(key)
      })
      await this.inSteps(ofTable(3, generation, table), (at, places) =>
        changeIndex(
          at,
          { generation, table },
          places.map((place) => ({ key: rowAt(place).key, came: true })),
        ),
      )
    }
    await this.change(async (_at, head) => ({ ...head, indexed: [...indexed, ...missing] }))
  }

  /** Goes through the keys of a range, so many a step. */
  private async inSteps(
    { from, to }: KeyRange,
    work: (at: Parameters<Parameters<typeof this.change>[0]>[0], keys: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void> {
    for (let next: Uint8Array | undefined = from; next !== undefined; ) {
      const range: KeyRange = { from: next, to }
      next = undefined
      await this.change(async (at, head) => {
        const keys = await at.keys(range, stepKeys)
        await work(at, keys)
        const last = keys.at(-1)
        if (last !== undefined && keys.length === stepKeys) next = behind(last)
        return head
      })
      await this.live.clock.yield()
    }
  }

  /** Of a table that begins anew, whatever is not written now goes. */
  private async removeMissing(name: string, rows: ChangedRows): Promise<void> {
    const { generation, tables } = this.head
    const number = tables.findIndex((each) => nameOf(...each) === name)
    const [uid, table] = tables[number] ?? []
    invariant(uid !== undefined && table !== undefined, 'a table that is retired has rows')
    const { from, to } = ofTable(3, generation, number)
    for (let next: Uint8Array | undefined = from; next !== undefined; ) {
      const range: KeyRange = { from: next, to }
      const places: readonly Uint8Array[] = await this.store.read((at) => at.keys(range, stepKeys))
      for (const place of places) rows.addMissing(uid, table, rowAt(place).key)
      const last = places.at(-1)
      next = last === undefined || places.length < stepKeys ? undefined : behind(last)
    }
  }
}

const nameOf = (uid: string, table: string): string => `${uid}/${table}`
