import { SinkError } from '../../lib/errors.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { checksum, visitBlocks } from './fileBlocks.js'
import type { NewFile } from './partBuffer.js'
import { committedName, pendingName } from './partFiles.js'
import type { HandledPart } from './partHandle.js'
import { writeAll } from './wholeFiles.js'

/**
 * Makes one pre-committed part visible. Its directory has to be synced afterwards, also when nothing was left to do: the run that
 * did it may have died before its own sync.
 *
 * A part that `isOwn`, made by this run, is not read again; one from an earlier run is verified whole before anybody sees it.
 */
export async function commitPart(files: FileLayer, directory: string, part: HandledPart, isOwn: boolean): Promise<void> {
  const pending = `${directory}/${pendingName(part)}`
  const committed = `${directory}/${committedName(part)}`
  const damaged = (file: string, found: number, expected: number, what: string): SinkError =>
    new SinkError('TRANSACTION_DAMAGED', { path: `${directory}/${file}`, what, found, expected, permanent: true })

  const committedBytes = await files.size(committed)
  if (committedBytes !== undefined && committedBytes !== part.bytes) throw damaged(committedName(part), committedBytes, part.bytes, 'bytes')
  const pendingBytes = await files.size(pending)
  if (pendingBytes === undefined) {
    // A run that was taken over from may have committed it between the two looks.
    if (committedBytes === undefined && (await files.size(committed)) === undefined)
      throw new SinkError('TRANSACTION_LOST', { path: committed, epoch: part.epoch, checkpointId: part.id })
    return
  }
  if (pendingBytes !== part.bytes) throw damaged(pendingName(part), pendingBytes, part.bytes, 'bytes')
  if (!isOwn) {
    const found = await checksum(files, pending, part.bytes)
    if (found !== part.crc32) throw damaged(pendingName(part), found, part.crc32, 'checksum')
  }
  await files.rename(pending, committed)
}

/**
 * Gives a committed part its name anew, by a copy: when the sync of a directory failed, no later one makes the names durable that
 * it was to cover. Readers see the same bytes all the time.
 */
export async function renewPart(files: FileLayer, directory: string, part: HandledPart, create: () => Promise<NewFile>): Promise<void> {
  const committed = `${directory}/${committedName(part)}`
  const { path, file } = await create()
  try {
    await visitBlocks(files, committed, part.bytes, (block, position) => writeAll(file, block, position))
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(path, committed)
}
