import { taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../../lib/clock.js'
import { RestoreError, SourceError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import type { SourceOffset, SourceRead, SourceReader } from '../../../lib/ports/replayableSource.js'
import { openFailure } from '../jsonLinesErrors.js'
import type { LineChunk } from '../lineChunk.js'
import type { CopiedLog } from './copiedLog.js'
import { FileCursor } from './fileCursor.js'
import type { FileList, ListedFile } from './fileList.js'
import { fileOffset } from './fileOffset.js'
import { changed, type FileTrail } from './fileTrail.js'
import { findFile } from './findFile.js'
import { nothingLoaded, type RecordTaker } from './recordTaker.js'

export interface FileReading<T> {
  readonly files: FileLayer
  readonly list: FileList
  readonly trail: FileTrail
  readonly taker: RecordTaker<T>
  /** Where logs are copied and truncated. */
  readonly copied: CopiedLog | undefined
  readonly clock: Clock
  /** Whether each file begins with a header. */
  readonly headed: boolean
  readonly follow: boolean
  readonly pollMs: number
  readonly graceMs: number
  readonly onOffsetGone: 'fail' | 'earliest' | 'next'
}

/** So many polls are waited for a log to be truncated after it was copied. */
const pollsForCopy = 10

/** Where a reader begins. */
export interface FileStart {
  readonly offset: SourceOffset
  /** The file to go on in, and the place that its header is read before, if it has one; none before the first file. */
  readonly cursor: FileCursor | undefined
  readonly headerBefore: number | undefined
}

/**
 * Reads the records of one file after the other, and waits for more where files are followed.
 *
 * **Invariants** A file is left when a newer one has bytes and this one was read to its end after that was seen: whoever writes to
 * the newer one has done with this one. What was left is not read again, and when it grows nevertheless, that is an error.
 *
 * **Fault model** Files may be renamed, compressed, removed and appended to between any two calls. What was read may not be
 * rewritten; copiedLog.ts has what is truncated.
 */
export class FileSourceReader<T> implements SourceReader<T> {
  readonly start: SourceOffset
  readonly #reading: FileReading<T>
  #cursor: FileCursor | undefined
  #headerBefore: number | undefined
  /** The last line was taken although it had no newline: nothing may follow it. */
  #sealed = false
  /** This file was the newest one: its writer may need some time to leave it. */
  #wasNewest = false
  #leaveAtMs: number | undefined
  /** When a log that begins with the whole of its copy is no longer taken for one that was not truncated yet. */
  #copiedAtMs: number | undefined
  #closed = false
  #wake: (() => void) | undefined
  #pending: Promise<unknown> = Promise.resolve()

  constructor(reading: FileReading<T>, { offset, cursor, headerBefore }: FileStart) {
    this.#reading = reading
    this.start = offset
    this.#cursor = cursor
    this.#headerBefore = headerBefore
  }

  read(recordsMax: number): taskEither.TaskEither<SourceError | RestoreError, SourceRead<T>> {
    return TE.tryCatch(
      () => {
        const reading = this.#read(recordsMax)
        this.#pending = reading.catch(() => undefined)
        return reading
      },
      (cause) => openFailure(this.#reading.list.pattern.text, cause),
    )
  }

  close(): task.Task<void> {
    return async () => {
      this.#closed = true
      this.#wake?.()
      await this.#pending
      const cursor = this.#cursor
      this.#cursor = undefined
      // Nothing depends on how the end of reading went: every record that was handed on has been read whole.
      await cursor?.close().catch(() => undefined)
    }
  }

  async #read(recordsMax: number): Promise<SourceRead<T>> {
    const { taker } = this.#reading
    for (;;) {
      this.#stillOpen()
      const cursor = this.#cursor
      if (cursor !== undefined) {
        if (!taker.headerToCome || taker.takeHeader(cursor)) {
          await this.#passHeader(cursor)
          const batch = taker.take(cursor, recordsMax)
          if (batch !== undefined) return { kind: 'batch', batch }
        }
        const loaded = this.#sealed ? 'nothing' : await taker.load(cursor)
        if (loaded === 'rewritten') await this.#goOnInCopy(cursor, changed(cursor.path, 'it was rewritten', taker.end))
        // What was loaded counts only if the log was not truncated before.
        else if (loaded !== 'nothing' && !(await this.#wasTruncated(cursor))) taker.accept(loaded)
        if (loaded !== 'nothing') continue
      }
      const step = await this.#atEnd()
      if (step === 'ended') return { kind: 'end' }
      if (step === 'more' || cursor === undefined) continue
      this.#sealed = true
      const batch = taker.takeRest(cursor)
      if (batch !== undefined) return { kind: 'batch', batch }
    }
  }

  /** Goes from behind the header to where reading goes on. */
  async #passHeader(cursor: FileCursor): Promise<void> {
    const position = this.#headerBefore
    if (position === undefined) return
    const { taker } = this.#reading
    this.#headerBefore = undefined
    if (position <= taker.position) return
    const before = await cursor.moveTo(position)
    if (before === undefined) throw truncated(cursor, position)
    taker.begin(position, before, false)
  }

  /** What to do at the end of what was loaded: go on, take what has no newline, or end. */
  async #atEnd(): Promise<'more' | 'rest' | 'ended'> {
    const { trail, clock, follow, graceMs } = this.#reading
    for (;;) {
      this.#stillOpen()
      const cursor = this.#cursor
      if (cursor !== undefined && (await this.#hasGrown(cursor))) return 'more'
      const newer = await trail.newer(cursor)
      if (cursor !== undefined) cursor.olderCount = trail.olderCount
      if (newer === 'changing') await this.#wait()
      else if (newer === 'none') {
        // A log that was truncated may have become as long as before.
        if (cursor !== undefined && (await this.#wasTruncated(cursor))) return 'more'
        if (!follow) return this.#finished(cursor) ? 'ended' : 'rest'
        this.#wasNewest = true
        await this.#wait()
      } else if (newer === 'lost') {
        await this.#findAgain(cursor as FileCursor)
        if (this.#cursor === undefined) return 'more'
      } else if (cursor === undefined) {
        if (await this.#enter(newer)) return 'more'
      } else {
        // Only what is written from now on could be missed, and a newer file has begun.
        if (await this.#hasGrown(cursor)) return 'more'
        if (this.#wasNewest && graceMs > 0) {
          this.#leaveAtMs ??= clock.nowMs() + graceMs
          if (clock.nowMs() < this.#leaveAtMs) {
            await this.#wait()
            continue
          }
        }
        if (!this.#finished(cursor)) return 'rest'
        if (await this.#enter(newer)) return 'more'
      }
    }
  }

  /** Whether nothing is left of a file that gets no more. */
  #finished(cursor: FileCursor | undefined): boolean {
    if (cursor === undefined) return true
    if (cursor.isIncomplete)
      throw new SourceError('SOURCE_FILE_DAMAGED', { path: cursor.path, position: this.#reading.taker.end, reason: 'it ends in the middle' })
    return !this.#reading.taker.hasRest
  }

  /** Whether there is more to load. A file that shrank is an error, or was copied before. */
  async #hasGrown(cursor: FileCursor): Promise<boolean> {
    const { end, tail } = this.#reading.taker
    const left = await cursor.bytesLeft()
    this.#stillOpen()
    if (left === 0) return false
    if (left < 0) {
      await this.#goOnInCopy(cursor, truncated(cursor, end))
      return true
    }
    if (this.#sealed) throw changed(cursor.path, 'it grew after its last line, which had no newline, was taken', end)
    if (cursor.isCompressed) {
      const before = await cursor.moveTo(end)
      if (before === undefined) throw truncated(cursor, end)
      if (!tail.equals(before)) throw changed(cursor.path, 'it was rewritten', end)
    }
    this.#leaveAtMs = undefined
    this.#copiedAtMs = undefined
    return true
  }

  /** A log that was copied and then truncated, where that is allowed: what was not read of it is in the copy. */
  async #goOnInCopy(cursor: FileCursor, failure: SourceError): Promise<void> {
    const { files, list, copied } = this.#reading
    if (copied === undefined || cursor.isCompressed) throw failure
    const at = this.#offsetAtEnd(cursor)
    const found = (await copied.copyOf(cursor, at)) ?? (await findFile(files, list, at, true))
    if (found instanceof RestoreError) throw new SourceError(failure.code, failure.details, { cause: found })
    await this.#goOnWith(found.cursor, cursor)
  }

  /** Whether a log was copied and truncated, though it does not look like it; then reading goes on in the copy. */
  async #wasTruncated(cursor: FileCursor): Promise<boolean> {
    const at = this.#offsetAtEnd(cursor)
    const found = await this.#reading.copied?.copyOf(cursor, at)
    if (found === undefined) return false
    if (found instanceof RestoreError) throw new SourceError('SOURCE_FILE_TRUNCATED', { path: cursor.path, position: at.position }, { cause: found })
    await this.#goOnWith(found.cursor, cursor)
    return true
  }

  /** The file is not among the others any more: it was compressed, or removed. */
  async #findAgain(cursor: FileCursor): Promise<void> {
    const { files, list, onOffsetGone } = this.#reading
    const found = await findFile(files, list, this.#offsetAtEnd(cursor), false)
    if (!(found instanceof RestoreError)) return this.#goOnWith(found.cursor, cursor)
    if (onOffsetGone === 'fail') throw found
    // All that is left is newer: rotation removes the oldest file.
    this.#reading.taker.begin(0, new Uint8Array(), false)
    this.#cursor = undefined
    await cursor.close()
  }

  /** The same content in another file. */
  async #goOnWith(found: FileCursor, before: FileCursor): Promise<void> {
    this.#cursor = found
    this.#wasNewest = false
    await before.close()
  }

  #offsetAtEnd(cursor: FileCursor): ReturnType<typeof fileOffset> {
    const { end, tail } = this.#reading.taker
    return fileOffset(cursor, end, cursor.head, tail)
  }

  /** Begins a file. Answers false when its name leads to another one by now, or when it is not its turn yet. */
  async #enter(next: ListedFile): Promise<boolean> {
    const { files, list, trail, taker, headed } = this.#reading
    const entered = await FileCursor.open(files, list.path(next.name), next.name, next.id)
    if (entered === undefined) return false
    let first: LineChunk | undefined
    try {
      first = await this.#firstOf(entered)
    } catch (cause) {
      await entered.close().catch(() => undefined)
      throw cause
    }
    if (first === undefined) {
      await entered.close()
      return false
    }
    const left = this.#cursor
    trail.pass(next, left, taker.end)
    entered.olderCount = trail.olderCount
    taker.begin(0, new Uint8Array(), headed)
    taker.accept(first)
    this.#cursor = entered
    this.#sealed = false
    this.#wasNewest = false
    this.#leaveAtMs = undefined
    this.#copiedAtMs = undefined
    await left?.close()
    return true
  }

  /** What is loaded of a file before it is begun: of a log that is copied and truncated enough to know that it is not the one before. */
  async #firstOf(entered: FileCursor): Promise<LineChunk | undefined> {
    const { copied, trail, taker, clock, pollMs, graceMs } = this.#reading
    if (copied === undefined) return nothingLoaded()
    this.#copiedAtMs ??= clock.nowMs() + Math.max(graceMs, pollsForCopy * pollMs)
    if (!(await copied.begin(entered, trail.beforeNext, clock.nowMs() < this.#copiedAtMs))) {
      await this.#wait()
      return undefined
    }
    if (!copied.isLog(entered)) return nothingLoaded()
    const first = await taker.load(entered, nothingLoaded())
    return typeof first === 'object' && (await copied.isUncopied(entered)) ? first : undefined
  }

  #stillOpen(): void {
    if (this.#closed) throw new SourceError('SOURCE_IO', { path: this.#reading.list.pattern.text, reason: 'the reader was closed' })
  }

  async #wait(): Promise<void> {
    const { clock, pollMs } = this.#reading
    this.#stillOpen()
    await new Promise<void>((resolve) => {
      const cancel = clock.callAt(clock.nowMs() + pollMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
    this.#wake = undefined
  }
}

const truncated = ({ path }: FileCursor, position: number): SourceError => new SourceError('SOURCE_FILE_TRUNCATED', { path, position })
