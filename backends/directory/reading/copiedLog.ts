import { RestoreError, SourceError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import type { FileCursor } from './fileCursor.js'
import type { FileList, ListedFile } from './fileList.js'
import type { FileOffset } from './fileOffset.js'
import { isGzip } from './fileOrder.js'
import { endOfFile, type FoundFile, isLike, type Looked, lookAtFile } from './lookAtFile.js'

/** The file that stands right before a log; with its end, unless it is compressed or there is none. */
interface Before {
  readonly id: string
  readonly end: FileOffset | undefined
}

const nothingBefore: Before = { id: '', end: undefined }

/** So often all files are looked through again because one was renamed meanwhile. */
const triesMax = 8

/**
 * The log of a rotation that copies it and then truncates it.
 *
 * The file stays the same, so neither its identity nor its size tells that it was truncated: it may be as long as before by now, and begin
 * like before. What tells is the copy, which stands right before the log, and is there before the log is truncated.
 *
 * **Invariants** What was read of the log counts when the same file stood right before it afterwards. The copy of what is being read is the
 * file behind the one that stood there.
 *
 * **Fault model** The copy may be incomplete when it is found, the log may be truncated at any moment after that, and several times, and
 * copies may be renamed, compressed and removed.
 */
export class CopiedLog {
  /** The log, while that is what is read. */
  #log: string | undefined
  #before = nothingBefore

  constructor(
    private readonly files: FileLayer,
    private readonly list: FileList,
  ) {}

  /**
   * Begins with a file, at its beginning. Answers false while it is what the file before it is a copy of: it will be truncated.
   *
   * @param seen - what stood before it when it was found to be the next one
   * @param waits - whether it makes sense to wait for the truncation
   */
  async begin(file: FileCursor, seen: ListedFile | undefined, waits: boolean): Promise<boolean> {
    const entries = await this.#entries()
    const place = placeOf(entries, file)
    this.#log = undefined
    if (place < 0) return false
    if (place < entries.length - 1) return true
    const before = await this.#beforeOf(entries[place - 1])
    // A copy that was made, or written to, meanwhile comes first.
    if (before === undefined || before.id !== idOf(seen) || (before.end !== undefined && before.end.position !== seen?.bytes)) return false
    if (waits && before.end !== undefined && (await isLike(this.files, this.list, entries[place] as ListedFile, before.end))) return false
    this.#is(file, before)
    return true
  }

  /** Goes on in a file, in the middle; `before` stood before it when it was read. */
  async resume(file: FileCursor, before: string | undefined): Promise<void> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const entries = await this.#entries()
      const place = placeOf(entries, file)
      if (place < 0 || place < entries.length - 1) return
      const found = before === '' ? nothingBefore : await this.#beforeAmong(entries, place, before)
      if (found !== undefined) return this.#is(file, found)
    }
    throw this.#restless()
  }

  /** What stood before a log: the file that is known to, or the one that stands there now, unless that is a copy that is being made. */
  async #beforeAmong(entries: readonly ListedFile[], place: number, before: string | undefined): Promise<Before | undefined> {
    const known = entries.find(({ id }) => id === before)
    if (known !== undefined) return this.#beforeOf(known)
    const found = await this.#beforeOf(entries[place - 1])
    const isCopy = found?.end !== undefined && (await isLike(this.files, this.list, entries[place] as ListedFile, found.end))
    return isCopy ? this.#beforeOf(entries[place - 2]) : found
  }

  /** Whether a file is the log: it can be truncated. */
  isLog(file: FileCursor): boolean {
    return file.id === this.#log
  }

  /** Whether no copy was made of the log since it was begun: all that was read is of this time. */
  async isUncopied(log: FileCursor): Promise<boolean> {
    const entries = await this.#entries()
    const place = placeOf(entries, log)
    return place >= 0 && idOf(entries[place - 1]) === this.#before.id
  }

  /** The copy to go on in, where the log was truncated after what was read of it, up to `at`. */
  async copyOf(log: FileCursor, at: FileOffset): Promise<FoundFile | RestoreError | undefined> {
    if (!this.isLog(log)) return undefined
    for (let tries = 0; tries < triesMax; tries += 1) {
      const entries = await this.#entries()
      const place = placeOf(entries, log)
      // A log that was renamed or removed is not truncated.
      if (place < 0 || place < entries.length - 1 || idOf(entries[place - 1]) === this.#before.id) return undefined
      const found = await this.#copyAmong(entries, place, log, at)
      if (found !== 'moved') return found
    }
    throw this.#restless()
  }

  async #copyAmong(
    entries: readonly ListedFile[],
    place: number,
    log: FileCursor,
    at: FileOffset,
  ): Promise<FoundFile | RestoreError | 'moved' | undefined> {
    const { files, list } = this
    const older = entries.slice(0, place)
    const index = await this.#indexOfCopy(older, at)
    if (typeof index !== 'number') return index
    const copy = older[index]
    if (copy === undefined) {
      // The file before it was compressed, or removed.
      const before = await this.#beforeOf(older.at(-1))
      if (before !== undefined) this.#is(log, before)
      return before === undefined ? 'moved' : undefined
    }
    if (index === place - 1 && !isGzip(copy.name)) {
      const end = await endOfFile(files, list, copy)
      if (end === undefined) return 'moved'
      // It will be truncated, and was not yet.
      if (await isLike(files, list, entries[place] as ListedFile, end)) return undefined
    }
    const looked: Looked = await lookAtFile(files, list, copy, at)
    if (looked === 'moved' || typeof looked === 'object') return looked
    return this.#gone(at, `${copy.name} does not have what was read of ${at.name}`)
  }

  /** Which of the older files is the copy of what is being read; behind them where none of them is. */
  async #indexOfCopy(older: readonly ListedFile[], at: FileOffset): Promise<number | RestoreError> {
    const { id, end } = this.#before
    if (id === '') return 0
    const known = older.findIndex((entry) => entry.id === id)
    if (known >= 0) return known + 1
    if (end !== undefined && end.position > 0)
      for (const [index, entry] of older.entries()) if (isGzip(entry.name) && (await isLike(this.files, this.list, entry, end))) return index + 1
    const alike: number[] = []
    for (const [index, entry] of older.entries()) if (await isLike(this.files, this.list, entry, at)) alike.push(index)
    if (alike.length > 1) return this.#gone(at, `more than one file may be its copy: ${alike.map((index) => older[index]?.name).join(', ')}`)
    return alike[0] ?? older.length
  }

  #is(log: FileCursor, before: Before): void {
    this.#log = log.id
    this.#before = before
    log.before = before.id
  }

  async #beforeOf(entry: ListedFile | undefined): Promise<Before | undefined> {
    if (entry === undefined) return nothingBefore
    if (isGzip(entry.name)) return { id: entry.id, end: undefined }
    const end = await endOfFile(this.files, this.list, entry)
    return end === undefined ? undefined : { id: entry.id, end }
  }

  async #entries(): Promise<readonly ListedFile[]> {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const entries = await this.list.entries()
      if (entries !== undefined) return entries
    }
    throw this.#restless()
  }

  #restless(): SourceError {
    return new SourceError('SOURCE_IO', { path: this.list.pattern.text, reason: 'the names of the files did not stop changing' })
  }

  #gone({ position }: FileOffset, reason: string): RestoreError {
    return new RestoreError('SOURCE_OFFSET_GONE', { path: this.list.pattern.text, position, reason })
  }
}

const placeOf = (entries: readonly ListedFile[], file: FileCursor): number => entries.findIndex(({ id }) => id === file.id)
const idOf = (entry: ListedFile | undefined): string => entry?.id ?? ''
