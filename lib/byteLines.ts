/**
 * Takes lines out of bytes as they arrive.
 *
 * **Invariants** A line ends at its newline; a carriage return before it is ignored, and so is a byte order mark at the beginning.
 * At most one unfinished line of `lineBytesMax` bytes is held, and what arrived last; of a longer one, its beginning only. Bytes that a line
 * refers to are never changed.
 */

/** A line, without its newline. */
export interface ByteLine {
  /** Where it begins. */
  readonly position: number
  /** Behind its newline. */
  readonly end: number
  /** Its text, cut at a limit where there is a problem. */
  readonly text: string
  /** Why it is no line of text. */
  readonly problem?: { readonly code: 'RECORD_MALFORMED' | 'RECORD_TOO_LONG'; readonly reason: string }
  /** The bytes before `end`, as many as are kept. */
  before(): Uint8Array
}

export interface ByteLinesOptions {
  readonly lineBytesMax: number
  /** So many bytes before each line's end are kept. Default 0. */
  readonly tailBytesMax?: number
  /** What stands before the first byte that is pushed. */
  readonly position?: number
  readonly before?: Uint8Array
}

const newline = 10
const carriageReturn = 13
const byteOrderMark = [0xef, 0xbb, 0xbf] as const
/** So much of a line that is no text is told. */
const excerptBytesMax = 1024

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

export class ByteLines {
  readonly #lineBytesMax: number
  readonly #tailBytesMax: number
  #bytes: Uint8Array
  /** Where in the data `#bytes` begins. */
  #start: number
  /** The first byte that is part of no line yet. */
  #next: number
  /** Up to here there is no newline. */
  #scanned: number
  /** A line over the limit, whose end has not come. */
  #tooLong: { readonly position: number; readonly text: string } | undefined

  constructor({ lineBytesMax, tailBytesMax = 0, position = 0, before = new Uint8Array() }: ByteLinesOptions) {
    this.#lineBytesMax = lineBytesMax
    this.#tailBytesMax = tailBytesMax
    this.#bytes = before
    this.#start = position - before.length
    this.#next = this.#scanned = before.length
  }

  push(bytes: Uint8Array): void {
    const keptFrom = Math.max(0, this.#next - this.#tailBytesMax)
    const kept = this.#bytes.subarray(keptFrom)
    const grown = new Uint8Array(kept.length + bytes.length)
    grown.set(kept)
    grown.set(bytes, kept.length)
    this.#bytes = grown
    this.#start += keptFrom
    this.#next -= keptFrom
    this.#scanned -= keptFrom
  }

  /** The next line that is complete. */
  next(): ByteLine | undefined {
    const end = this.#bytes.indexOf(newline, this.#scanned)
    if (end >= 0) return this.#line(end, end + 1)
    this.#scanned = this.#bytes.length
    if (this.#scanned - this.#next > this.#lineBytesMax || this.#tooLong !== undefined) {
      this.#tooLong ??= { position: this.#start + this.#next, text: this.#excerpt(this.#scanned) }
      this.#next = this.#scanned
    }
    return undefined
  }

  /** What stands behind the last newline, at the end of the data. */
  rest(): ByteLine | undefined {
    const end = this.#bytes.length
    return this.#next < end || this.#tooLong !== undefined ? this.#line(end, end) : undefined
  }

  #line(end: number, next: number): ByteLine {
    const bytes = this.#bytes
    const tailBytesMax = this.#tailBytesMax
    const from = this.#next
    const tooLong = this.#tooLong ?? (end - from > this.#lineBytesMax ? { position: this.#start + from, text: this.#excerpt(end) } : undefined)
    const text = tooLong === undefined ? this.#text(from, end) : undefined
    this.#tooLong = undefined
    this.#next = this.#scanned = next
    const line = {
      position: tooLong?.position ?? this.#start + from,
      end: this.#start + next,
      before: () => bytes.subarray(Math.max(0, next - tailBytesMax), next),
    }
    if (tooLong !== undefined)
      return { ...line, text: tooLong.text, problem: { code: 'RECORD_TOO_LONG', reason: `longer than ${this.#lineBytesMax} bytes` } }
    if (text !== undefined) return { ...line, text }
    return {
      ...line,
      text: lenient.decode(bytes.subarray(from, Math.min(end, from + excerptBytesMax))),
      problem: { code: 'RECORD_MALFORMED', reason: 'no UTF-8' },
    }
  }

  #text(from: number, end: number): string | undefined {
    const bytes = this.#bytes
    const first = this.#start + from === 0 && byteOrderMark.every((byte, index) => bytes[from + index] === byte) ? from + byteOrderMark.length : from
    const last = end > first && bytes[end - 1] === carriageReturn ? end - 1 : end
    try {
      return strict.decode(bytes.subarray(first, last))
    } catch {
      return undefined
    }
  }

  #excerpt(end: number): string {
    return lenient.decode(this.#bytes.subarray(this.#next, Math.min(end, this.#next + excerptBytesMax)))
  }
}
