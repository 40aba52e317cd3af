import { crc32 } from 'node:zlib'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { readFully } from './wholeFiles.js'

const blockBytes = 256 * 1024

/** The checksum of the first so many bytes of a file, or of all where it has less. */
export async function checksum(files: FileLayer, path: string, bytes: number): Promise<number> {
  let sum = 0
  await visitBlocks(files, path, bytes, async (block) => {
    sum = crc32(block, sum)
  })
  return sum
}

/** Reads the first so many bytes of a file, block by block; a file that has less ends early. */
export async function visitBlocks(
  files: FileLayer,
  path: string,
  bytes: number,
  visit: (block: Uint8Array, position: number) => Promise<void>,
): Promise<void> {
  const file = await files.open(path)
  try {
    const block = new Uint8Array(Math.min(blockBytes, bytes))
    for (let position = 0; position < bytes; ) {
      const count = await readFully(file, block, position)
      if (count === 0) break
      await visit(block.subarray(0, count), position)
      position += count
    }
  } finally {
    // Only read from: how its closing went changes nothing.
    await file.close().catch(() => undefined)
  }
}
