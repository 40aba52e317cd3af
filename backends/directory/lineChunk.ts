import { isAscii, isUtf8 } from 'node:buffer'

const newline = 10
const carriageReturn = 13
const byteOrderMark = [0xef, 0xbb, 0xbf] as const

/**
 * Some bytes of a file of lines, never changed once read: batches keep a chunk to make offsets of it.
 *
 * The bytes before `next` have been read; some of them stay, for the fingerprint of the next offset.
 */
export class LineChunk {
  /** Behind the last newline: every line before it is complete. */
  readonly #linesEnd: number
  /** Whether the complete lines are pure ASCII, valid UTF-8, or have to be looked at one by one. */
  readonly #lines: 'ascii' | 'utf8' | 'unknown'
  /** The complete lines as text, when a place in the text is a place in the bytes. */
  readonly #text: string
  readonly #textStart: number

  constructor(
    /** Where in the file the bytes begin. */
    readonly start: number,
    readonly bytes: Buffer,
    /** The first byte that has not been read. */
    public next: number,
  ) {
    this.#linesEnd = Math.max(next, bytes.lastIndexOf(newline) + 1)
    const lines = bytes.subarray(next, this.#linesEnd)
    this.#lines = isAscii(lines) ? 'ascii' : isUtf8(lines) ? 'utf8' : 'unknown'
    this.#text = this.#lines === 'ascii' ? lines.toString('latin1') : ''
    this.#textStart = next
  }

  /** Where the next line ends, without its newline, or -1 when it is not complete here. */
  lineEnd(): number {
    if (this.next >= this.#linesEnd) return -1
    if (this.#lines === 'ascii') return this.#text.indexOf('\n', this.next - this.#textStart) + this.#textStart
    return this.bytes.indexOf(newline, this.next)
  }

  /** The text between `next` and `end`, or nothing when it is no UTF-8. */
  textTo(end: number): string | undefined {
    const { bytes, next } = this
    const last = end > next && bytes[end - 1] === carriageReturn ? end - 1 : end
    const complete = end < this.#linesEnd
    if (complete && this.#lines === 'ascii') return this.#text.slice(next - this.#textStart, last - this.#textStart)
    const first = this.start + next === 0 && byteOrderMark.every((byte, index) => bytes[index] === byte) ? byteOrderMark.length : next
    if (!(complete && this.#lines === 'utf8') && !isUtf8(bytes.subarray(first, last))) return undefined
    return bytes.toString('utf8', first, last)
  }

  /** The beginning of the line as text, for a dead letter. */
  excerpt(end: number, bytesMax: number): string {
    return this.bytes.toString('utf8', this.next, Math.min(end, this.next + bytesMax))
  }
}
