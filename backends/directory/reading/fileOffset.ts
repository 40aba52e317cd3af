import { RestoreError } from '../../../lib/errors.js'
import type { SourceOffset } from '../../../lib/ports/replayableSource.js'
import { type LineOffset, lineOffset } from '../lineOffset.js'
import type { FileCursor } from './fileCursor.js'

/**
 * A position in one of several files: everything before it in that file, and every older file, has been read.
 *
 * It has the same few fields however many files there were: the order of the files is the low-water mark.
 */
export type FileOffset = LineOffset & {
  /** The name when it was read; a rotated file has another one by now. */
  readonly name: string
  /** Which file it is, as the file layer tells files apart. */
  readonly file: string
  /** How many older files there were, where files keep their names: one more of them later would never be read. */
  readonly older: number
  /** Which file stood right before it, none being `''`: only of a log that is copied and truncated. */
  readonly before?: string
}

/** Nothing has been read yet. */
export const nothingRead: FileOffset = { name: '', file: '', older: 0, position: 0, head: 0, tail: 0 }

/** Fingerprints a position: see {@link lineOffset}. */
export const fileOffset = (file: FileCursor, position: number, head: Uint8Array, before: Uint8Array): FileOffset => ({
  name: file.name,
  file: file.id,
  older: file.olderCount,
  ...(file.before === undefined ? {} : { before: file.before }),
  ...lineOffset(position, head, before),
})

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Offsets come from a checkpoint: they are checked like any input. */
export function parsedFileOffset(offset: SourceOffset, path: string): FileOffset {
  const fields = (typeof offset === 'object' && offset !== null ? offset : {}) as Partial<Record<string, unknown>>
  const { name, file, older, before, position, head, tail } = fields
  if (typeof name === 'string' && typeof file === 'string' && isCount(older) && isCount(position) && isCount(head) && isCount(tail)) {
    if (before === undefined) return { name, file, older, position, head, tail }
    if (typeof before === 'string') return { name, file, older, before, position, head, tail }
  }
  throw new RestoreError('STATE_KIND_CHANGED', { path, reason: 'the stored offset is not one of a source of several files' })
}
