import { RestoreError, SourceError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import type { FileList, ListedFile } from './fileList.js'
import type { FileOffset } from './fileOffset.js'
import { isGzip, plainName } from './fileOrder.js'
import { endOfFile, type FoundFile, isLike, type Looked, lookAtFile } from './lookAtFile.js'

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
    // A log may have been truncated, and its copy made, after the files were listed.
    if (found instanceof RestoreError && copied && !isSameList(entries, await list.entries())) continue
    if (found !== 'moved') return found
  }
  throw new SourceError('SOURCE_IO', { path: list.pattern.text, reason: 'the names of the files did not stop changing' })
}

/** So often all files are looked through again because one was renamed meanwhile. */
const triesMax = 8

const isSameList = (before: readonly ListedFile[] | undefined, now: readonly ListedFile[] | undefined): boolean =>
  before !== undefined && before.length === now?.length && before.every(({ id }, index) => id === now[index]?.id)

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
    const looked = await lookAtFile(files, list, own, offset)
    if (looked === 'moved') return looked
    if (typeof looked === 'object') {
      const other = copied ? await copyBeside(files, list, entries, own, offset) : undefined
      if (other === undefined) return looked
      await looked.cursor.close()
      return gone(list.pattern.text, position, `more than one file may be the one that was read: ${other.name}, ${own.name}`)
    }
    if (looked === 'short' && !copied)
      return new RestoreError('SOURCE_OFFSET_AHEAD', { path: list.path(own.name), position, bytes: own.bytes, reason: 'the file is shorter' })
    if (!copied) return gone(list.path(own.name), position, 'what stands before the position is not what was read')
  }
  // The copy of what was read is the file behind the one that stood before the log.
  const copy = copied && offset.before !== undefined ? entries[entries.findIndex(({ id }) => id === offset.before) + 1] : undefined
  if (copy !== undefined && copy !== own && isKnown(entries, offset)) {
    const looked = await lookAtFile(files, list, copy, offset)
    if (looked === 'moved' || typeof looked === 'object') return looked
  }
  let found: FoundFile | undefined
  const release = async (): Promise<void> => found?.cursor.close()
  for (const entry of entries) {
    // Where files keep their names, only the name is where a copy is looked for.
    if (entry === own || (list.order === 'name' && plainName(entry.name) !== plainName(offset.name))) continue
    let looked: Looked
    try {
      looked = await lookAtFile(files, list, entry, offset)
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

/** Whether it is known what stood before the log. */
const isKnown = (entries: readonly ListedFile[], { before }: FileOffset): boolean => before === '' || entries.some(({ id }) => id === before)

/** A copy of a log that may be what was read as well as the log itself, if it was truncated and began with the same again. */
async function copyBeside(
  files: FileLayer,
  list: FileList,
  entries: readonly ListedFile[],
  log: ListedFile,
  offset: FileOffset,
): Promise<ListedFile | undefined> {
  // What is read next tells where it is known what stood before the log.
  if (log !== entries.at(-1) || list.order === 'name' || isKnown(entries, offset)) return undefined
  for (const [index, entry] of entries.slice(0, -1).entries()) {
    if (!(await isLike(files, list, entry, offset))) continue
    const end = index === entries.length - 2 && !isGzip(entry.name) ? await endOfFile(files, list, entry) : undefined
    // Otherwise it is the copy of a log that was not truncated yet.
    if (end === undefined || !(await isLike(files, list, log, end))) return entry
  }
  return undefined
}

const gone = (path: string, position: number, reason: string): RestoreError => new RestoreError('SOURCE_OFFSET_GONE', { path, position, reason })
