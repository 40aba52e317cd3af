import type { OpenFile } from '../../lib/ports/fileLayer.js'

/** Writes all of `bytes`: a file layer may write less than asked. */
export async function writeWhole(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const count = await file.write(bytes.subarray(written), position + written)
    // A file layer that makes no progress would keep us here for ever.
    if (count <= 0) throw new Error(`a write of ${bytes.length - written} bytes wrote none`)
    written += count
  }
}

/** Reads until `into` is full or the file ends; answers how much. */
export async function readWhole(file: OpenFile, into: Uint8Array, position: number): Promise<number> {
  let count = 0
  while (count < into.length) {
    const more = await file.read(into.subarray(count), position + count)
    if (more === 0) break
    count += more
  }
  return count
}
