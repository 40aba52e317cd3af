import * as zlib from 'node:zlib'

/** How the bytes of files are made shorter. `zstd` needs Node 22.15 or later. */
export type Compression = 'none' | 'zlib' | 'zstd'

type Done = (error: Error | null, result: Buffer) => void
interface Method {
  pack(bytes: Uint8Array, done: Done): void
  packSync(bytes: Uint8Array): Buffer
  unpack(bytes: Uint8Array, bytesMax: number, done: Done): void
  unpackSync(bytes: Uint8Array, bytesMax: number): Buffer
}

/** A block that is shorter is done at once: a turn in another thread would take longer. */
const atOnceBytes = 16 * 1024

/** Of so little nothing is to be won. */
const leastBytes = 256

/** Most of what can be won is won at the first level; each further one takes its time. */
const deflateLevel = 1

const deflate: Method = {
  pack: (bytes, done) => zlib.deflateRaw(bytes, { level: deflateLevel }, done),
  packSync: (bytes) => zlib.deflateRawSync(bytes, { level: deflateLevel }),
  unpack: (bytes, maxOutputLength, done) => zlib.inflateRaw(bytes, { maxOutputLength }, done),
  unpackSync: (bytes, maxOutputLength) => zlib.inflateRawSync(bytes, { maxOutputLength }),
}

/** What Node has of zstd from 22.15 on. */
interface NodeZstd {
  zstdCompress(bytes: Uint8Array, done: Done): void
  zstdCompressSync(bytes: Uint8Array): Buffer
  zstdDecompress(bytes: Uint8Array, options: { readonly maxOutputLength: number }, done: Done): void
  zstdDecompressSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Buffer
}

const node = zlib as Partial<NodeZstd>
const hasZstd = (functions: Partial<NodeZstd>): functions is NodeZstd => typeof functions.zstdCompress === 'function'
const zstd: Method | undefined = hasZstd(node)
  ? {
      pack: (bytes, done) => node.zstdCompress(bytes, done),
      packSync: (bytes) => node.zstdCompressSync(bytes),
      unpack: (bytes, maxOutputLength, done) => node.zstdDecompress(bytes, { maxOutputLength }, done),
      unpackSync: (bytes, maxOutputLength) => node.zstdDecompressSync(bytes, { maxOutputLength }),
    }
  : undefined

/** In files each has its number, for ever. */
const numbers: readonly Compression[] = ['none', 'zlib', 'zstd']

export const isCompression = (name: unknown): name is Compression => numbers.includes(name as Compression)
export const numberOf = (compression: Compression): number => numbers.indexOf(compression)
export const compressionOf = (number: number): Compression | undefined => numbers[number]

/** Whether this Node can do it. */
export const isAvailable = (compression: Compression): boolean => compression !== 'zstd' || zstd !== undefined

function methodOf(compression: 'zlib' | 'zstd'): Method {
  const method = compression === 'zlib' ? deflate : zstd
  if (method === undefined) throw new RangeError('this Node has no zstd')
  return method
}

/** The bytes made shorter, or the same bytes where that is not to be had. */
export async function packed(compression: Compression, bytes: Uint8Array): Promise<Uint8Array> {
  if (compression === 'none' || bytes.length < leastBytes) return bytes
  const method = methodOf(compression)
  const result = bytes.length < atOnceBytes ? method.packSync(bytes) : await called((done) => method.pack(bytes, done))
  return result.length < bytes.length ? result : bytes
}

/** What `packed` was given; rejects where it is not `length` bytes long, and never makes more of it. */
export async function unpacked(compression: 'zlib' | 'zstd', bytes: Uint8Array, length: number): Promise<Buffer> {
  const method = methodOf(compression)
  const result = length < atOnceBytes ? method.unpackSync(bytes, length) : await called((done) => method.unpack(bytes, length, done))
  if (result.length !== length) throw new RangeError(`it has ${result.length} bytes instead of ${length}`)
  return result
}

const called = (work: (done: Done) => void): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    work((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
