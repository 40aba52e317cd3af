import { createGunzip, type Gunzip } from 'node:zlib'
import type { OpenFile } from '../../../lib/ports/fileLayer.js'

/**
 * The content of a compressed file, from its beginning on.
 *
 * A piece of the file is decompressed when all that came of the one before it was read, so it holds one piece and what comes of it.
 */
export class Gunzipped {
  /** The file ended in the middle: it is damaged, or still being written. Everything before that was read. */
  incomplete = false
  /** So much of the file was read. */
  bytesRead = 0
  readonly #stream: Gunzip = createGunzip()
  #output: Buffer = Buffer.alloc(0)
  #fed = true
  #ended = false
  #failure: unknown
  #wake: () => void = () => undefined

  constructor(
    private readonly file: OpenFile,
    private readonly pieceBytes: number,
  ) {
    const changed = (): void => this.#wake()
    this.#stream.on('readable', changed)
    this.#stream.on('end', () => {
      this.#ended = true
      changed()
    })
    this.#stream.on('error', (error) => {
      this.#ended = true
      if (isCutShort(error)) this.incomplete = true
      else this.#failure = error
      changed()
    })
  }

  /** Reads on; 0 at the end. Rejects with an error of zlib when the bytes are no gzip. */
  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      if (this.#output.length > 0) {
        const count = Math.min(into.length, this.#output.length)
        into.set(this.#output.subarray(0, count))
        this.#output = this.#output.subarray(count)
        return count
      }
      const output: Buffer | null = this.#stream.read()
      if (output !== null) this.#output = output
      else if (this.#failure !== undefined) throw this.#failure
      else if (this.#ended) return 0
      else if (this.#fed) await this.#feed()
      else await this.#change()
    }
  }

  close(): void {
    this.#stream.destroy()
  }

  async #feed(): Promise<void> {
    const piece = Buffer.allocUnsafe(this.pieceBytes)
    const count = await this.file.read(piece, this.bytesRead)
    this.bytesRead += count
    // It may have found its end before that of the file: behind the last member there may be zeros.
    if (this.#ended) return
    this.#fed = false
    const changed = this.#change()
    if (count === 0) this.#stream.end()
    else
      this.#stream.write(piece.subarray(0, count), () => {
        this.#fed = true
        this.#wake()
      })
    await changed
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

const isCutShort = (error: unknown): boolean => (error as { readonly code?: unknown }).code === 'Z_BUF_ERROR'

/** Whether an error says that bytes are no gzip, or a damaged one. */
export const isDamage = (error: unknown): boolean => /^Z_/.test(String((error as { readonly code?: unknown } | null)?.code))
