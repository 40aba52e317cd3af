import { isUtf8 } from 'node:buffer'
import type { either } from 'fp-ts'
import type { LineChunk } from '../lineChunk.js'
import { blank } from '../parsedLine.js'
import { csvRowEnds } from './csvRows.js'
import { type RecordDecoder, Refusal } from './recordFormat.js'

export type Row = readonly string[]

export interface CsvReading<T> {
  /** Splits rows into fields; throws with a `code` for what is no CSV. */
  readonly parse: (rows: Uint8Array) => readonly Row[]
  readonly delimiter: number
  readonly quote: number
  /** The names of the columns, `header` when each file names them, or nothing when rows are arrays. */
  readonly columns: Row | 'header' | undefined
  readonly decode: (raw: unknown) => either.Either<string, T>
}

/** The complete rows of a chunk from some place on; rows are split into fields all at once, which is several times faster. */
interface Scan {
  readonly chunk: LineChunk
  readonly ends: readonly number[]
  /** The row under way, and where it starts. */
  index: number
  start: number
  rows: ReadonlyMap<number, Row> | undefined
}

export class CsvDecoder<T> implements RecordDecoder<T> {
  readonly headed: boolean
  #columns: Row | undefined
  #scan: Scan | undefined

  constructor(private readonly reading: CsvReading<T>) {
    this.headed = reading.columns === 'header'
    this.#columns = reading.columns === 'header' ? undefined : reading.columns
  }

  recordEnd(chunk: LineChunk): number {
    const scan = this.#scanned(chunk)
    return scan.ends[scan.index] ?? -1
  }

  decode(chunk: LineChunk, end: number): T | symbol | Refusal {
    const row = this.#row(chunk, end)
    if (row === undefined) return blank
    if (row instanceof Refusal) return row
    const named = this.#columns === undefined ? row : inColumns(row, this.#columns)
    if (named instanceof Refusal) return named
    const decoded = this.reading.decode(named)
    return decoded._tag === 'Right' ? decoded.right : new Refusal(decoded.left)
  }

  takeHeader(chunk: LineChunk, end: number): Refusal | symbol | undefined {
    const row = this.#row(chunk, end)
    if (row === undefined) return blank
    if (row instanceof Refusal) return row
    const twice = row.find((name, index) => row.indexOf(name) !== index)
    if (twice !== undefined) return new Refusal('two columns have one name')
    if (row.includes('__proto__')) return new Refusal('a column has a name that no property can have')
    this.#columns = row
    return undefined
  }

  /** The rows from `chunk.next` on: those that were found before, when this is the row behind the last one. */
  #scanned(chunk: LineChunk): Scan {
    let scan = this.#scan
    if (scan !== undefined && scan.chunk === chunk && chunk.next !== scan.start) {
      scan.start = (scan.ends[scan.index] ?? Number.POSITIVE_INFINITY) + 1
      scan.index += 1
    }
    if (scan === undefined || scan.chunk !== chunk || chunk.next !== scan.start) {
      const { delimiter, quote } = this.reading
      scan = { chunk, ends: csvRowEnds(chunk.bytes, textStart(chunk), delimiter, quote), index: 0, start: chunk.next, rows: undefined }
      this.#scan = scan
    }
    return scan
  }

  /** The fields of a row; nothing for a blank one. */
  #row(chunk: LineChunk, end: number): Row | Refusal | undefined {
    const scan = this.#scanned(chunk)
    if (scan.ends[scan.index] !== end) return this.#alone(chunk, end)
    scan.rows ??= this.#together(scan)
    return scan.rows.get(end) ?? this.#alone(chunk, end)
  }

  /** All rows that are not blank, by their ends; none when one of them is malformed, and each has to be looked at alone. */
  #together({ chunk, ends, index }: Scan): ReadonlyMap<number, Row> {
    const { bytes } = chunk
    const found = new Map<number, Row>()
    const part = bytes.subarray(textStart(chunk), (ends.at(-1) ?? 0) + 1)
    if (!isUtf8(part)) return found
    let rows: readonly Row[]
    try {
      rows = this.reading.parse(part)
    } catch (error) {
      if (reasonOf(error) === undefined) throw error
      return found
    }
    let start = textStart(chunk)
    const full: number[] = []
    for (const end of ends.slice(index)) {
      if (!isBlank(bytes, start, end)) full.push(end)
      start = end + 1
    }
    if (full.length === rows.length) for (const [at, end] of full.entries()) found.set(end, rows[at] as Row)
    return found
  }

  #alone(chunk: LineChunk, end: number): Row | Refusal | undefined {
    const text = chunk.textTo(end)
    if (text === undefined) return new Refusal('no UTF-8')
    if (text === '') return undefined
    try {
      const rows = this.reading.parse(Buffer.from(text))
      return rows.length === 1 ? rows[0] : new Refusal('no row of CSV', 'line')
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      return new Refusal(reason, 'line')
    }
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Where the text of the next record begins: a file may begin with a byte order mark. */
const textStart = ({ start, next, bytes }: LineChunk): number =>
  start + next === 0 && byteOrderMark.equals(bytes.subarray(next, next + byteOrderMark.length)) ? next + byteOrderMark.length : next

const isBlank = (bytes: Uint8Array, start: number, end: number): boolean => start === end || (start + 1 === end && bytes[start] === 13)

function inColumns(row: Row, columns: Row): object {
  if (row.length !== columns.length) return new Refusal(`expected ${columns.length} fields, found ${row.length}`, 'line')
  const named: { [name: string]: string } = {}
  for (let index = 0; index < columns.length; index += 1) named[columns[index] as string] = row[index] as string
  return named
}

/** What the parser says quotes the row, which may be private: the reason is told without it. */
function reasonOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { readonly code?: unknown }).code : undefined
  if (typeof code !== 'string' || !/^(CSV|INVALID)_/.test(code)) return undefined
  return reasons[code] ?? 'no CSV'
}

const reasons: { readonly [code: string]: string } = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed',
  INVALID_OPENING_QUOTE: 'a quote within a field that does not begin with one',
  CSV_INVALID_CLOSING_QUOTE: 'text behind a closing quote',
}
