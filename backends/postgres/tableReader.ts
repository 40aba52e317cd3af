/**
 * Reads a table that rows are only added to, in the order of their transactions.
 *
 * **Invariants** A row is read when every transaction that began before its own has ended: then nothing can come before it any more. What
 * was handed on moves the place, and nothing else does.
 *
 * **Fault model** Transactions become visible in any order, and may be open for long. The connection may end at any moment: reading changes
 * nothing, and is done again.
 */
import { either as E, taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../lib/clock.js'
import { type ErrorDetails, RestoreError, SourceError } from '../../lib/errors.js'
import type { DeadLetter, SourceFailure, SourceOffset, SourceRead, SourceReader } from '../../lib/ports/replayableSource.js'
import { wait } from '../../lib/wait.js'
import { sqlDetails } from './failures.js'
import { type Link, LinkClosed } from './link.js'
import { offsetOf, placeIn, type StoredPlace } from './rowOffset.js'
import type { RowPlace, RowStatements } from './rowOrder.js'
import { ConnectionLost, isMissing, isRefusal, isRowRefused, serverError } from './sqlState.js'

export interface TableReading<T> {
  readonly uid: string
  readonly clock: Clock
  readonly link: Link
  readonly statements: RowStatements
  readonly decode: (raw: unknown) => E.Either<string, T>
  readonly follow: boolean
  readonly pollMs: number
  readonly deleteRead: boolean
  /** Whether rows that cannot be decoded go to a side output. */
  readonly lettersWanted: boolean
}

/** A row as it is asked for. */
type Row = readonly [xid: string | null, id: string, ...columns: unknown[]]

/** The characters of a bad row that its dead letter shows. */
const excerptMax = 1024

export class TableReader<T> implements SourceReader<T> {
  readonly #reading: TableReading<T>
  readonly #closing = new AbortController()
  #place: RowPlace | undefined
  /** Counts transactions by its own number. */
  #server = ''
  /** Where reading ends that does not follow: behind the newest transaction that had ended when it was opened. */
  #untilXid: string | undefined
  /** What kept rows from being removed. */
  #failure: unknown
  #removed: Promise<unknown> = Promise.resolve()

  constructor(
    reading: TableReading<T>,
    readonly start: SourceOffset,
  ) {
    this.#reading = reading
  }

  /** Finds the place of the offset. */
  open(): Promise<void> {
    return this.#asked(async () => {
      const { link, statements, follow, uid } = this.#reading
      const place = placeIn(this.start, statements.byXid, uid)
      this.#place = place
      await link.again(async (sql) => {
        if (statements.byXid) {
          const { rows } = await sql.query(
            'SELECT (SELECT system_identifier::text FROM pg_control_system()) AS server, pg_snapshot_xmax(pg_current_snapshot())::text AS next',
          )
          const [{ server, next }] = rows as readonly [{ readonly server: string; readonly next: string }]
          this.#server = server
          if (!follow) this.#untilXid = next
          if (place !== undefined) this.#requireSame(place, server, next)
        }
        if (place === undefined) return
        const { rows } = await sql.query(...statements.there(place))
        if (!(rows[0] as { readonly there: boolean }).there)
          throw new RestoreError('SOURCE_OFFSET_GONE', { uid, offset: JSON.stringify(this.start), reason: 'the row that was read last is not there' })
      })
    })
  }

  read(recordsMax: number): taskEither.TaskEither<SourceFailure, SourceRead<T>> {
    return TE.tryCatch(
      () => this.#asked(() => this.#read(recordsMax)),
      (cause) => {
        if (cause instanceof SourceError || cause instanceof RestoreError) return cause
        throw cause
      },
    )
  }

  /** The row of the oldest offset stays: it tells that none behind it was removed. */
  checkpointCompleted(_offset: SourceOffset, oldest: SourceOffset): void {
    const { link, statements, deleteRead, uid } = this.#reading
    const place = deleteRead ? placeIn(oldest, statements.byXid, uid) : undefined
    if (place === undefined || this.#closing.signal.aborted) return
    this.#removed = link
      .again((sql) => sql.query(...statements.remove(place)))
      .catch((error: unknown) => {
        this.#failure ??= error
      })
  }

  close(): task.Task<void> {
    return async () => {
      this.#closing.abort()
      await this.#reading.link.close()
      await this.#removed
    }
  }

  async #read(recordsMax: number): Promise<SourceRead<T>> {
    const { link, statements, follow, pollMs, clock } = this.#reading
    for (;;) {
      this.#stillOpen()
      if (this.#failure !== undefined) throw this.#failure
      // Asked before the rows are: what had ended then is among them.
      const ripe = this.#untilXid === undefined || (await this.#isRipe(this.#untilXid))
      const answer = await link.again((sql) => sql.arrays(...statements.read(this.#place, this.#untilXid, recordsMax)))
      const rows = answer.rows as readonly Row[]
      if (rows.length > 0) {
        const names = answer.fields.slice(2).map(({ name }) => name)
        return this.#batch(rows, names)
      }
      if (!follow && ripe) return { kind: 'end' }
      await wait(clock, pollMs, this.#closing.signal)
    }
  }

  /** Whether every transaction before this one has ended. */
  async #isRipe(xid: string): Promise<boolean> {
    const { rows } = await this.#reading.link.again((sql) => sql.query('SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS ripe', [xid]))
    return (rows[0] as { readonly ripe: boolean }).ripe
  }

  #batch(rows: readonly Row[], names: readonly string[]): SourceRead<T> {
    const { uid, decode, lettersWanted } = this.#reading
    const values: T[] = []
    const places: RowPlace[] = []
    let malformed: Map<number, DeadLetter> | undefined
    for (const [xid, id, ...columns] of rows) {
      const row = Object.fromEntries(names.map((name, index) => [name, columns[index]]))
      const place: RowPlace = { xid: xid ?? undefined, id }
      const decoded = decode(row)
      if (E.isLeft(decoded)) {
        // Without a side output for it, a bad row ends the run, after the rows before it.
        if (!lettersWanted && values.length > 0) break
        const offset = offsetOf(place, this.#server)
        if (!lettersWanted) throw new SourceError('RECORD_MALFORMED', { uid, offset: JSON.stringify(offset), reason: decoded.left })
        malformed ??= new Map()
        malformed.set(values.length, { offset, text: JSON.stringify(row).slice(0, excerptMax), reason: decoded.left })
      }
      // In the place of a bad row: the index counts, the entry means nothing.
      values.push(E.isRight(decoded) ? decoded.right : (undefined as T))
      places.push(place)
    }
    this.#place = places.at(-1)
    const offsetAfter = (index: number): SourceOffset => {
      const place = places[index]
      if (place === undefined) throw new RangeError(`a batch of ${places.length} records has no index ${index}`)
      return offsetOf(place, this.#server)
    }
    return { kind: 'batch', batch: malformed === undefined ? { values, offsetAfter } : { values, malformed, offsetAfter } }
  }

  #requireSame({ server, xid }: StoredPlace, found: string, next: string): void {
    const details: ErrorDetails = { uid: this.#reading.uid, offset: JSON.stringify(this.start) }
    if (server !== found) throw new RestoreError('SOURCE_OFFSET_GONE', { ...details, found, reason: 'another server counts its transactions anew' })
    if (BigInt(xid as string) >= BigInt(next)) throw new RestoreError('SOURCE_OFFSET_AHEAD', { ...details, nextTransaction: next })
  }

  #stillOpen(): void {
    if (this.#closing.signal.aborted) throw new SourceError('SOURCE_IO', { uid: this.#reading.uid, reason: 'the reader was closed' })
  }

  async #asked<A>(work: () => Promise<A>): Promise<A> {
    const { uid } = this.#reading
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof LinkClosed) throw new SourceError('SOURCE_IO', { uid, reason: 'the reader was closed' }, { cause })
      if (isRefusal(cause) || isMissing(cause) || isRowRefused(cause))
        throw new SourceError('SOURCE_REFUSED', { uid, ...sqlDetails(cause) }, { cause })
      if (cause instanceof ConnectionLost || serverError(cause) !== undefined)
        throw new SourceError('SOURCE_IO', { uid, ...sqlDetails(cause) }, { cause })
      throw cause
    }
  }
}
