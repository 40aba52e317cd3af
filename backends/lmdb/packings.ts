import * as zlib from 'node:zlib'
import { ConfigurationError } from '../../lib/errors.js'
import type { ValueCompression } from '../../lib/sealing/valueCipher.js'

/** A way to make values shorter, at once. */
export interface Packing {
  readonly name: ValueCompression
  readonly number: number
  pack(bytes: Uint8Array): Uint8Array
  /** Rejects what would be more than `length` bytes. */
  unpack(bytes: Uint8Array, length: number): Uint8Array
}

/** Most of what can be won is won at the first level; each further one takes its time. */
const level = 1

const deflate: Packing = {
  name: 'zlib',
  number: 1,
  pack: (bytes) => zlib.deflateRawSync(bytes, { level }),
  unpack: (bytes, maxOutputLength) => zlib.inflateRawSync(bytes, { maxOutputLength }),
}

/** What Node has of zstd from 22.15 on. */
interface NodeZstd {
  zstdCompressSync(bytes: Uint8Array): Buffer
  zstdDecompressSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Buffer
}

const node = zlib as Partial<NodeZstd>
const hasZstd = (functions: Partial<NodeZstd>): functions is NodeZstd => typeof functions.zstdCompressSync === 'function'

/** Those that this Node has. */
export const packings: readonly Packing[] = hasZstd(node)
  ? [
      deflate,
      {
        name: 'zstd',
        number: 2,
        pack: (bytes) => node.zstdCompressSync(bytes),
        unpack: (bytes, maxOutputLength) => node.zstdDecompressSync(bytes, { maxOutputLength }),
      },
    ]
  : [deflate]

/** @throws ConfigurationError `OPTION_INVALID` for one that is not to be had */
export function packingOf(compression: ValueCompression): Packing | undefined {
  if (compression === 'none') return undefined
  const packing = packings.find(({ name }) => name === compression)
  if (packing === undefined)
    throw new ConfigurationError('OPTION_INVALID', { option: 'compression', found: String(compression), reason: 'it is not to be had here' })
  return packing
}
