import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Packing } from '../../lib/sealing/packing.js'

type Done = (error: Error | null, result: Buffer) => void

/** What Node has of zstd from 22.15 on. */
interface NodeZstd {
  zstdCompress(bytes: Uint8Array, done: Done): void
  zstdDecompress(bytes: Uint8Array, options: { readonly maxOutputLength: number }, done: Done): void
}

const node = zlib as Partial<NodeZstd>
const hasZstd = (functions: Partial<NodeZstd>): functions is NodeZstd => typeof functions.zstdCompress === 'function'

export const zstd: Packing | undefined = hasZstd(node) ? packingOf(node) : undefined

function packingOf({ zstdCompress, zstdDecompress }: NodeZstd): Packing {
  const pack = promisify<Uint8Array, Buffer>(zstdCompress)
  const unpack = promisify<Uint8Array, { readonly maxOutputLength: number }, Buffer>(zstdDecompress)
  return {
    name: 'zstd',
    number: 2,
    pack: async (bytes) => Uint8Array.from(await pack(bytes)),
    unpack: async (bytes, length) => {
      const unpacked = await unpack(bytes, { maxOutputLength: length })
      if (unpacked.length !== length) throw new RangeError(`it has ${unpacked.length} bytes instead of ${length}`)
      return Uint8Array.from(unpacked)
    },
  }
}
