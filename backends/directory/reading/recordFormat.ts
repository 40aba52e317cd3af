import type { LineChunk } from '../lineChunk.js'

declare const record: unique symbol

/** How the records of a file are written: what `decodeLines`, `decodeJson` and `decodeCsv` return. */
export interface RecordFormat<out T> {
  readonly [record]: T
}

/** Why a record was refused, without what it holds. */
export class Refusal {
  constructor(
    readonly reason: string,
    /** Only the first line of it: it may have taken lines for its own that are records. */
    readonly extent: 'record' | 'line' = 'record',
  ) {}
}

/** Decodes the records of one reader, file after file. */
export interface RecordDecoder<out T> {
  /** Whether each file begins with a record that says how to read the others. */
  readonly headed: boolean
  /** Where the record at `chunk.next` ends, without its newline, or -1 when that is not known yet. Every record ends at the end of a line. */
  recordEnd(chunk: LineChunk): number
  /** The record between `chunk.next` and `end`, `blank` when there is none, or why it is none. */
  decode(chunk: LineChunk, end: number): T | symbol | Refusal
  /** Takes the record that says how to read the others; answers `blank` when there is none, or why it cannot be used. */
  takeHeader(chunk: LineChunk, end: number): Refusal | symbol | undefined
}

interface Decoding<T> {
  decoder(): Promise<RecordDecoder<T>>
}

/** Makes a format; `decoder` is called once for each reader. */
export const recordFormat = <T>(decoder: () => Promise<RecordDecoder<T>>): RecordFormat<T> => {
  const format: Decoding<T> = { decoder }
  return format as unknown as RecordFormat<T>
}

/** A decoder of its own for each reader. */
export const decoderOf = <T>(format: RecordFormat<T>): Promise<RecordDecoder<T>> => (format as unknown as Decoding<T>).decoder()

export const isFormat = (format: unknown): boolean => typeof (format as Partial<Decoding<unknown>> | null | undefined)?.decoder === 'function'

/** The decoder of a format with one record a line and no header. */
export const lineDecoder = <T>(decodeText: (text: string) => T | symbol | Refusal): RecordDecoder<T> => ({
  headed: false,
  recordEnd: (chunk) => chunk.lineEnd(),
  decode(chunk, end) {
    const text = chunk.textTo(end)
    return text === undefined ? new Refusal('no UTF-8') : decodeText(text)
  },
  takeHeader: () => undefined,
})
