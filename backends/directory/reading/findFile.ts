import { RestoreError, SourceError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import { lineOffset } from '../lineOffset.js'
import { FileCursor } from './fileCursor.js'
import type { FileList, ListedFile } from './fileList.js'
import type { FileOffset } from './fileOffset.js'
import { plainName } from './fileOrder.js'

/** A file that was found again, open behind what was read of it. */
export interface FoundFile {
  readonly cursor: FileCursor
  /** The last bytes before the position. */
  readonly before: Uint8Array
}

/** A file that has what was read, the file itself shorter than that, or neither. */
type Looked = FoundFile | 'short' | 'other' | 'moved'

/**
 * Finds the file that an offset stands in, under whatever name it has now, compressed or not.
 *
 * The file itself is known by its identity; a copy or what was compressed of it by what stands before the position.
 *
 * @param copied - a file that was truncated after it was copied: look for the copy
 */
export async function findFile(files: FileLayer, list: FileList, offset: FileOffset, copied: boolean): Promise<FoundFile | RestoreError> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const entries = await list.entries()
    const found = entries === undefined ? 'moved' : await among(files, list, entries, offset, copied)
    if (found !== 'moved') return found
  }
  throw new SourceError('SOURCE_IO', { path: list.pattern.text, reason: 'the names of the files did not stop changing' })
}

/** So often all files are looked through again because one was renamed meanwhile. */
const triesMax = 8

async function among(
  files: FileLayer,
  list: FileList,
  entries: readonly ListedFile[],
  offset: FileOffset,
  copied: boolean,
): Promise<FoundFile | RestoreError | 'moved'> {
  const { position } = offset
  const own = entries.find(({ id }) => id === offset.file)
  if (own !== undefined) {
    const looked = await look(files, list, own, offset)
    if (looked === 'moved' || typeof looked === 'object') return looked
    if (looked === 'short' && !copied)
      return new RestoreError('SOURCE_OFFSET_AHEAD', { path: list.path(own.name), position, bytes: own.bytes, reason: 'the file is shorter' })
    if (!copied) return gone(list.path(own.name), position, 'what stands before the position is not what was read')
  }
  let found: FoundFile | undefined
  const release = async (): Promise<void> => found?.cursor.close()
  for (const entry of entries) {
    // Where files keep their names, only the name is where a copy is looked for.
    if (entry === own || (list.order === 'name' && plainName(entry.name) !== plainName(offset.name))) continue
    let looked: Looked
    try {
      looked = await look(files, list, entry, offset)
    } catch (cause) {
      await release().catch(() => undefined)
      throw cause
    }
    if (looked === 'short' || looked === 'other') continue
    if (looked === 'moved') {
      await release()
      return looked
    }
    if (found !== undefined) {
      const names = [found.cursor.name, entry.name]
      await release()
      await looked.cursor.close()
      return gone(list.pattern.text, position, `more than one file may be the one that was read: ${names.join(', ')}`)
    }
    found = looked
  }
  return found ?? gone(list.pattern.text, position, `no file has what was read of ${offset.name}`)
}

async function look(files: FileLayer, list: FileList, { name, id }: ListedFile, { position, head, tail }: FileOffset): Promise<Looked> {
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

const gone = (path: string, position: number, reason: string): RestoreError => new RestoreError('SOURCE_OFFSET_GONE', { path, position, reason })
