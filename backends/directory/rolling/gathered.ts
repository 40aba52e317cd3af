/** What was encoded and is no block yet. Texts are joined first and made bytes of together, which is a lot faster. */
export class Gathered {
  #text = ''
  #chunks: Uint8Array[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Answers how many bytes were added. */
  add(data: string | Uint8Array): number {
    if (typeof data === 'string') {
      const bytes = Buffer.byteLength(data)
      this.#text += data
      this.#bytes += bytes
      return bytes
    }
    this.#endText()
    // Whoever encodes may use the same array again.
    this.#chunks.push(data.slice())
    this.#bytes += data.length
    return data.length
  }

  take(): Uint8Array {
    this.#endText()
    const [only] = this.#chunks
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#bytes = 0
    return bytes
  }

  #endText(): void {
    if (this.#text === '') return
    this.#chunks.push(Buffer.from(this.#text))
    this.#text = ''
  }
}
