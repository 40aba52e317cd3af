/** A way to make values shorter. */
export interface Packing {
  readonly name: string
  /** What it is called in a value, for ever: 1 is zlib, 2 is zstd. */
  readonly number: number
  pack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /** What was packed; rejects where it is not `length` bytes long, and never makes more of it. */
  unpack(bytes: Uint8Array<ArrayBuffer>, length: number): Promise<Uint8Array<ArrayBuffer>>
}

/** Of less there is too little to be won for what it costs. */
export const packedBytesLeast = 1_024

const { CompressionStream: Compression, DecompressionStream: Decompression } = globalThis as Partial<typeof globalThis>

/** What browsers have of zlib, and Node; undefined where it is not there. */
export const portableZlib: Packing | undefined =
  Compression === undefined || Decompression === undefined
    ? undefined
    : {
        name: 'zlib',
        number: 1,
        pack: (bytes) => through(bytes, new Compression('deflate-raw'), Number.POSITIVE_INFINITY),
        unpack: async (bytes, length) => {
          const unpacked = await through(bytes, new Decompression('deflate-raw'), length)
          if (unpacked.length !== length) throw new RangeError(`it has ${unpacked.length} bytes instead of ${length}`)
          return unpacked
        },
      }

type Transform = GenericTransformStream

async function through(bytes: Uint8Array<ArrayBuffer>, { writable, readable }: Transform, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const writer = (writable as WritableStream<Uint8Array<ArrayBuffer>>).getWriter()
  // What goes wrong here goes wrong where it is read, too.
  void writer.write(bytes).catch(() => undefined)
  void writer.close().catch(() => undefined)
  const parts: Uint8Array[] = []
  let length = 0
  const reader = (readable as ReadableStream<Uint8Array>).getReader()
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (value === undefined) continue
    parts.push(value)
    length += value.length
    if (length > bytesMax) {
      void reader.cancel().catch(() => undefined)
      throw new RangeError(`it has more than ${bytesMax} bytes`)
    }
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
