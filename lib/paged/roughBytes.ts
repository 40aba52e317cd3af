/** So many parts of a value are looked at; the rest is taken to be like them. */
const lookedAtMax = 64
const objectBytes = 24
const wordBytes = 8

/** About how much memory a value takes. It looks at no more than a few parts of a large one. */
export function roughBytes(value: unknown): number {
  if (typeof value === 'string') return objectBytes + value.length
  if (typeof value !== 'object' || value === null) return wordBytes
  return new Look().bytesOf(value)
}

class Look {
  private left = lookedAtMax

  bytesOf(value: unknown): number {
    this.left -= 1
    if (typeof value === 'string') return objectBytes + value.length
    if (typeof value !== 'object' || value === null) return wordBytes
    if (ArrayBuffer.isView(value)) return objectBytes + value.byteLength
    if (Array.isArray(value)) return this.ofParts(value, value.length)
    if (value instanceof Map) return this.ofParts(value, 2 * value.size)
    if (value instanceof Set) return this.ofParts(value, value.size)
    const names = Object.keys(value)
    return this.ofParts(
      names.map((name) => (value as Record<string, unknown>)[name]),
      names.length,
    )
  }

  /** An array, a Map or a Set: the parts that are looked at stand for all. */
  private ofParts(parts: Iterable<unknown>, count: number): number {
    let bytes = 0
    let looked = 0
    for (const part of parts) {
      if (this.left <= 0 && looked > 0) break
      bytes += wordBytes + this.bytesOf(part)
      looked += 1
    }
    return objectBytes + (looked === 0 ? 0 : Math.ceil((bytes * count) / looked))
  }
}
