/**
 * Files of journal entries, appended to by one writer and never changed before their end. A file gets its name when its beginning
 * is durable.
 *
 *     header · length of the name (u16) · name of the file · groups to the end
 *     group: length of the payload (u32) · entries (u32) · number of the first entry (u64) · payload · crc32 of all before (u32)
 *     payload: for each entry its length (u32) and its UTF-8 bytes
 *
 * **Invariants** One group is synced before the next is written, so a crash can only have spoilt the last. A group that does not
 * read while one behind it does is damage, and never taken for the end.
 */
import { crc32 } from 'node:zlib'
import { BackendError } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import { checkHeader, fileHeader, headerBytes } from '../fileHeader.js'
import { openNamed, readFully, withFile } from '../wholeFiles.js'

/** Entries of one group, beyond a single large one, take no more than this. */
export const groupBytesMax = 4 * 1024 * 1024
/** One entry is read back into one piece of memory. */
export const entryBytesMax = 256 * 1024 * 1024
const headBytes = 16
const tailBytes = 4

/** What stands before the first group. */
export function preamble(name: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(name.length)
  return Buffer.concat([fileHeader('J'), length, Buffer.from(name, 'latin1')])
}

export function encodeGroup(first: number, entries: readonly Buffer[]): Buffer {
  let length = 0
  for (const entry of entries) length += 4 + entry.length
  const group = Buffer.allocUnsafe(headBytes + length + tailBytes)
  group.writeUInt32LE(length, 0)
  group.writeUInt32LE(entries.length, 4)
  group.writeBigUInt64LE(BigInt(first), 8)
  let at = headBytes
  for (const entry of entries) {
    group.writeUInt32LE(entry.length, at)
    entry.copy(group, at + 4)
    at += 4 + entry.length
  }
  group.writeUInt32LE(crc32(group.subarray(0, at)), at)
  return group
}

/** One group as it was found. */
export interface Group {
  readonly first: number
  readonly entries: readonly string[]
  /** Where the next group stands. */
  readonly next: number
}

/** The group at a place of a file whose bytes up to `size` count; undefined where there is none that reads. */
export async function readGroup(file: OpenFile, at: number, size: number): Promise<Group | undefined> {
  if (at + headBytes + tailBytes > size) return undefined
  const head = Buffer.alloc(headBytes)
  if ((await readFully(file, head, at)) < headBytes) return undefined
  const length = head.readUInt32LE(0)
  if (at + headBytes + length + tailBytes > size) return undefined
  const rest = Buffer.allocUnsafe(length + tailBytes)
  if ((await readFully(file, rest, at + headBytes)) < rest.length) return undefined
  return decodeGroup(head, rest, at)
}

function decodeGroup(head: Buffer, rest: Buffer, at: number): Group | undefined {
  const length = rest.length - tailBytes
  if (rest.readUInt32LE(length) !== crc32(rest.subarray(0, length), crc32(head))) return undefined
  const entries: string[] = []
  for (let position = 0; position < length; ) {
    if (position + 4 > length) return undefined
    const bytes = rest.readUInt32LE(position)
    if (position + 4 + bytes > length) return undefined
    entries.push(rest.toString('utf8', position + 4, position + 4 + bytes))
    position += 4 + bytes
  }
  const first = Number(head.readBigUInt64LE(8))
  if (entries.length !== head.readUInt32LE(4) || !Number.isSafeInteger(first)) return undefined
  return { first, entries, next: at + headBytes + rest.length }
}

/** What a file holds: the number behind its last entry, and where its valid bytes end. */
export interface Extent {
  readonly end: number
  readonly bytes: number
}

/** Looks through a whole file. Throws a `BackendError` `SNAPSHOT_CORRUPT` for what a crash cannot have left. */
export function extentOf(files: FileLayer, folder: string, name: string, first: number): Promise<Extent> {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file: name, reason })
  return withFile(openNamed(files, folder, name), async (file) => {
    const size = await file.size()
    const expected = preamble(name)
    const found = Buffer.alloc(Math.min(size, expected.length))
    await readFully(file, found, 0)
    checkHeader(found.subarray(0, headerBytes), 'J', name)
    if (!found.subarray(headerBytes).equals(expected.subarray(headerBytes))) throw damaged('the file holds the entries of another')
    let at = expected.length
    let end = first
    for (;;) {
      const group = await readGroup(file, at, size)
      if (group === undefined) break
      if (group.first !== end) throw damaged(`entry ${end} is missing`)
      end += group.entries.length
      at = group.next
    }
    if (await hasGroupBehind(file, at, size, end)) throw damaged(`the group of entry ${end} does not read, and later ones do`)
    return { end, bytes: at }
  })
}

/** Whether a group with later entries stands somewhere behind `at`. */
async function hasGroupBehind(file: OpenFile, at: number, size: number, end: number): Promise<boolean> {
  const rest = Buffer.alloc(size - at)
  const length = await readFully(file, rest, at)
  for (let from = 1; from + headBytes + tailBytes <= length; from += 1) {
    const payload = rest.readUInt32LE(from)
    if (payload < 4 || from + headBytes + payload + tailBytes > length) continue
    const first = rest.readBigUInt64LE(from + 8)
    // Between it and the end there is at least one entry, of at least four bytes.
    if (first <= BigInt(end) || first > BigInt(end) + BigInt(size)) continue
    const head = rest.subarray(from, from + headBytes)
    if (decodeGroup(head, rest.subarray(from + headBytes, from + headBytes + payload + tailBytes), 0) !== undefined) return true
  }
  return false
}
