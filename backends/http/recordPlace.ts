import { either as E } from 'fp-ts'
import { type ByteLine, ByteLines } from '../../lib/byteLines.js'
import { RestoreError } from '../../lib/errors.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import { storedOffset } from '../../lib/storedOffset.js'
import { shownUrl } from './answers.js'
import type { Place, PlaceRequest, TakenLines } from './place.js'

/** The offset of the last record, or none, and how many lines that are no records were taken behind it. */
type RecordOffset = { readonly after: SourceOffset; readonly malformed: number }

export interface RecordPlaceOptions<T> {
  readonly uid: string
  readonly url: (from: SourceOffset | undefined) => string | URL
  readonly offsetOf: (value: T) => SourceOffset
  readonly lineBytesMax: number
}

/** Offsets come from a checkpoint: they are checked like any input. */
export function recordOffset(offset: SourceOffset, decode: (raw: unknown) => E.Either<string, unknown>, uid: string): RecordOffset {
  const { after, malformed } = (typeof offset === 'object' && offset !== null ? offset : {}) as Partial<Record<string, unknown>>
  if (after === undefined || typeof malformed !== 'number' || !Number.isSafeInteger(malformed) || malformed < 0)
    throw new RestoreError('STATE_KIND_CHANGED', { uid, reason: 'the stored offset is not one of records' })
  if (after !== null) {
    const decoded = decode(after)
    if (E.isLeft(decoded)) throw new RestoreError('CODEC_MISMATCH', { uid, what: 'offset', reason: decoded.left })
  }
  return { after: after as SourceOffset, malformed }
}

export class RecordPlace<T> implements Place<T> {
  readonly #options: RecordPlaceOptions<T>
  #after: SourceOffset
  #malformed: number
  #toPassOver = 0

  constructor(options: RecordPlaceOptions<T>, { after, malformed }: RecordOffset = { after: null, malformed: 0 }) {
    this.#options = options
    this.#after = after
    this.#malformed = malformed
  }

  offset(): SourceOffset {
    const offset: RecordOffset = { after: this.#after, malformed: this.#malformed }
    return offset
  }

  request(): PlaceRequest {
    return { url: String(this.#options.url(this.#after === null ? undefined : this.#after)), headers: {} }
  }

  gone({ status }: Response): RestoreError | undefined {
    if (this.#after === null || (status !== 404 && status !== 410)) return undefined
    const { uid } = this.#options
    return new RestoreError('SOURCE_OFFSET_GONE', {
      uid,
      url: shownUrl(this.request().url),
      status,
      reason: 'the server no longer has what follows the offset',
    })
  }

  async found(): Promise<ByteLines> {
    // The answer begins behind the last record, with the lines that were no records.
    this.#toPassOver = this.#malformed
    return new ByteLines({ lineBytesMax: this.#options.lineBytesMax })
  }

  passesOver(): boolean {
    if (this.#toPassOver === 0) return false
    this.#toPassOver -= 1
    return true
  }

  take(_line: ByteLine, value: T): void {
    this.#after = this.#offsetOf(value)
    this.#malformed = 0
  }

  takeMalformed(): void {
    this.#malformed += 1
  }

  offsetsFrom(): (taken: TakenLines<T>, index: number) => SourceOffset {
    const before: RecordOffset = { after: this.#after, malformed: this.#malformed }
    return ({ values, malformed }, index) => {
      let last = index
      while (last >= 0 && malformed.has(last)) last -= 1
      const count = index - last
      return last < 0 ? { after: before.after, malformed: before.malformed + count } : { after: this.#offsetOf(values[last] as T), malformed: count }
    }
  }

  #offsetOf(value: T): SourceOffset {
    return storedOffset(this.#options.offsetOf(value), this.#options.uid)
  }
}
