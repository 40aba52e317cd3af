/**
 * One run's hold on the checkpoints of a job in a database.
 *
 * **Invariants** A checkpoint is one transaction: its rows, what it replaces, what nobody needs any more, and what sinks write along with
 * it. It is committed only while the job's row says that nobody has taken over; that row is locked from then on until the end of the
 * transaction. After `close`, after a fatal failure and after being fenced nothing is published.
 *
 * **Fault model** A connection may end at any moment. When it ended behind a COMMIT, whoever asks for the lock waits until the server knows
 * how that went, and reads it. Where nobody can be asked, the failure is fatal: the next run reads.
 */

import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../lib/clock.js'
import { BackendError, type ErrorDetails, invariant, SinkError } from '../../lib/errors.js'
import { type CheckpointId, type Epoch, epoch, type JobName } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointWriter, StoredCheckpoint, WriterOptions } from '../../lib/ports/checkpointStorage.js'
import { UnderWay } from '../../lib/underWay.js'
import { WriterLine } from '../../lib/writerLine.js'
import type { Connecting } from './connection.js'
import { attempt, fatal } from './failures.js'
import { checksumOfBody, type Head, type Listed, lockedHead, noHead, readHead, readListed } from './jobHead.js'
import { Link, type Sql, type Transaction } from './link.js'
import { PostgresWriter, type Publication, type WriterHost } from './postgresWriter.js'
import { addedRows, endReplaced, removeEnded, type Written } from './rowStatements.js'
import { readVersions } from './storedRows.js'
import { makeTables, type Tables, tablesFound } from './tables.js'

export interface SessionSettings {
  readonly job: JobName
  readonly tables: Tables
  readonly connecting: Connecting
  readonly clock: Clock
  readonly retainedCheckpoints: number
  readonly createTables: boolean
  readonly readOnly: boolean
  /** Whether rows that are read say which checkpoint wrote them. */
  readonly tellsWriters: boolean
}

/** Writes along with a checkpoint, in its transaction. */
export interface Companion {
  /** Answers what is to be called when the transaction was committed. */
  writeUpTo(sql: Sql, id: CheckpointId): Promise<() => void>
}

/** What this session knows to be in the database. */
interface Own {
  readonly epoch: Epoch
  readonly kept: readonly CheckpointId[]
  /** How many rows the newest checkpoint has. */
  readonly rows: number
}

export class PostgresSession implements CheckpointSession, WriterHost {
  private tablesAreThere = false
  private lastRead: Head | undefined
  private readonly readAt = new WeakMap<StoredCheckpoint, { readonly head: Head; readonly rows: number }>()
  private own: Own | undefined
  private dead: BackendError | undefined
  private discarded = false
  private closed: Promise<void> | undefined
  private publishing: Promise<unknown> = Promise.resolve()
  private readonly underWay = new UnderWay()
  private readonly writers = new Set<CheckpointWriter>()
  private readonly line = new WriterLine()
  private readonly held = new Set<CheckpointId>()
  private readonly companions = new Set<Companion>()
  private readonly reading: Link
  private readonly links = new Set<Link>()
  /** Links that no writer has. */
  private readonly idleLinks: Link[] = []

  constructor(
    private readonly settings: SessionSettings,
    private readonly released: (quiet: Promise<void>) => void,
  ) {
    this.reading = this.newLink({ ...settings.connecting, byIndex: true })
  }

  latest(): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    const { tables, job, createTables } = this.settings
    return this.task({ job }, async () => {
      const there = await this.reading.again((sql) => tablesFound(sql, tables))
      this.tablesAreThere = there
      if (!there && !createTables) throw new BackendError('BACKEND_REFUSED', { schema: tables.schema, reason: 'there are no tables of ours' })
      for (;;) {
        const head = there ? await this.reading.again((sql) => readHead(sql, tables, job)) : noHead
        this.lastRead = head
        const newest = head.kept.at(-1)
        if (newest === undefined) return O.none
        const listed = await this.reading.again((sql) => readListed(sql, tables, job, newest))
        // Somebody publishes: what was the newest is gone already.
        if (listed === undefined) continue
        const stored = this.storedOf(listed)
        this.readAt.set(stored, { head, rows: listed.rows })
        return O.some(stored)
      }
    })
  }

  takeOver(from: O.Option<StoredCheckpoint>, above?: Epoch): taskEither.TaskEither<BackendError, Epoch> {
    const { tables, job, retainedCheckpoints } = this.settings
    return this.task(
      { job },
      async () => {
        invariant(this.own === undefined, 'a session takes over once')
        if (this.settings.readOnly) throw new BackendError('BACKEND_NOT_OPEN', { job, reason: 'the session only reads' })
        const read = O.isSome(from) ? this.readAt.get(from.value) : this.lastRead && { head: this.lastRead, rows: 0 }
        invariant(read !== undefined, 'a session takes over from what it read itself')
        const { head, rows } = read
        const next = epoch(Math.max(head.epoch, above ?? 0) + 1)
        if (!this.tablesAreThere) await this.reading.transaction((sql) => makeTables(sql, tables))
        await this.reading.transaction(async (sql) => {
          await sql.query(`INSERT INTO ${tables.jobs} (job, epoch, seq) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING`, [job])
          const { rowCount } = await sql.query(`UPDATE ${tables.jobs} SET epoch = $2, seq = seq + 1 WHERE job = $1 AND epoch = $3 AND seq = $4`, [
            job,
            next,
            head.epoch,
            head.seq,
          ])
          if (rowCount !== 1) throw new BackendError('BACKEND_FENCED', { job, reason: 'somebody published since the newest checkpoint was read' })
          if (O.isSome(from)) return
          await sql.query(`DELETE FROM ${tables.checkpoints} WHERE job = $1`, [job])
          await sql.query(`DELETE FROM ${tables.rows} WHERE job = $1`, [job])
        })
        this.own = { epoch: next, kept: O.isSome(from) ? head.kept.slice(-retainedCheckpoints) : [], rows }
        return next
      },
      'fencing may be read anew',
    )
  }

  begin(id: CheckpointId, { whole = false }: WriterOptions = {}): CheckpointWriter {
    invariant(this.own === undefined || id > (this.own.kept.at(-1) ?? 0), 'checkpoint ids increase')
    const writer = new PostgresWriter(this, id, whole)
    if (this.own !== undefined && this.closed === undefined) this.writers.add(writer)
    return this.line.add(id, writer, { whole })
  }

  hold(id: CheckpointId): taskEither.TaskEither<BackendError, O.Option<StoredCheckpoint>> {
    const { tables, job } = this.settings
    return this.task({ job, checkpointId: id }, async () => {
      // What is being published may remove it.
      await this.publishing
      const kept = this.own?.kept ?? (await this.reading.again((sql) => readHead(sql, tables, job))).kept
      if (!kept.includes(id)) return O.none
      this.held.add(id)
      const listed = await this.reading.again((sql) => readListed(sql, tables, job, id))
      return listed === undefined ? O.none : O.some(this.storedOf(listed))
    })
  }

  letGo(id: CheckpointId): void {
    this.held.delete(id)
  }

  retained(): readonly CheckpointId[] {
    return (this.own ?? this.lastRead ?? noHead).kept.slice(-this.settings.retainedCheckpoints)
  }

  discard(): taskEither.TaskEither<BackendError, void> {
    const { tables, job } = this.settings
    return this.task({ job }, async () => {
      this.requireWritable()
      this.discarded = true
      const own = this.own as Own
      const turn = this.publishing.then(() =>
        this.reading.transaction(async (sql) => {
          const { epoch: found } = await lockedHead(sql, tables, job)
          if (found !== own.epoch) throw this.fenced({ epoch: own.epoch, found })
          await sql.query(`DELETE FROM ${tables.checkpoints} WHERE job = $1`, [job])
          await sql.query(`DELETE FROM ${tables.rows} WHERE job = $1`, [job])
          await sql.query(`UPDATE ${tables.jobs} SET seq = seq + 1 WHERE job = $1`, [job])
        }),
      )
      this.publishing = turn.catch(() => undefined)
      await turn
      this.own = { epoch: own.epoch, kept: [], rows: 0 }
    })
  }

  /** Everything is done when it is published. */
  idle(): task.Task<void> {
    return async () => undefined
  }

  close(): task.Task<void> {
    return () => {
      this.closed ??= this.settle()
      return this.closed
    }
  }

  // --- for sinks that write along

  /** The epoch of this session, once it has taken over. */
  get epoch(): Epoch | undefined {
    return this.own?.epoch
  }

  join(companion: Companion): () => void {
    this.companions.add(companion)
    return () => this.companions.delete(companion)
  }

  /** Reads over the connection of this session. */
  read<A>(work: (sql: Sql) => Promise<A>): Promise<A> {
    return this.reading.again(work)
  }

  // --- for the writers of this session

  requireWritable(): void {
    this.requireOpen()
    if (this.own === undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has not taken over' })
    if (this.discarded) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session has discarded its checkpoints' })
  }

  written(id: CheckpointId): Written {
    this.requireWritable()
    const { tables, job } = this.settings
    return { tables, job, checkpointId: id, epoch: (this.own as Own).epoch }
  }

  takeLink(): Link {
    return this.idleLinks.pop() ?? this.newLink()
  }

  giveBack(link: Link): void {
    this.idleLinks.push(link)
  }

  /** Publishes what a writer wrote, after the publishes before it. */
  publish(what: Publication, transaction: () => Promise<Transaction>, mayCommit: () => void): Promise<void> {
    const turn = this.publishing.then(() => this.publishNow(what, transaction, mayCommit))
    this.publishing = turn.catch(() => undefined)
    return turn
  }

  task<A>(details: ErrorDetails, work: () => Promise<A>, fencing?: 'fencing may be read anew'): taskEither.TaskEither<BackendError, A> {
    return () => {
      try {
        this.requireOpen()
      } catch (error) {
        return Promise.resolve(E.left(error as BackendError))
      }
      const running = attempt(details, work)().then((result) => {
        const retry = fencing !== undefined && E.isLeft(result) && result.left.code === 'BACKEND_FENCED'
        if (E.isLeft(result) && !retry) this.dieOf(result.left)
        return result
      })
      this.track(running)
      return running
    }
  }

  track(work: Promise<unknown>): void {
    this.underWay.add(work)
  }

  forget(writer: CheckpointWriter): void {
    this.writers.delete(writer)
  }

  // --- within

  private async publishNow({ id, whole, body }: Publication, transaction: () => Promise<Transaction>, mayCommit: () => void): Promise<void> {
    this.requireWritable()
    const own = this.own as Own
    const written = this.written(id)
    invariant(id > (own.kept.at(-1) ?? 0), 'checkpoint ids increase')
    const { tables, job, retainedCheckpoints } = this.settings
    const sql = await transaction()
    const { epoch: found } = await lockedHead(sql, tables, job)
    if (found !== own.epoch) throw this.fenced({ epoch: own.epoch, found })
    const ended = await endReplaced(sql, written, whole)
    const rows = (whole ? 0 : own.rows - ended) + (await addedRows(sql, written))
    const text = JSON.stringify(body)
    await sql.query(`INSERT INTO ${tables.checkpoints} (job, checkpoint, epoch, rows, body, crc) VALUES ($1, $2, $3, $4, $5, $6)`, [
      job,
      id,
      own.epoch,
      rows,
      text,
      checksumOfBody(text),
    ])
    const confirmations = await this.writeCompanions(sql, id)
    const kept = [...own.kept, id].slice(-retainedCheckpoints)
    const needed = [...kept, ...this.held]
    await sql.query(`DELETE FROM ${tables.checkpoints} WHERE job = $1 AND NOT checkpoint = ANY($2::bigint[])`, [job, needed])
    await removeEnded(sql, written, Math.min(...needed) as CheckpointId)
    await sql.query(`UPDATE ${tables.jobs} SET seq = seq + 1 WHERE job = $1`, [job])
    this.requireWritable()
    mayCommit()
    if ((await sql.commit()) === 'unknown') await this.findOut(own.epoch, id)
    this.own = { epoch: own.epoch, kept, rows }
    for (const confirm of confirmations) confirm()
  }

  private async writeCompanions(sql: Sql, id: CheckpointId): Promise<readonly (() => void)[]> {
    const confirmations: (() => void)[] = []
    for (const companion of this.companions) {
      try {
        confirmations.push(await companion.writeUpTo(sql, id))
      } catch (error) {
        if (!(error instanceof SinkError)) throw error
        const refused = error.code === 'SINK_REFUSED'
        throw new BackendError('BACKEND_IO', { checkpointId: id, uid: error.details['uid'], ...(refused ? { fatal: true } : {}) }, { cause: error })
      }
    }
    return confirmations
  }

  /** Nobody answered whether a checkpoint was committed. It may be under way: the lock of its transaction is waited for. */
  private async findOut(own: Epoch, id: CheckpointId): Promise<void> {
    const { tables, job } = this.settings
    let found: { readonly head: Pick<Head, 'epoch'>; readonly listed: Listed | undefined }
    try {
      found = await this.reading.transaction(async (sql) => ({
        head: await lockedHead(sql, tables, job),
        listed: await readListed(sql, tables, job, id),
      }))
    } catch (cause) {
      throw new BackendError('BACKEND_IO', { checkpointId: id, reason: 'nobody can tell whether it is published', fatal: true }, { cause })
    }
    if (found.listed?.epoch === own) return
    if (found.head.epoch !== own) throw this.fenced({ epoch: own, found: found.head.epoch })
    throw new BackendError('BACKEND_IO', { checkpointId: id, reason: 'the connection ended before it was published' })
  }

  private fenced(details: ErrorDetails): BackendError {
    return new BackendError('BACKEND_FENCED', { job: this.settings.job, ...details, fatal: true })
  }

  private storedOf(listed: Listed): StoredCheckpoint {
    const { tables, job, tellsWriters } = this.settings
    const { checkpointId, epoch, rows, body } = listed
    return {
      checkpointId,
      epoch,
      body,
      readRows: (visit, isUnwanted) =>
        this.task({ job, checkpointId }, () => readVersions(this.reading, { tables, job, checkpointId, rows, tellsWriters, isUnwanted }, visit)),
    }
  }

  private requireOpen(): void {
    if (this.closed !== undefined) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the session is closed' })
    if (this.dead !== undefined) throw this.dead
  }

  /** After these nothing is published any more. */
  private dieOf(failure: BackendError): void {
    if (failure.details['fatal'] === true) this.dead ??= fatal(failure)
  }

  private newLink(connecting = this.settings.connecting): Link {
    const link = new Link(connecting, this.settings.clock)
    this.links.add(link)
    return link
  }

  private async settle(): Promise<void> {
    let quiet = (): void => undefined
    // The gate is shut in this very call: what follows only waits.
    this.released(
      new Promise((resolve) => {
        quiet = resolve
      }),
    )
    for (const link of this.links) link.halt()
    await Promise.resolve()
    for (const writer of [...this.writers]) await writer.abort()()
    await this.underWay.ended()
    await Promise.all([...this.links].map((link) => link.close()))
    quiet()
  }
}
