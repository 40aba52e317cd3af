import { crc32 } from 'node:zlib'
import { RestoreError } from '../../lib/errors.js'
import type { OpenFile } from '../../lib/ports/fileLayer.js'
import type { SourceOffset } from '../../lib/ports/replayableSource.js'
import { readFully } from './wholeFiles.js'

/** So much of the beginning of a file tells it from another one. */
export const headBytesMax = 1024
/** So much before a position tells that it still stands behind the same line. */
export const tailBytesMax = 64

/**
 * A position in a file of lines, with checksums of what stood before it, so that a file that was replaced or rewritten is
 * noticed: `head` covers the first bytes up to {@link headBytesMax}, `tail` the last ones up to {@link tailBytesMax}.
 */
export type LineOffset = { readonly position: number; readonly head: number; readonly tail: number }

/** The beginning of a file: nothing stands before it. */
export const beginning: LineOffset = { position: 0, head: 0, tail: 0 }

/** Fingerprints a position. `before` ends at the position and holds at least the last {@link tailBytesMax} bytes. */
export const lineOffset = (position: number, head: Uint8Array, before: Uint8Array): LineOffset => ({
  position,
  head: crc32(head.subarray(0, Math.min(position, headBytesMax))),
  tail: crc32(before.subarray(Math.max(0, before.length - tailBytesMax))),
})

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** Offsets come from a checkpoint: they are checked like any input. */
export function parsedLineOffset(offset: SourceOffset, path: string): LineOffset {
  const { position, head, tail } = (typeof offset === 'object' && offset !== null ? offset : {}) as Partial<Record<string, unknown>>
  if (isCount(position) && isCount(head) && isCount(tail)) return { position, head, tail }
  throw new RestoreError('STATE_KIND_CHANGED', { path, reason: 'the stored offset is not one of a file of lines' })
}

/** Tells why the file cannot be read on from `offset`, or nothing when it can. */
export async function whyGone(file: OpenFile, path: string, offset: LineOffset): Promise<RestoreError | undefined> {
  const { position } = offset
  const bytes = await file.size()
  if (position > bytes) return new RestoreError('SOURCE_OFFSET_AHEAD', { path, position, bytes })
  const head = await bytesAt(file, 0, Math.min(position, headBytesMax))
  const before = await bytesAt(file, Math.max(0, position - tailBytesMax), Math.min(position, tailBytesMax))
  const found = lineOffset(position, head, before)
  if (found.head === offset.head && found.tail === offset.tail) return undefined
  return new RestoreError('SOURCE_OFFSET_GONE', {
    path,
    position,
    reason: 'the file was replaced: what stands before the position is not what was read',
  })
}

/** The bytes at a position, fewer where the file ends. */
export async function bytesAt(file: OpenFile, position: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count)
  return bytes.subarray(0, await readFully(file, bytes, position))
}
