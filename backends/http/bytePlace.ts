import { type ByteLine, ByteLines } from '../../lib/byteLines.js'
import { crc32 } from '../../lib/crc32.js'
import { RestoreError, SourceError } from '../../lib/errors.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import { shownUrl } from './answers.js'
import type { Chunks, Place, PlaceRequest, TakenLines } from './place.js'

/** So much before a position tells that it still stands behind the same line. */
const tailBytesMax = 1024

/**
 * A position in bytes, with a checksum of what stood before it, and the strong `ETag` of a file that is finished.
 *
 * A request asks for what stands before the position too, so that every answer proves that it is of the same file: the `ETag` of
 * one that grows changes each time.
 */
type ByteOffset = { readonly position: number; readonly tail: number; readonly etag?: string }

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Offsets come from a checkpoint: they are checked like any input. */
export function byteOffset(offset: SourceOffset, url: string): ByteOffset {
  const { position, tail, etag } = (typeof offset === 'object' && offset !== null ? offset : {}) as Partial<Record<string, unknown>>
  if (isCount(position) && isCount(tail) && (etag === undefined || typeof etag === 'string'))
    return { position, tail, ...(etag === undefined ? {} : { etag }) }
  throw new RestoreError('STATE_KIND_CHANGED', { url: shownUrl(url), reason: 'the stored offset is not a position in a file' })
}

export interface BytePlaceOptions {
  readonly url: string
  readonly lineBytesMax: number
  /** The file grows; otherwise it is finished, and the same as before only where its `ETag` is. */
  readonly follow: boolean
}

export class BytePlace<T> implements Place<T> {
  readonly #options: BytePlaceOptions
  #position: number
  #tail: number
  #etag: string | undefined
  /** The line before the position, where it was taken by this reader. */
  #line: ByteLine | undefined

  constructor(options: BytePlaceOptions, { position, tail, etag }: ByteOffset = { position: 0, tail: 0 }) {
    this.#options = options
    this.#position = position
    this.#tail = tail
    this.#etag = options.follow ? undefined : etag
  }

  offset(): SourceOffset {
    return this.#offsetAt(this.#position, this.#crc())
  }

  request(): PlaceRequest {
    const { url } = this.#options
    // Positions are those of the file as it is. With a range the platform asks for that itself.
    if (this.#position === 0) return { url, headers: { 'accept-encoding': 'identity' } }
    const range = `bytes=${this.#askedFrom()}-`
    return { url, headers: this.#etag === undefined ? { range } : { range, 'if-range': this.#etag } }
  }

  gone({ status }: Response): RestoreError | undefined {
    if (this.#position === 0) return undefined
    if (status === 416) return this.#error('SOURCE_OFFSET_AHEAD', 'the file is shorter than what was read')
    return status === 404 || status === 410 ? this.#error('SOURCE_OFFSET_GONE', 'the file is missing') : undefined
  }

  async found(response: Response, chunks: Chunks): Promise<ByteLines> {
    const { lineBytesMax, follow } = this.#options
    this.#checkAnswer(response)
    if (!follow) this.#etag ??= strongEtag(response)
    const askedFrom = this.#askedFrom()
    // Without ranges the server sends everything.
    const skipped = response.status === 206 ? 0 : askedFrom
    const tailBytes = this.#position - askedFrom
    const bytes = await atLeast(skipped + tailBytes, skipped, chunks)
    if (bytes === undefined) throw this.#error('SOURCE_OFFSET_AHEAD', 'the file is shorter than what was read')
    const before = bytes.subarray(0, tailBytes)
    if (crc32(before) !== this.#crc())
      throw this.#error('SOURCE_OFFSET_GONE', 'the file was replaced: what stands before the position is not what was read')
    const lines = new ByteLines({ lineBytesMax, tailBytesMax, position: this.#position, before })
    lines.push(bytes.subarray(tailBytes))
    return lines
  }

  passesOver(): boolean {
    return false
  }

  take(line: ByteLine): void {
    this.#position = line.end
    this.#line = line
  }

  takeMalformed(line: ByteLine): void {
    this.take(line)
  }

  offsetsFrom(): (taken: TakenLines<T>, index: number) => SourceOffset {
    return ({ lines }, index) => {
      const line = lines[index] as ByteLine
      return this.#offsetAt(line.end, crc32(line.before()))
    }
  }

  #crc(): number {
    return this.#line === undefined ? this.#tail : crc32(this.#line.before())
  }

  #askedFrom(): number {
    return Math.max(0, this.#position - tailBytesMax)
  }

  #offsetAt(position: number, tail: number): SourceOffset {
    const offset: ByteOffset = this.#etag === undefined ? { position, tail } : { position, tail, etag: this.#etag }
    return offset
  }

  #checkAnswer(response: Response): void {
    const { headers, status } = response
    const { follow, url } = this.#options
    const encoding = headers.get('content-encoding')
    // A whole file arrives as it was before it was compressed; a range is cut out of its compressed form.
    if (status === 206 && encoding !== null && encoding !== 'identity')
      throw new SourceError('SOURCE_REFUSED', {
        url: shownUrl(url),
        status,
        reason: `the answer is compressed (${encoding}), so that positions mean nothing`,
      })
    const first = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1]
    if (status === 206 && first !== undefined && Number(first) !== this.#askedFrom())
      throw new SourceError('SOURCE_REFUSED', {
        url: shownUrl(url),
        status,
        reason: 'another range was sent than was asked for',
        found: first,
        expected: this.#askedFrom(),
      })
    const etag = strongEtag(response)
    if (!follow && this.#etag !== undefined && etag !== undefined && etag !== this.#etag)
      throw this.#error('SOURCE_OFFSET_GONE', 'the file was replaced: its ETag is another one')
  }

  #error(code: 'SOURCE_OFFSET_GONE' | 'SOURCE_OFFSET_AHEAD', reason: string): RestoreError {
    return new RestoreError(code, { url: shownUrl(this.#options.url), position: this.#position, reason })
  }
}

/** A weak one says that files mean the same, not that they are the same; that of a compressed answer is not that of its ranges. */
function strongEtag({ headers }: Response): string | undefined {
  const etag = headers.get('etag')
  return etag === null || etag.startsWith('W/') || headers.has('content-encoding') ? undefined : etag
}

/** At least `count` bytes without the first `skipped`, or nothing where there are fewer. */
async function atLeast(count: number, skipped: number, chunks: Chunks): Promise<Uint8Array | undefined> {
  const kept: Uint8Array[] = []
  let position = 0
  while (position < count) {
    const chunk = await chunks()
    if (chunk === undefined) return undefined
    const from = Math.max(0, skipped - position)
    if (from < chunk.length) kept.push(chunk.subarray(from))
    position += chunk.length
  }
  const bytes = new Uint8Array(kept.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of kept) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
