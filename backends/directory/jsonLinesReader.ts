import { type either, taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { Clock } from '../../lib/clock.js'
import { SourceError } from '../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import type { DeadLetter, SourceBatch, SourceOffset, SourceRead, SourceReader } from '../../lib/ports/replayableSource.js'
import { systemCodeOf } from './failures.js'
import { readFailure } from './jsonLinesErrors.js'
import { LineChunk } from './lineChunk.js'
import { bytesAt, headBytesMax, lineOffset, tailBytesMax } from './lineOffset.js'
import { blank, noJson, parsedLine } from './parsedLine.js'

/** So much of a line that cannot be decoded goes into its dead letter. */
export const excerptBytesMax = 1024

export interface LineReading<T> {
  readonly path: string
  readonly files: FileLayer
  readonly clock: Clock
  readonly decode: (raw: unknown) => either.Either<string, T>
  readonly follow: boolean
  readonly followMs: number
  readonly lineBytesMax: number
  readonly readBytes: number
  /** Whether lines that cannot be decoded go to a side output. */
  readonly lettersWanted: boolean
}

/** Where a reader begins: an open file, or none when it has yet to appear, and what stands before the position. */
export interface LineStart {
  readonly offset: SourceOffset
  readonly file: OpenFile | undefined
  readonly position: number
  readonly head: Uint8Array
  readonly before: Uint8Array
}

/** Lines on their way into a batch. */
interface Lines<T> {
  readonly values: T[]
  /** Where in the chunk each line ends, newline included. */
  readonly ends: number[]
  malformed: Map<number, DeadLetter> | undefined
}

/** Reads the lines of one file, a chunk at a time. It holds one chunk: what it read at once and at most one unfinished line. */
export class JsonLinesReader<T> implements SourceReader<T> {
  readonly start: SourceOffset
  readonly #reading: LineReading<T>
  #file: OpenFile | undefined
  /** The first bytes of the file, as many as were seen of {@link headBytesMax}. */
  #head: Uint8Array
  #chunk: LineChunk
  /** A line over the limit whose end has not been found. */
  #tooLong: DeadLetter | undefined
  #closed = false
  #wake: (() => void) | undefined
  #pending: Promise<unknown> = Promise.resolve()

  constructor(reading: LineReading<T>, start: LineStart) {
    this.#reading = reading
    this.start = start.offset
    this.#file = start.file
    this.#head = start.head
    this.#chunk = new LineChunk(start.position - start.before.length, Buffer.from(start.before), start.before.length)
  }

  read(recordsMax: number): taskEither.TaskEither<SourceError, SourceRead<T>> {
    return TE.tryCatch(
      () => {
        const reading = this.#read(recordsMax)
        this.#pending = reading.catch(() => undefined)
        return reading
      },
      (cause) => readFailure(this.#reading.path, cause),
    )
  }

  close(): task.Task<void> {
    return async () => {
      this.#closed = true
      this.#wake?.()
      await this.#pending
      const file = this.#file
      this.#file = undefined
      // Nothing depends on how the end of reading went: every record that was handed on has been read whole.
      await file?.close().catch(() => undefined)
    }
  }

  async #read(recordsMax: number): Promise<SourceRead<T>> {
    const file = await this.#opened()
    for (;;) {
      const lines = this.#lines(recordsMax)
      if (lines.values.length > 0) return this.#batch(lines)
      this.#stillOpen()
      if (await this.#load(file)) continue
      if (this.#reading.follow) await this.#growth(file)
      else return this.#lastLine()
    }
  }

  #stillOpen(): void {
    if (this.#closed) throw new SourceError('SOURCE_IO', { path: this.#reading.path, reason: 'the reader was closed' })
  }

  async #opened(): Promise<OpenFile> {
    for (;;) {
      this.#stillOpen()
      if (this.#file !== undefined) return this.#file
      try {
        this.#file = await this.#reading.files.open(this.#reading.path)
      } catch (cause) {
        if (!this.#reading.follow || systemCodeOf(cause) !== 'ENOENT') throw cause
        await this.#wait()
      }
    }
  }

  /** Takes complete lines out of the chunk. A line that ends the run stays, so that the records before it go out first. */
  #lines(recordsMax: number): Lines<T> {
    const chunk = this.#chunk
    const lines: Lines<T> = { values: [], ends: [], malformed: undefined }
    while (lines.values.length < recordsMax) {
      const end = chunk.lineEnd()
      if (end < 0) {
        if (lines.values.length === 0) this.#limitLine()
        break
      }
      if (!this.#take(end, end + 1, lines)) break
    }
    return lines
  }

  /** Takes the line up to `end`; answers false when it has to wait for the next read. */
  #take(end: number, next: number, lines: Lines<T>): boolean {
    const { lineBytesMax, decode } = this.#reading
    const chunk = this.#chunk
    if (this.#tooLong !== undefined) {
      this.#refuse(this.#tooLong, lines)
      this.#tooLong = undefined
    } else if (end - chunk.next > lineBytesMax) {
      if (!this.#refused('RECORD_TOO_LONG', `longer than ${lineBytesMax} bytes`, end, lines)) return false
    } else {
      const text = chunk.textTo(end)
      let reason = 'no UTF-8'
      if (text !== undefined) {
        const raw = parsedLine(text)
        if (raw === blank) {
          chunk.next = next
          return true
        }
        reason = 'no JSON'
        if (raw !== noJson) {
          const decoded = decode(raw)
          if (decoded._tag === 'Right') {
            lines.values.push(decoded.right)
            lines.ends.push(next)
            chunk.next = next
            return true
          }
          reason = decoded.left
        }
      }
      if (!this.#refused('RECORD_MALFORMED', reason, end, lines)) return false
    }
    lines.ends.push(next)
    chunk.next = next
    return true
  }

  /** Without a side output for it, a bad line ends the run, after the lines before it. */
  #refused(code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG', reason: string, end: number, lines: Lines<T>): boolean {
    if (this.#reading.lettersWanted) {
      this.#refuse(this.#letter(reason, end), lines)
      return true
    }
    if (lines.values.length > 0) return false
    throw new SourceError(code, { path: this.#reading.path, position: this.#chunk.start + this.#chunk.next, reason })
  }

  #refuse(letter: DeadLetter, lines: Lines<T>): void {
    lines.malformed ??= new Map()
    lines.malformed.set(lines.values.length, letter)
    // A place holder: the index counts, the entry means nothing.
    lines.values.push(undefined as T)
  }

  #letter(reason: string, end: number): DeadLetter {
    const { start, next, bytes } = this.#chunk
    return { offset: lineOffset(start + next, this.#head, bytes.subarray(0, next)), text: this.#chunk.excerpt(end, excerptBytesMax), reason }
  }

  /** Lets go of a line that is over the limit before its end was found. */
  #limitLine(): void {
    const { lineBytesMax, lettersWanted, path } = this.#reading
    const chunk = this.#chunk
    const end = chunk.bytes.length
    if (this.#tooLong === undefined) {
      if (end - chunk.next <= lineBytesMax) return
      const reason = `longer than ${lineBytesMax} bytes`
      if (!lettersWanted) throw new SourceError('RECORD_TOO_LONG', { path, position: chunk.start + chunk.next, reason })
      this.#tooLong = this.#letter(reason, end)
    }
    chunk.next = end
  }

  /** Reads on; answers false at the end of the file. */
  async #load(file: OpenFile): Promise<boolean> {
    const { start, bytes, next } = this.#chunk
    const keptFrom = Math.max(0, next - tailBytesMax)
    const kept = bytes.subarray(keptFrom)
    const grown = Buffer.allocUnsafeSlow(kept.length + this.#reading.readBytes)
    grown.set(kept)
    const position = start + bytes.length
    const count = await file.read(grown.subarray(kept.length), position)
    this.#stillOpen()
    if (count === 0) return false
    this.#chunk = new LineChunk(start + keptFrom, grown.subarray(0, kept.length + count), next - keptFrom)
    this.#seeHead(position, grown.subarray(kept.length, kept.length + count))
    return true
  }

  #seeHead(position: number, bytes: Uint8Array): void {
    const seen = this.#head.length
    if (seen >= headBytesMax) return
    this.#head = Buffer.concat([this.#head, bytes.subarray(seen - position, headBytesMax - position)])
  }

  /** Waits until the file is longer. A file that shrank or that gave its name to another one is an error, not a wait. */
  async #growth(file: OpenFile): Promise<void> {
    const { files, path } = this.#reading
    const { start, bytes } = this.#chunk
    const end = start + bytes.length
    for (;;) {
      const before = await file.size()
      const named = await files.size(path)
      const after = await file.size()
      if (after < end) throw new SourceError('SOURCE_IO', { path, reason: 'the file shrank while it was read', position: end, bytes: after })
      if (named === undefined || named < before || named > after)
        throw new SourceError('SOURCE_IO', { path, reason: 'the file was replaced while it was read', position: end })
      this.#stillOpen()
      if (after > end) break
      await this.#wait()
      this.#stillOpen()
    }
    const tail = bytes.subarray(Math.max(0, bytes.length - tailBytesMax))
    if (!tail.equals(await bytesAt(file, end - tail.length, tail.length)))
      throw new SourceError('SOURCE_IO', { path, reason: 'the file was rewritten while it was read', position: end })
  }

  #wait(): Promise<void> {
    const { clock, followMs } = this.#reading
    return new Promise((resolve) => {
      const cancel = clock.callAt(clock.nowMs() + followMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  /** What follows the last newline of a finished file is a line too. */
  #lastLine(): SourceRead<T> {
    const { bytes, next } = this.#chunk
    const lines: Lines<T> = { values: [], ends: [], malformed: undefined }
    if (next < bytes.length || this.#tooLong !== undefined) this.#take(bytes.length, bytes.length, lines)
    return lines.values.length > 0 ? this.#batch(lines) : { kind: 'end' }
  }

  #batch({ values, ends, malformed }: Lines<T>): SourceRead<T> {
    const { start, bytes } = this.#chunk
    const head = this.#head
    const offsetAfter = (index: number): SourceOffset => {
      const end = ends[index]
      if (end === undefined) throw new RangeError(`a batch of ${values.length} records has no index ${index}`)
      return lineOffset(start + end, head, bytes.subarray(0, end))
    }
    const batch: SourceBatch<T> = malformed === undefined ? { values, offsetAfter } : { values, malformed, offsetAfter }
    return { kind: 'batch', batch }
  }
}
