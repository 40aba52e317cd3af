/**
 * One run's hold on the checkpoints of a job in a store of keys and values.
 *
 * **Invariants** A checkpoint is one step of the store: the rows that changed, the rows that they replace, and the head, provided that the
 * head is still the one that this session wrote. So the rows in place are those of the newest checkpoint, always. Steps that
 * change the head run one after the other. After `close`, after a fatal failure and after being fenced nothing is published.
 *
 * **Fault model** The process may die anywhere, a step may fail, and somebody else may take over at any time.
 */

import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../clock.js'
import { BackendError, invariant } from '../errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch } from '../identity.js'
import type { Json } from '../json.js'
import type { CheckpointSession, CheckpointWriter, StoredCheckpoint, WriterOptions } from '../ports/checkpointStorage.js'
import type { Journal } from '../ports/journal.js'
import type { KeyValueReads, KeyValueStore, KeyValueWrites } from '../ports/keyValueStore.js'
import { UnderWay } from '../underWay.js'
import { WriterLine } from '../writerLine.js'
import { attempt } from './attempt.js'
import type { ChangedRows } from './changedRows.js'
import { cleanUp } from './cleanUp.js'
import { encodeHead, type Head, type ListedCheckpoint, noHead, readHead } from './head.js'
import { KeyValueJournal } from './keyValueJournal.js'
import { KeyValueWriter, type WriterHost } from './keyValueWriter.js'
import { bodyPlace, headPlace } from './places.js'
import { sealedText, unsealedJson } from './sealed.js'
import { readStoredRows } from './storedRows.js'

/** So many keys that nobody needs any more go in one step. */
const cleanedKeys = 1_000

export interface SessionSettings {
  readonly job: string
  readonly retainedCheckpoints: number
  readonly clock: Clock
  readonly readOnly: boolean
  /** Tables that are read as they are asked: an index of their keys is kept. None unless told. */
  readonly isIndexed?: (uid: string, table: string) => boolean
  /** Called when the session begins to close. */
  closing(quiet: Promise<void>): void
}

export class KeyValueSession implements CheckpointSession, WriterHost {
  /** The head as this session left it. */
  protected own: Head | undefined
  private lastRead: Head | undefined
  private readonly readAt = new WeakMap<StoredCheckpoint, Head>()
  private readonly held = new Set<CheckpointId>()
  /** The generations that whole checkpoints are being written to. */
  private readonly written = new Set<number>()
  private readonly journals = new Set<Journal>()
  private changing: Promise<unknown> = Promise.resolve()
  private cleaning: Promise<unknown> = Promise.resolve()
  private readonly underWay = new UnderWay()
  private readonly line = new WriterLine()
  protected dead: BackendError | undefined
  private discarded = false
  private closed: Promise<void> | undefined

  constructor(
    protected readonly store: KeyValueStore,
    protected readonly settings: SessionSettings,
  ) {}

  latest(): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(() =>
      this.store.read(async (at) => {
        const head = await readHead(at, this.settings.job)
        this.lastRead = head
        const listed = head.checkpoints.at(-1)
        if (listed === undefined) return O.none
        const stored = await this.storedOf(at, listed)
        this.readAt.set(stored, head)
        return O.some(stored)
      }),
    )
  }

  takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    const { job, readOnly } = this.settings
    return this.task(async () => {
      invariant(this.own === undefined, 'a session takes over once')
      if (readOnly) throw new BackendError('BACKEND_NOT_OPEN', { job, reason: 'the session only reads' })
      const read = O.isSome(from) ? this.readAt.get(from.value) : this.lastRead
      invariant(read !== undefined, 'a session takes over from what it read itself')
      const next = epoch(Math.max(read.epoch, above ?? 0) + 1)
      this.own = await this.store.write(async (at) => {
        const found = await readHead(at, job)
        // The caller may read anew, and try again.
        if (found.seq !== read.seq)
          throw new BackendError('BACKEND_FENCED', { job, reason: 'somebody published since the newest checkpoint was read' })
        this.requireOpen()
        // Nobody has published; but somebody may be writing aside, and what that took is not given to anybody else.
        const anew = { checkpoints: [], generation: found.generationNext, generationNext: found.generationNext + 1 }
        const head: Head = { ...found, ...(O.isSome(from) ? {} : anew), epoch: next, seq: found.seq + 1 }
        at.put(headPlace, encodeHead(head))
        return head
      })
      return next
    })
  }

  begin(id: CheckpointId, { whole = false }: WriterOptions = {}): CheckpointWriter {
    invariant(id > this.lastPublished, 'checkpoint ids increase')
    return this.line.add(id, new KeyValueWriter(this, id, whole), { whole })
  }

  journal(): taskEither.TaskEither<BackendError, Journal> {
    return this.task(async () => {
      const { epoch: own } = this.requireWritable()
      const requireWriter = (at: KeyValueReads) => this.requireEpoch(at, own)
      const journal = await KeyValueJournal.open(this.store, requireWriter)
      this.journals.add(journal)
      return journal
    })
  }

  hold(id: CheckpointId): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    return this.task(async () => {
      // What is being published may remove it.
      await this.changing
      const known = this.own !== undefined
      const found = this.own ?? (await this.store.read((at) => readHead(at, this.settings.job)))
      const listed = found.checkpoints.find((each) => each.id === id)
      if (listed === undefined) return O.none
      if (known) this.held.add(id)
      return this.store.read(async (at) => {
        const head = await readHead(at, this.settings.job)
        return head.checkpoints.some((each) => each.id === id) ? O.some(await this.storedOf(at, listed)) : O.none
      })
    })
  }

  letGo(id: CheckpointId): void {
    this.held.delete(id)
  }

  retained(): readonly CheckpointId[] {
    const { checkpoints } = this.own ?? this.lastRead ?? noHead(this.settings.job)
    return checkpoints.slice(-this.settings.retainedCheckpoints).map(({ id }) => checkpointId(id))
  }

  /** What was a checkpoint is then what nobody needs any more. */
  discard(): taskEither.TaskEither<BackendError, void> {
    return this.task(async () => {
      this.requireWritable()
      this.discarded = true
      await this.change(async (_at, head) => ({
        ...head,
        seq: head.seq + 1,
        checkpoints: [],
        generation: head.generationNext,
        generationNext: head.generationNext + 1,
      }))
      this.cleaning = this.cleanRest()
      await this.cleaning
    })
  }

  idle(): task.Task<void> {
    return async () => {
      await this.cleaning
    }
  }

  close(): task.Task<void> {
    return () => {
      this.closed ??= this.settle()
      return this.closed
    }
  }

  // --- for the writers of this session

  task<A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A> {
    return () => {
      try {
        this.requireOpen()
      } catch (error) {
        return Promise.resolve(E.left(error as BackendError))
      }
      const running = attempt(work)().then((result) => {
        if (E.isLeft(result)) this.dieOf(result.left)
        return result
      })
      this.underWay.add(running)
      return running
    }
  }

  /** The head as it is now. Throws when nothing may be written or published any more. */
  requireWritable(): Head {
    this.requireOpen()
    if (this.discarded) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has discarded its checkpoints' })
    return this.requireOwn()
  }

  async beginGeneration(): Promise<number> {
    const { generationNext } = await this.change(async (_at, head) => ({ ...head, generationNext: head.generationNext + 1 }))
    this.written.add(generationNext - 1)
    return generationNext - 1
  }

  endGeneration(generation: number): void {
    this.written.delete(generation)
  }

  async writeAside(generation: number, rows: ChangedRows): Promise<number> {
    let more = 0
    await this.change(async (at, head) => {
      const { tables, added } = await rows.writeTo(at, { generation, tables: head.tables, undo: undefined, isIndexed: this.settings.isIndexed })
      more = added
      return tables === head.tables ? head : { ...head, tables }
    })
    return more
  }

  async publish(id: CheckpointId, body: Json, rows: ChangedRows, aside?: { readonly generation: number; readonly rows: number }): Promise<void> {
    let cleaned = true
    await this.change(async (at, head) => {
      this.requireWritable()
      invariant(id > this.lastPublished, 'checkpoint ids increase')
      const generation = aside?.generation ?? head.generation
      const kept = this.keptOf(head.checkpoints)
      const before = kept.findLast((each) => each.generation === generation)
      const newest = head.checkpoints.at(-1)
      // The newest one is the one to be found again: an older one is found by going further back.
      const undo = before === undefined || newest === undefined ? undefined : checkpointId(newest.id)
      const { tables, added } = await rows.writeTo(at, { generation, tables: head.tables, undo, isIndexed: this.settings.isIndexed })
      const listed: ListedCheckpoint = { id, epoch: head.epoch, generation, rows: added + (aside?.rows ?? newest?.rows ?? 0) }
      const next: Head = { ...head, seq: head.seq + 1, generation, tables, indexed: this.indexedOf(tables), checkpoints: [...kept, listed] }
      cleaned = await cleanUp(at, next, this.written, cleanedKeys)
      at.put(bodyPlace(id), sealedText(JSON.stringify(body)))
      return next
    })
    if (!cleaned) this.cleaning = this.cleanRest()
  }

  // --- within

  /** Changes the head, and other things with it, in one step behind those before it. */
  protected change(work: (at: KeyValueWrites, head: Head) => Promise<Head>): Promise<Head> {
    const turn = this.changing.then(async () => {
      const own = this.requireOwn()
      const next = await this.store.write(async (at) => {
        const found = await this.requireEpoch(at, own.epoch)
        invariant(found.seq === own.seq, 'nobody else publishes in an epoch')
        const changed = await work(at, own)
        // The gate may have been shut meanwhile.
        this.requireOpen()
        if (changed !== own) at.put(headPlace, encodeHead(changed))
        return changed
      })
      this.own = next
      return next
    })
    this.changing = turn.catch(() => undefined)
    return turn
  }

  private requireOwn(): Head {
    this.requireOpen()
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
    return this.own
  }

  private async requireEpoch(at: KeyValueReads, own: number): Promise<Head> {
    this.requireOpen()
    const head = await readHead(at, this.settings.job)
    if (head.epoch !== own) throw new BackendError('BACKEND_FENCED', { job: this.settings.job, epoch: own, found: head.epoch, fatal: true })
    return head
  }

  /** All tables that have an index have had it from their first row on, or since the takeover. */
  private indexedOf(tables: Head['tables']): Head['indexed'] {
    const { isIndexed } = this.settings
    const numbers = tables.flatMap((name, number) => (isIndexed?.(...name) === true ? [number] : []))
    return numbers.length === 0 ? undefined : numbers
  }

  /** What stays when one more is published. */
  private keptOf(checkpoints: Head['checkpoints']): Head['checkpoints'] {
    const retained = this.settings.retainedCheckpoints - 1
    return checkpoints.filter(({ id }, index) => index >= checkpoints.length - retained || this.held.has(checkpointId(id)))
  }

  /** Goes on until nothing is left that nobody needs. What a failure leaves is removed behind the next publish. */
  private async cleanRest(): Promise<void> {
    for (let all = false; !all; ) {
      await this.settings.clock.yield()
      const step = await this.task(() =>
        this.change(async (at, head) => {
          all = await cleanUp(at, head, this.written, cleanedKeys)
          return head
        }),
      )()
      if (E.isLeft(step)) return
    }
  }

  private async storedOf(at: KeyValueReads, listed: ListedCheckpoint): Promise<StoredCheckpoint> {
    const { job, clock } = this.settings
    const [body] = await at.get([bodyPlace(listed.id)])
    if (body === undefined) throw new BackendError('SNAPSHOT_CORRUPT', { checkpointId: listed.id, what: 'the body', reason: 'it is missing' })
    const rows = { store: this.store, job, listed, breathe: () => clock.yield() }
    return {
      checkpointId: checkpointId(listed.id),
      epoch: epoch(listed.epoch),
      body: unsealedJson(body, 'the body'),
      readRows: (visit, isUnwanted) => this.task(() => readStoredRows(rows, visit, isUnwanted)),
    }
  }

  private get lastPublished(): number {
    return this.own?.checkpoints.at(-1)?.id ?? 0
  }

  private requireOpen(): void {
    if (this.closed !== undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session is closed' })
    if (this.dead !== undefined) throw this.dead
  }

  /** After these nothing is published any more. */
  private dieOf(failure: BackendError): void {
    if (failure.details['fatal'] === true) this.dead ??= failure
  }

  private settle(): Promise<void> {
    const quiet = this.settled()
    this.settings.closing(quiet)
    return quiet
  }

  private async settled(): Promise<void> {
    // The gate is shut by the call; what follows only waits.
    await Promise.resolve()
    for (const journal of this.journals) await journal.close()()
    await this.underWay.ended()
    await this.changing
    await this.cleaning
    await this.store.close()
  }
}
