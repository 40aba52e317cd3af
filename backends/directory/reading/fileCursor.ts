import { SourceError } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import { systemCodeOf } from '../failures.js'
import { bytesAt, headBytesMax, tailBytesMax } from '../lineOffset.js'
import { isGzip } from './fileOrder.js'
import { Gunzipped, isDamage } from './gunzipped.js'

const none = new Uint8Array()

/** So much of a compressed file is taken at once, and thrown away on the way to a position. */
const pieceBytes = 64 * 1024

/** An open file that is read forwards; of a compressed one, what it holds. Positions count bytes that are not compressed. */
export class FileCursor {
  /** The next byte to read. */
  position = 0
  /** The first bytes of the file, as many as were seen of {@link headBytesMax}. */
  head: Uint8Array = none
  /** How many older files there were beside it, where files keep their names. */
  olderCount = 0
  /** Which file stood right before it, where it is a log that is copied and truncated. */
  before: string | undefined
  readonly #file: OpenFile
  #gunzipped: Gunzipped | undefined
  /** The size of a compressed file before it was read once more. */
  #bytesSeen = 0

  private constructor(
    readonly path: string,
    /** The name in its directory when it was opened. */
    readonly name: string,
    readonly id: string,
    file: OpenFile,
  ) {
    this.#file = file
    if (isGzip(name)) this.#gunzipped = new Gunzipped(file, pieceBytes)
  }

  /** Opens a file at its beginning; nothing where the name is gone, or is not that of the file `id` any more. */
  static async open(files: FileLayer, path: string, name: string, id?: string): Promise<FileCursor | undefined> {
    let file: OpenFile
    try {
      file = await files.open(path)
    } catch (cause) {
      if (systemCodeOf(cause) === 'ENOENT') return undefined
      throw cause
    }
    try {
      const found = await file.identify()
      if (id === undefined || id === found.id) return new FileCursor(path, name, found.id, file)
    } catch (cause) {
      await file.close().catch(() => undefined)
      throw cause
    }
    await file.close()
    return undefined
  }

  get isCompressed(): boolean {
    return this.#gunzipped !== undefined
  }

  /** Everything there is was read, and what is compressed ends in the middle. */
  get isIncomplete(): boolean {
    return this.#gunzipped?.incomplete === true
  }

  /**
   * Reads on, and answers how much.
   *
   * @param again - so many bytes before the position are read once more, first; fewer than that when the file ends before it
   */
  async read(into: Uint8Array, again = 0): Promise<number> {
    const filled = this.#gunzipped === undefined ? await this.#readAgain(into, again) : await this.#inflate(this.#gunzipped, into)
    const count = filled - again
    if (count <= 0) return filled
    const seen = this.head.length
    if (seen < headBytesMax)
      this.head = Buffer.concat([this.head, into.subarray(again + seen - this.position, again + Math.min(count, headBytesMax - this.position))])
    this.position += count
    return filled
  }

  /** A file may read less than it is asked: what is read again must be read whole. */
  async #readAgain(into: Uint8Array, again: number): Promise<number> {
    let filled = 0
    do {
      const count = await this.#file.read(into.subarray(filled), this.position - again + filled)
      if (count === 0) break
      filled += count
    } while (filled <= again)
    return filled
  }

  /** Goes to a position. Answers with the last bytes before it, up to {@link tailBytesMax}, or nothing when the file ends before it. */
  async moveTo(position: number): Promise<Uint8Array | undefined> {
    const tailBytes = Math.min(position, tailBytesMax)
    if (this.#gunzipped === undefined) {
      if ((await this.#file.size()) < position) return undefined
      this.head = position === 0 ? none : await bytesAt(this.#file, 0, headBytesMax)
      this.position = position
      return bytesAt(this.#file, position - tailBytes, tailBytes)
    }
    this.#bytesSeen = await this.#file.size()
    this.#restart()
    let before: Uint8Array = none
    while (this.position < position) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, position - this.position))
      const count = await this.read(piece)
      if (count === 0) return undefined
      before = Buffer.concat([before, piece.subarray(0, count)])
      before = before.subarray(Math.max(0, before.length - tailBytes))
    }
    return before
  }

  /** The bytes that the file has on disk beyond those that were read, or that were there when it was read; negative when it shrank. */
  async bytesLeft(): Promise<number> {
    return (await this.#file.size()) - (this.#gunzipped === undefined ? this.position : Math.max(this.#bytesSeen, this.#gunzipped.bytesRead))
  }

  async close(): Promise<void> {
    this.#gunzipped?.close()
    await this.#file.close()
  }

  async #inflate(gunzipped: Gunzipped, into: Uint8Array): Promise<number> {
    try {
      return await gunzipped.read(into)
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      throw new SourceError('SOURCE_FILE_DAMAGED', { path: this.path, position: this.position, reason: 'it cannot be decompressed' }, { cause })
    }
  }

  #restart(): void {
    this.#gunzipped?.close()
    this.#gunzipped = new Gunzipped(this.#file, pieceBytes)
    this.position = 0
    this.head = none
  }
}
