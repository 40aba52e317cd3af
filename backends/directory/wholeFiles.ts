import { BackendError } from '../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { systemCodeOf } from './failures.js'

/** Writes everything: a file may take less than it is given. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), position + written)
    // A file system that takes nothing and reports nothing would hold us for ever.
    if (count <= 0) throw new BackendError('BACKEND_IO', { reason: 'a write made no progress' })
    written += count
  }
}

/** Fills `into`, and answers how much of it there was before the end of the file. */
export async function readFully(file: OpenFile, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const count = await file.read(into.subarray(filled), position + filled)
    if (count === 0) break
    filled += count
  }
  return filled
}

/** Closes whatever happens; a failure to close is only told when nothing else failed. */
export async function withFile<A>(opened: Promise<OpenFile>, use: (file: OpenFile) => Promise<A>): Promise<A> {
  const file = await opened
  let result: A
  try {
    result = await use(file)
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
  await file.close()
  return result
}

/** A file that a manifest names must be there. */
export async function openNamed(files: FileLayer, folder: string, name: string): Promise<OpenFile> {
  try {
    return await files.open(`${folder}/${name}`)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') throw new BackendError('SNAPSHOT_CORRUPT', { file: name, reason: 'the file is missing' }, { cause: error })
    throw error
  }
}
