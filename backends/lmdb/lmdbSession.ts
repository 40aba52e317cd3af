/**
 * One run's hold on the store of a job.
 *
 * **Invariants** A checkpoint is one transaction: the rows that changed and the manifest, provided that the manifest is still the
 * one that this session wrote or took over. So the rows in the store are those of the checkpoint that the manifest names, always.
 * Publishes run one after the other. After `close`, after a fatal failure and after being fenced nothing is published.
 *
 * **Fault model** The process may die anywhere, a commit may fail for want of room, and another process may take over at any time.
 */

import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../lib/clock.js'
import { BackendError, invariant } from '../../lib/errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { PagedStore, RowKey, StoredRow, StoreReader } from '../../lib/paged/pagedStore.js'
import type { CheckpointSession, CheckpointWriter, RowChunk, StoredCheckpoint, WriterOptions } from '../../lib/ports/checkpointStorage.js'
import { UnderWay } from '../../lib/underWay.js'
import { WriterLine } from '../../lib/writerLine.js'
import { Environment } from './environment.js'
import { attempt, fenced } from './failures.js'
import { LmdbWriter, type WriterHost } from './lmdbWriter.js'
import { boundOf, encodeManifest, type Manifest } from './manifestRecord.js'
import { type RowBlock, rowBlock, visitBlock } from './rowBlock.js'
import { rowKey, tableNumber, tableStart } from './rowKey.js'
import type { RowSealing } from './rowSealing.js'
import { View } from './view.js'

export interface SessionOptions {
  readonly job: string
  readonly file: string
  readonly fileBytesMax: number
  readonly clock: Clock
  readonly sealing: RowSealing
  readonly readOnly: boolean
  /** Called when the session begins to close. */
  closing(quiet: Promise<void>): void
}

/** So many rows of each table that nobody has any more go with a publish. */
const retiredRowsMax = 1_000
/** In the list of tables, one that nobody has any more. Its number is not given again. */
const retired: Manifest['tables'][number] = ['', '']

/** Rows that are read in one go: of one key, and of a whole table, where nobody keeps a place in the store open meanwhile. */
const pageRows = { ofKey: 256, ofTable: 128 }
/** Addresses that begin alike for longer than this are told apart one by one: the store cuts long keys. */
const prefixBytesMax = 1_900

const lifeOf = (life: string | undefined): Pick<Manifest, 'life'> => (life === undefined ? {} : { life })

export class LmdbSession implements CheckpointSession, WriterHost, PagedStore {
  private environment: Environment | undefined
  private looking: Promise<Environment | undefined> | undefined
  /** The store as this session left it. Of the newest checkpoint, all the time. */
  private own: View | undefined
  /** What was read stays readable until the second publish after it. */
  private reading: { readonly view: View; publishes: number }[] = []
  private readonly readAt = new WeakMap<StoredCheckpoint, View>()
  private lastRead: Manifest | undefined | null = null
  private readonly held = new Map<CheckpointId, View>()
  /** The tables by number, with those that the next publish adds. */
  private tables: Manifest['tables'] = []
  private dead: BackendError | undefined
  private discarded = false
  private closed: Promise<void> | undefined
  private publishing: Promise<unknown> = Promise.resolve()
  private readonly underWay = new UnderWay()
  private readonly line = new WriterLine()
  private users = 1
  private readers: readonly StoreReader[] = []

  constructor(private readonly options: SessionOptions) {}

  latest(): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(async () => {
      const view = await this.readNewest()
      this.lastRead = view?.manifest
      if (view === undefined || view.manifest === undefined || view.manifest.checkpoint === null) return O.none
      const stored = this.storedOf(view)
      this.readAt.set(stored, view)
      return O.some(stored)
    })
  }

  takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    return this.task(async () => {
      if (this.options.readOnly) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session only reads' })
      invariant(this.own === undefined, 'a session takes over once')
      const before = O.isSome(from) ? this.readAt.get(from.value)?.manifest : this.lastRead
      invariant(before !== null && (before !== undefined || O.isNone(from)), 'a session takes over from what it read itself')
      this.environment ??= await Environment.make(this.options.file)
      const { environment } = this
      const { sealing } = this.options
      const seq = before?.seq ?? 0
      const manifest: Manifest = {
        job: this.options.job,
        epoch: Math.max(before?.epoch ?? 0, above ?? 0) + 1,
        seq: seq + 1,
        tree: before?.tree ?? 0,
        tables: before?.tables ?? [],
        rows: before?.rows ?? [],
        checkpoint: before?.checkpoint ?? null,
        ...lifeOf(before?.life ?? sealing.newLife()),
      }
      const won = await environment.commit(seq, () => environment.putManifest(encodeManifest(manifest, sealing), manifest.seq))
      // The caller may read anew, and try again.
      if (!won) throw new BackendError('BACKEND_FENCED', { file: this.options.file })
      const view = new View(environment, this.options.sealing)
      if (view.seq !== manifest.seq) {
        view.letGo()
        throw new BackendError('BACKEND_FENCED', { file: this.options.file })
      }
      this.adopt(view)
      return epoch(manifest.epoch)
    })
  }

  begin(id: CheckpointId, { whole = false }: WriterOptions = {}): CheckpointWriter {
    invariant(id > (this.own?.manifest?.checkpoint?.checkpointId ?? 0), 'checkpoint ids increase')
    return this.line.add(id, new LmdbWriter(this, id, whole), { whole })
  }

  hold(id: CheckpointId): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(async () => {
      const view = this.own ?? (await this.readNewest())
      if (view?.manifest?.checkpoint?.checkpointId !== id) return O.none
      if (!this.held.has(id)) this.held.set(id, view.use())
      return O.some(this.storedOf(view))
    })
  }

  letGo(id: CheckpointId): void {
    this.held.get(id)?.letGo()
    this.held.delete(id)
  }

  /** The store is its newest checkpoint: there is no other. */
  retained(): readonly CheckpointId[] {
    const checkpoint = (this.own?.manifest ?? this.lastRead)?.checkpoint ?? null
    return checkpoint === null ? [] : [checkpointId(checkpoint.checkpointId)]
  }

  /** Both trees go with the manifest that names them. */
  discard(): taskEither.TaskEither<BackendError, void> {
    return this.task(async () => {
      this.requireWritable()
      this.discarded = true
      const turn = this.publishing.then(async () => {
        const { environment, manifest: before } = this.state
        const life = this.options.sealing.newLife()
        const manifest: Manifest = { ...before, seq: before.seq + 1, tables: [], rows: [], checkpoint: null, ...lifeOf(life) }
        const bytes = encodeManifest(manifest, this.options.sealing)
        const won = await environment.commit(before.seq, () => {
          for (const tree of environment.trees) tree.clearAsync()
          environment.putManifest(bytes, manifest.seq)
        })
        if (!won) throw fenced({ file: this.options.file })
        this.adopt(new View(environment, this.options.sealing))
      })
      this.publishing = turn.catch(() => undefined)
      await turn
    })
  }

  idle(): task.Task<void> {
    return async () => undefined
  }

  close(): task.Task<void> {
    return () => {
      this.closed ??= this.settle()
      return this.closed
    }
  }

  // --- for the writers of this session, and for the tables that read what it published

  /** The newest checkpoint of this session, or what it took over. Good until the next publish. */
  get view(): View {
    if (this.dead !== undefined) throw this.dead
    if (this.own === undefined || this.users === 0) throw new BackendError('BACKEND_NOT_OPEN', { file: this.options.file })
    return this.own
  }

  get file(): string {
    return this.options.file
  }

  /** Tables read from the store: it stays open until they have let go, too. */
  use(readers: readonly StoreReader[]): void {
    this.users += 1
    this.readers = readers
  }

  /** Whether the rows of a checkpoint are those that are in place. */
  isNewest(id: CheckpointId): boolean {
    return this.own?.manifest?.checkpoint?.checkpointId === id
  }

  /** How many rows a table has in the newest checkpoint. */
  rowsOf(uid: string, table: string): number {
    const number = this.knownNumber(uid, table)
    if (number === undefined) return 0
    return this.view.manifest?.rows[number - 1] ?? this.view.count(number)
  }

  read(key: RowKey): Uint8Array | undefined {
    return this.view.read(key)
  }

  *beginningWith({ table, bytes, start: at, end }: RowKey): IterableIterator<StoredRow> {
    const start = bytes.slice(at, Math.min(end, at + prefixBytesMax))
    // No text has this byte: every address that begins alike lies before.
    const stop = rowKey(table, Uint8Array.of(...start, 0xff))
    let from = rowKey(table, start)
    for (let first = true, more = true; more; first = false) {
      const page = this.view.page(from, stop, pageRows.ofKey, !first)
      for (const row of page) {
        from = row.at
        yield row
      }
      more = page.length === pageRows.ofKey
    }
  }

  *all(table: number): IterableIterator<StoredRow> {
    const end = tableStart(table + 1)
    let from = tableStart(table)
    for (let first = true; ; ) {
      const { view } = this
      const page = view.page(from, end, pageRows.ofTable, !first)
      for (const row of page) {
        // What was published since is read anew.
        if (this.view !== view) break
        from = row.at
        first = false
        yield row
      }
      if (page.length < pageRows.ofTable && this.view === view) return
    }
  }

  async letGoOf(): Promise<void> {
    this.users -= 1
    if (this.users > 0) return
    this.own?.letGo()
    await this.environment?.close()
  }

  blockOf({ uid, table, rows, bytes }: RowChunk): RowBlock {
    const number = this.numberOf(uid, table)
    const { manifest } = this.state
    return rowBlock(
      number,
      rows,
      this.options.sealing.storedRows(bytes, (key) => boundOf(manifest, number, key)),
    )
  }

  private numberOf(uid: string, table: string): number {
    const known = this.knownNumber(uid, table)
    if (known !== undefined) return known
    this.tables = [...this.tables, [uid, table]]
    return tableNumber(this.tables.length)
  }

  knownNumber(uid: string, table: string): number | undefined {
    const index = this.tables.findIndex(([ownUid, ownTable]) => ownUid === uid && ownTable === table)
    return index < 0 ? undefined : index + 1
  }

  /** Nobody has these rows any more: a table of that name begins anew. */
  retire(uid: string, table: string): void {
    this.tables = this.tables.map((known) => (known[0] === uid && known[1] === table ? retired : known))
  }

  /** Throws when nothing may be written or published any more. */
  requireWritable(): void {
    this.requireOpen()
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
    if (this.discarded) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has discarded its checkpoints' })
  }

  /** Into the tree that is not in use. */
  async writeAside(block: RowBlock | undefined): Promise<void> {
    this.requireWritable()
    this.requireRoom()
    const { environment, manifest } = this.state
    const tree = environment.trees[1 - manifest.tree] as Environment['trees'][0]
    const won = await environment.commit(manifest.seq, () => {
      if (block === undefined) tree.clearAsync()
      else visitBlock(block, tree.put.bind(tree), tree.remove.bind(tree))
    })
    if (!won) throw this.dieOf(fenced({ file: this.options.file }))
  }

  /** Publishes what a writer has, after the publishes before it. */
  publish(id: CheckpointId, body: Json, blocks: readonly RowBlock[], whole: boolean): Promise<void> {
    const turn = this.publishing.then(async () => {
      this.requireWritable()
      this.requireRoom()
      const { environment, manifest: before } = this.state
      invariant(id > (before.checkpoint?.checkpointId ?? 0), 'checkpoint ids increase')
      const manifest: Manifest = {
        ...before,
        seq: before.seq + 1,
        tree: whole ? ((1 - before.tree) as 0 | 1) : before.tree,
        tables: this.tables,
        rows: whole ? [] : this.rowCounts(before, blocks),
        checkpoint: { checkpointId: id, epoch: before.epoch, body },
      }
      // All of it is made before the transaction begins: what throws there would leave a part of it behind.
      const bytes = encodeManifest(manifest, this.options.sealing)
      const left = whole ? [] : this.retiredRows(manifest)
      const tree = environment.trees[before.tree]
      const won = await environment.commit(before.seq, () => {
        if (whole) tree.clearAsync()
        else {
          for (const key of left) tree.remove(key)
          for (const block of blocks) visitBlock(block, tree.put.bind(tree), tree.remove.bind(tree))
        }
        environment.putManifest(bytes, manifest.seq)
      })
      if (!won) throw fenced({ file: this.options.file })
      const view = new View(environment, this.options.sealing)
      // Another process has taken over since, from this very checkpoint; nothing can be read of it here any more.
      if (view.seq !== manifest.seq) {
        view.letGo()
        this.dieOf(fenced({ file: this.options.file }))
        return
      }
      this.adopt(view)
      this.publishedOne()
    })
    this.publishing = turn.catch(() => undefined)
    return turn
  }

  /** Runs work of this session as a task: refused when it is closed, waited for by `close`. */
  task<A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A> {
    return () => {
      try {
        this.requireOpen()
      } catch (error) {
        return Promise.resolve(E.left(error as BackendError))
      }
      const running = attempt(this.options.file, work)().then((result) => {
        if (E.isLeft(result)) this.dieOf(result.left)
        return result
      })
      this.underWay.add(running)
      return running
    }
  }

  // --- within

  private get state(): { readonly environment: Environment; readonly manifest: Manifest } {
    const manifest = this.own?.manifest
    invariant(this.environment !== undefined && manifest !== undefined, 'a session that has taken over has a manifest')
    return { environment: this.environment, manifest }
  }

  /** The newest of the file, whoever published it. Kept for a while, for whoever reads it. */
  private async readNewest(): Promise<View | undefined> {
    if (this.environment === undefined) {
      this.looking ??= Environment.ifThere(this.options.file)
      this.environment = await this.looking
      this.looking = undefined
    }
    if (this.environment === undefined) return undefined
    const view = new View(this.environment, this.options.sealing)
    const { manifest } = view
    if (manifest !== undefined && manifest.job !== this.options.job) {
      view.letGo()
      throw new BackendError('BACKEND_NOT_OWNED', { file: this.options.file, expected: this.options.job, found: manifest.job })
    }
    const known = this.reading.find(({ view: { seq } }) => seq === view.seq)
    if (known !== undefined) {
      view.letGo()
      return known.view
    }
    this.reading.push({ view, publishes: 0 })
    return view
  }

  private adopt(view: View): void {
    this.own?.letGo()
    this.own = view
    const known = view.manifest?.tables ?? []
    // Behind them those of checkpoints that are still being written.
    this.tables = [...known, ...this.tables.slice(known.length)]
  }

  private publishedOne(): void {
    for (const each of this.reading) {
      each.publishes += 1
      if (each.publishes > 1) each.view.letGo()
    }
    this.reading = this.reading.filter(({ publishes }) => publishes < 2)
  }

  /** Tables that read from the store know how many rows they have; of any other nobody knows once it has changed. */
  private rowCounts({ rows }: Manifest, blocks: readonly RowBlock[]): Manifest['rows'] {
    const changed = new Set(blocks.map(({ table }) => table))
    return this.tables.map(([uid, table], index) => {
      const reader = this.readers.find(({ name }) => name[0] === uid && name[1] === table)
      return reader?.rowsCaptured ?? (changed.has(index + 1) ? null : (rows[index] ?? null))
    })
  }

  private retiredRows({ tables }: Manifest): readonly RowKey[] {
    return tables.flatMap(([uid], index) => (uid === '' ? this.view.places(tableStart(index + 1), tableStart(index + 2), retiredRowsMax) : []))
  }

  private storedOf(view: View): StoredCheckpoint {
    const checkpoint = view.manifest?.checkpoint ?? null
    invariant(checkpoint !== null, 'only a checkpoint is handed out')
    return {
      checkpointId: checkpointId(checkpoint.checkpointId),
      epoch: epoch(checkpoint.epoch),
      body: checkpoint.body,
      readRows: (visit, isUnwanted = () => false) => this.task(() => view.readRows(visit, isUnwanted, () => this.options.clock.yield())),
    }
  }

  private requireRoom(): void {
    const { fileBytesMax, file } = this.options
    const bytes = this.environment?.bytes ?? 0
    if (bytes > fileBytesMax) throw new BackendError('BACKEND_FULL', { file, bytes, fileBytesMax })
  }

  private requireOpen(): void {
    if (this.closed !== undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session is closed' })
    if (this.dead !== undefined) throw this.dead
  }

  private dieOf(error: BackendError): BackendError {
    if (error.details['fatal'] === true) this.dead ??= error
    return error
  }

  private async settle(): Promise<void> {
    const quiet = this.settled()
    this.options.closing(quiet)
    await quiet
  }

  private async settled(): Promise<void> {
    await Promise.resolve()
    await this.underWay.ended()
    await this.publishing
    for (const { view } of this.reading.splice(0)) view.letGo()
    for (const id of [...this.held.keys()]) this.letGo(id)
    await this.letGoOf()
  }
}
