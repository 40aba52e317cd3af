import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import { lineOffset } from '../lineOffset.js'
import { FileCursor } from './fileCursor.js'
import type { FileList, ListedFile } from './fileList.js'
import { type FileOffset, fileOffset } from './fileOffset.js'

/** A file that was found again, open behind what was read of it. */
export interface FoundFile {
  readonly cursor: FileCursor
  /** The last bytes before the position. */
  readonly before: Uint8Array
}

/** A file that has what was read, one that is shorter than that, another one, or its name leads elsewhere by now. */
export type Looked = FoundFile | 'short' | 'other' | 'moved'

/** Looks whether a file has, before a position, what was read there. */
export async function lookAtFile(files: FileLayer, list: FileList, { name, id }: ListedFile, { position, head, tail }: FileOffset): Promise<Looked> {
  const cursor = await FileCursor.open(files, list.path(name), name, id)
  if (cursor === undefined) return 'moved'
  let looked: Looked
  try {
    const before = await cursor.moveTo(position)
    if (before === undefined) looked = 'short'
    else {
      const found = lineOffset(position, cursor.head, before)
      looked = found.head === head && found.tail === tail ? { cursor, before } : 'other'
    }
  } catch (cause) {
    await cursor.close().catch(() => undefined)
    throw cause
  }
  if (typeof looked !== 'object') await cursor.close()
  return looked
}

/** Whether a file has what was read, or the whole of another one. */
export async function isLike(files: FileLayer, list: FileList, entry: ListedFile, offset: FileOffset): Promise<boolean> {
  const looked = await lookAtFile(files, list, entry, offset)
  if (typeof looked !== 'object') return false
  await looked.cursor.close()
  return true
}

/** The end that a file has now, where it is not compressed; nothing where its name leads elsewhere by now. */
export async function endOfFile(files: FileLayer, list: FileList, { name, id }: ListedFile): Promise<FileOffset | undefined> {
  const cursor = await FileCursor.open(files, list.path(name), name, id)
  if (cursor === undefined) return undefined
  try {
    const bytes = await cursor.bytesLeft()
    const before = await cursor.moveTo(bytes)
    return before === undefined ? undefined : fileOffset(cursor, bytes, cursor.head, before)
  } finally {
    await cursor.close()
  }
}
