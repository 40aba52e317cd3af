import { SourceError } from '../../../lib/errors.js'
import type { DeadLetter, SourceBatch, SourceOffset } from '../../../lib/ports/replayableSource.js'
import { excerptBytesMax } from '../jsonLinesReader.js'
import { LineChunk } from '../lineChunk.js'
import { tailBytesMax } from '../lineOffset.js'
import { blank } from '../parsedLine.js'
import type { FileCursor } from './fileCursor.js'
import { fileOffset } from './fileOffset.js'
import { type RecordDecoder, Refusal } from './recordFormat.js'

export interface TakingOptions {
  readonly recordBytesMax: number
  readonly readBytes: number
  /** What stands behind the last newline of a finished file is a record, or refused. */
  readonly unterminated: 'record' | 'malformed'
  /** Whether records that cannot be decoded go to a side output. */
  readonly lettersWanted: boolean
}

/** What was loaded of a file that was not begun. */
export const nothingLoaded = (): LineChunk => new LineChunk(0, Buffer.alloc(0), 0)

const tailOf = ({ bytes }: LineChunk): Buffer => bytes.subarray(Math.max(0, bytes.length - tailBytesMax))

/** Records on their way into a batch. */
interface Records<T> {
  readonly values: T[]
  /** Where in the chunk each record ends, newline included. */
  readonly ends: number[]
  malformed: Map<number, DeadLetter> | undefined
}

/**
 * Takes records out of the bytes of one file after the other. It holds one chunk: what was read at once and at most one unfinished
 * record.
 *
 * **Invariants** Which records there are depends on the bytes alone, not on how many were read at once: of a record over the limit,
 * and of one that is malformed, the first line is refused, and what follows it begins a record.
 */
export class RecordTaker<T> {
  #chunk = nothingLoaded()
  /** A line over the limit whose end has not been found. */
  #tooLong: DeadLetter | undefined
  #headerToCome = false

  constructor(
    private readonly decoder: RecordDecoder<T>,
    private readonly options: TakingOptions,
  ) {}

  /** Goes on in a file, at `position`; `before` are the last bytes before it. */
  begin(position: number, before: Uint8Array, header: boolean): void {
    this.#chunk = new LineChunk(position - before.length, Buffer.from(before), before.length)
    this.#tooLong = undefined
    this.#headerToCome = header
  }

  /** The position behind everything that was loaded. */
  get end(): number {
    return this.#chunk.start + this.#chunk.bytes.length
  }

  /** The position behind everything that was taken. */
  get position(): number {
    return this.#chunk.start + this.#chunk.next
  }

  get headerToCome(): boolean {
    return this.#headerToCome
  }

  /** Whether something was loaded that is no complete record. */
  get hasRest(): boolean {
    return this.#chunk.next < this.#chunk.bytes.length || this.#tooLong !== undefined
  }

  /** The last bytes that were loaded. */
  get tail(): Buffer {
    return tailOf(this.#chunk)
  }

  /**
   * Reads on, up to what can be accepted. Of a file that can be rewritten the last bytes are read once more with those behind them, so that
   * what is loaded really follows on what was read.
   *
   * @param chunk - what was loaded before; that of the file that is being read, if not given
   */
  async load(cursor: FileCursor, chunk = this.#chunk): Promise<LineChunk | 'nothing' | 'rewritten'> {
    const { start, bytes, next } = chunk
    const keptFrom = Math.max(0, next - tailBytesMax)
    const kept = bytes.subarray(keptFrom)
    const tail = tailOf(chunk)
    const again = cursor.isCompressed ? 0 : tail.length
    const grown = Buffer.allocUnsafeSlow(kept.length + this.options.readBytes)
    const filled = await cursor.read(grown.subarray(kept.length - again), again)
    if (filled < again) return 'nothing'
    if (again > 0 && !tail.equals(grown.subarray(kept.length - again, kept.length))) return 'rewritten'
    grown.set(kept)
    const count = filled - again
    if (count === 0) return 'nothing'
    return new LineChunk(start + keptFrom, grown.subarray(0, kept.length + count), next - keptFrom)
  }

  /** Goes on with what was loaded. */
  accept(chunk: LineChunk): void {
    this.#chunk = chunk
  }

  /** Takes the header of a file, which everything else waits for. Answers false when it is not complete here. */
  takeHeader(cursor: FileCursor): boolean {
    const chunk = this.#chunk
    for (let end = this.decoder.recordEnd(chunk); this.#headerToCome && end >= 0; end = this.decoder.recordEnd(chunk))
      this.#headerIs(cursor, end, end + 1)
    if (this.#headerToCome && chunk.bytes.length - chunk.next > this.options.recordBytesMax)
      throw this.#error(cursor, 'RECORD_TOO_LONG', this.#longer)
    return !this.#headerToCome
  }

  #headerIs(cursor: FileCursor, end: number, next: number): void {
    const chunk = this.#chunk
    if (end - chunk.next > this.options.recordBytesMax) throw this.#error(cursor, 'RECORD_TOO_LONG', this.#longer)
    const taken = this.decoder.takeHeader(chunk, end)
    // Without it no record of the file can be decoded: that is no single dead letter.
    if (taken instanceof Refusal) throw this.#error(cursor, 'RECORD_MALFORMED', `the header: ${taken.reason}`)
    if (taken !== blank) this.#headerToCome = false
    chunk.next = next
  }

  /** Complete records, or nothing when there is none. One that ends the run stays, so that those before it go out first. */
  take(cursor: FileCursor, recordsMax: number): SourceBatch<T> | undefined {
    const chunk = this.#chunk
    const records: Records<T> = { values: [], ends: [], malformed: undefined }
    while (records.values.length < recordsMax) {
      const end = this.#tooLong === undefined ? this.decoder.recordEnd(chunk) : chunk.lineEnd()
      if (end < 0 ? !this.#limit(cursor, records) : !this.#takeOne(cursor, end, end + 1, records)) break
    }
    return this.#batch(cursor, records)
  }

  /** What stands behind the last complete record of a finished file, one line at a time. */
  takeRest(cursor: FileCursor): SourceBatch<T> | undefined {
    const chunk = this.#chunk
    const records: Records<T> = { values: [], ends: [], malformed: undefined }
    const { length } = chunk.bytes
    const lineEnd = chunk.lineEnd()
    if (this.#headerToCome) this.#headerIs(cursor, length, length)
    else if (this.#tooLong === undefined && lineEnd >= 0)
      this.#refuse(cursor, 'RECORD_MALFORMED', 'a quote is not closed', lineEnd, lineEnd + 1, records)
    else if (this.#tooLong === undefined && this.options.unterminated === 'malformed')
      this.#refuse(cursor, 'RECORD_MALFORMED', 'no newline at the end of the file', length, length, records)
    else this.#takeOne(cursor, length, length, records)
    return this.#batch(cursor, records)
  }

  /** Takes the record up to `end`; answers false when it has to wait for the next read. */
  #takeOne(cursor: FileCursor, end: number, next: number, records: Records<T>): boolean {
    const chunk = this.#chunk
    if (this.#tooLong !== undefined) {
      this.#putLetter(this.#tooLong, next, records)
      this.#tooLong = undefined
      return true
    }
    if (end - chunk.next > this.options.recordBytesMax) return this.#refuseLine(cursor, 'RECORD_TOO_LONG', this.#longer, end, next, records)
    const value = this.decoder.decode(chunk, end)
    if (value instanceof Refusal) {
      const { reason, extent } = value
      return extent === 'line'
        ? this.#refuseLine(cursor, 'RECORD_MALFORMED', reason, end, next, records)
        : this.#refuse(cursor, 'RECORD_MALFORMED', reason, end, next, records)
    }
    if (value !== blank) {
      records.values.push(value as T)
      records.ends.push(next)
    }
    chunk.next = next
    return true
  }

  /** No end of the record is in the chunk. Answers true when its first line was refused, being over the limit. */
  #limit(cursor: FileCursor, records: Records<T>): boolean {
    const chunk = this.#chunk
    const { length } = chunk.bytes
    if (this.#tooLong === undefined && length - chunk.next <= this.options.recordBytesMax) return false
    const lineEnd = chunk.lineEnd()
    if (lineEnd >= 0) return this.#refuse(cursor, 'RECORD_TOO_LONG', this.#longer, lineEnd, lineEnd + 1, records)
    // What was taken goes out first: the letter of this line has its place behind it.
    if (records.values.length > 0) return false
    if (this.#tooLong === undefined) {
      if (!this.options.lettersWanted) throw this.#error(cursor, 'RECORD_TOO_LONG', this.#longer)
      this.#tooLong = this.#letter(cursor, this.#longer, length)
    }
    chunk.next = length
    return false
  }

  /** Refuses the first line of a record. */
  #refuseLine(
    cursor: FileCursor,
    code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG',
    reason: string,
    end: number,
    next: number,
    records: Records<T>,
  ): boolean {
    const lineEnd = this.#chunk.lineEnd()
    return lineEnd >= 0 && lineEnd < end
      ? this.#refuse(cursor, code, reason, lineEnd, lineEnd + 1, records)
      : this.#refuse(cursor, code, reason, end, next, records)
  }

  get #longer(): string {
    return `longer than ${this.options.recordBytesMax} bytes`
  }

  /** Without a side output for it, a bad record ends the run, after the records before it. */
  #refuse(cursor: FileCursor, code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG', reason: string, end: number, next: number, records: Records<T>): boolean {
    if (this.options.lettersWanted) {
      this.#putLetter(this.#letter(cursor, reason, end), next, records)
      return true
    }
    if (records.values.length > 0) return false
    throw this.#error(cursor, code, reason)
  }

  #error({ path }: FileCursor, code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG', reason: string): SourceError {
    return new SourceError(code, { path, position: this.position, reason })
  }

  #putLetter(letter: DeadLetter, next: number, records: Records<T>): void {
    records.malformed ??= new Map()
    records.malformed.set(records.values.length, letter)
    // A place holder: the index counts, the entry means nothing.
    records.values.push(undefined as T)
    records.ends.push(next)
    this.#chunk.next = next
  }

  #letter(cursor: FileCursor, reason: string, end: number): DeadLetter {
    const { start, next, bytes } = this.#chunk
    return { offset: fileOffset(cursor, start + next, cursor.head, bytes.subarray(0, next)), text: this.#chunk.excerpt(end, excerptBytesMax), reason }
  }

  #batch(cursor: FileCursor, { values, ends, malformed }: Records<T>): SourceBatch<T> | undefined {
    if (values.length === 0) return undefined
    const { start, bytes } = this.#chunk
    const { head } = cursor
    const offsetAfter = (index: number): SourceOffset => {
      const end = ends[index]
      if (end === undefined) throw new RangeError(`a batch of ${values.length} records has no index ${index}`)
      return fileOffset(cursor, start + end, head, bytes.subarray(0, end))
    }
    return malformed === undefined ? { values, offsetAfter } : { values, malformed, offsetAfter }
  }
}
