/**
 * Files of journal entries, appended to by one writer and never changed before their end. A file gets its name when its beginning
 * is durable.
 *
 *     header · length of the name (u16) · name of the file · groups to the end
 *     group: length of the payload (u32) · entries (u32) · number of the first entry (u64) · payload · crc32 of all before (u32)
 *     payload: for each entry its length (u32) and its UTF-8 bytes
 *
 * In format 2 the protection of the file stands behind its name, and each payload is a block (sealing/) to which the number and the count of its
 * entries are bound. The checksum is over what is stored: whether a group was cut short by a crash is told without a key.
 *
 * **Invariants** One group is synced before the next is written, so a crash can only have spoilt the last. A group that does not
 * read while one behind it does is damage, and never taken for the end.
 */
import { crc32 } from 'node:zlib'
import { BackendError } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import { HeldBytes } from '../byteSource.js'
import { checkHeader, type FileFormat, fileHeader, headerBytes } from '../fileHeader.js'
import { type BlockOpener, type BlockSealer, type FileProtection, protectionBytesMax } from '../sealing/fileProtection.js'
import { openNamed, readFully } from '../wholeFiles.js'

/** Entries of one group, beyond a single large one, take no more than this. */
export const groupBytesMax = 4 * 1024 * 1024
/** One entry is read back into one piece of memory. */
export const entryBytesMax = 256 * 1024 * 1024
/** A group ends before it has both: entries up to its limit, and one that is large. */
const payloadBytesMax = 2 * groupBytesMax + entryBytesMax
const headBytes = 16
const tailBytes = 4

/** What stands before the first group. */
export function preamble(name: string, format: FileFormat = 1): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(name.length)
  return Buffer.concat([fileHeader('J', format), length, Buffer.from(name, 'latin1')])
}

export function encodeGroup(first: number, entries: readonly Buffer[]): Buffer {
  let length = 0
  for (const entry of entries) length += 4 + entry.length
  const group = groupOf(first, entries.length, length)
  let at = headBytes
  for (const entry of entries) {
    group.writeUInt32LE(entry.length, at)
    entry.copy(group, at + 4)
    at += 4 + entry.length
  }
  return summed(group)
}

/** A group as it stands at a position of its file. */
export async function storedGroup(first: number, entries: readonly Buffer[], position: number, sealer: BlockSealer | undefined): Promise<Buffer> {
  const plain = encodeGroup(first, entries)
  if (sealer === undefined) return plain
  const block = Buffer.concat(await sealer.seal(plain.subarray(headBytes, plain.length - tailBytes), position, plain.subarray(4, headBytes)))
  const group = groupOf(first, entries.length, block.length)
  block.copy(group, headBytes)
  return summed(group)
}

/** Room for a payload, with what stands before it. */
function groupOf(first: number, entries: number, length: number): Buffer {
  const group = Buffer.allocUnsafe(headBytes + length + tailBytes)
  group.writeUInt32LE(length, 0)
  group.writeUInt32LE(entries, 4)
  group.writeBigUInt64LE(BigInt(first), 8)
  return group
}

function summed(group: Buffer): Buffer {
  const end = group.length - tailBytes
  group.writeUInt32LE(crc32(group.subarray(0, end)), end)
  return group
}

/** One group as it was found. */
export interface Group {
  readonly first: number
  readonly entries: readonly string[]
  /** Where the next group stands. */
  readonly next: number
}

/** A file of entries in the hands of a reader. */
export interface EntriesReader {
  readonly name: string
  readonly file: OpenFile
  /** Where the first group stands. */
  readonly start: number
  /** Where payloads are blocks. */
  readonly opener: BlockOpener | undefined
}

const damage = (file: string, reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file, reason })

/** Opens a file and checks its beginning. */
export async function openEntries(files: FileLayer, folder: string, name: string, protection: FileProtection): Promise<EntriesReader> {
  const file = await openNamed(files, folder, name)
  try {
    const expected = preamble(name).subarray(headerBytes)
    const beginning = Buffer.alloc(headerBytes + expected.length + protectionBytesMax)
    const held = new HeldBytes(beginning.subarray(0, await readFully(file, beginning, 0)), (reason) => damage(name, reason))
    const header = await held.take(headerBytes)
    const format = checkHeader(header, 'J', name)
    // A later format may have other bytes in its header; the name is compared for itself.
    const found = await held.take(expected.length)
    if (!found.equals(expected)) throw damage(name, 'the file holds the entries of another')
    if (format === 1) protection.plain(name)
    const opener =
      format === 1 ? undefined : await protection.opener(name, Buffer.concat([header, found]), (length) => held.take(length), payloadBytesMax)
    return { name, file, start: held.position, opener }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

/** The group at a place of a file whose bytes up to `size` count; undefined where there is none that reads. */
export async function readGroup({ name, file, opener }: EntriesReader, at: number, size: number): Promise<Group | undefined> {
  if (at + headBytes + tailBytes > size) return undefined
  const head = Buffer.alloc(headBytes)
  if ((await readFully(file, head, at)) < headBytes) return undefined
  const length = head.readUInt32LE(0)
  if (at + headBytes + length + tailBytes > size) return undefined
  const rest = Buffer.allocUnsafe(length + tailBytes)
  if ((await readFully(file, rest, at + headBytes)) < rest.length) return undefined
  const stored = payloadOf(head, rest)
  if (stored === undefined || opener === undefined) return stored && decodeGroup(head, stored, at + headBytes + rest.length)
  // Whole, and yet not what was sealed here: no crash leaves that.
  const payload = await opener.open(stored, at, head.subarray(4))
  const group = decodeGroup(head, payload, at + headBytes + rest.length)
  if (group === undefined) throw damage(name, 'a group has another shape')
  return group
}

/** The payload as it is stored, where the checksum fits. */
function payloadOf(head: Buffer, rest: Buffer): Buffer | undefined {
  const length = rest.length - tailBytes
  return rest.readUInt32LE(length) === crc32(rest.subarray(0, length), crc32(head)) ? rest.subarray(0, length) : undefined
}

function decodeGroup(head: Buffer, payload: Buffer, next: number): Group | undefined {
  const { length } = payload
  const entries: string[] = []
  for (let position = 0; position < length; ) {
    if (position + 4 > length) return undefined
    const bytes = payload.readUInt32LE(position)
    if (position + 4 + bytes > length) return undefined
    entries.push(payload.toString('utf8', position + 4, position + 4 + bytes))
    position += 4 + bytes
  }
  const first = Number(head.readBigUInt64LE(8))
  if (entries.length !== head.readUInt32LE(4) || !Number.isSafeInteger(first)) return undefined
  return { first, entries, next }
}

/** What a file holds: the number behind its last entry, and where its valid bytes end. */
export interface Extent {
  readonly end: number
  readonly bytes: number
}

/** Looks through a whole file. Throws a `BackendError` `SNAPSHOT_CORRUPT` for what a crash cannot have left. */
export async function extentOf(reader: EntriesReader, first: number): Promise<Extent> {
  const size = await reader.file.size()
  let at = reader.start
  let end = first
  for (;;) {
    const group = await readGroup(reader, at, size)
    if (group === undefined) break
    if (group.first !== end) throw damage(reader.name, `entry ${end} is missing`)
    end += group.entries.length
    at = group.next
  }
  if (await hasGroupBehind(reader, at, size, end)) throw damage(reader.name, `the group of entry ${end} does not read, and later ones do`)
  return { end, bytes: at }
}

/** Whether a group with later entries stands somewhere behind `at`. */
async function hasGroupBehind({ file, opener }: EntriesReader, at: number, size: number, end: number): Promise<boolean> {
  const rest = Buffer.alloc(size - at)
  const length = await readFully(file, rest, at)
  for (let from = 1; from + headBytes + tailBytes <= length; from += 1) {
    const payload = rest.readUInt32LE(from)
    if (payload < 4 || from + headBytes + payload + tailBytes > length) continue
    const first = rest.readBigUInt64LE(from + 8)
    // Between it and the end there is at least one entry, of at least four bytes.
    if (first <= BigInt(end) || first > BigInt(end) + BigInt(size)) continue
    const head = rest.subarray(from, from + headBytes)
    const stored = payloadOf(head, rest.subarray(from + headBytes, from + headBytes + payload + tailBytes))
    if (stored !== undefined && (opener !== undefined || decodeGroup(head, stored, 0) !== undefined)) return true
  }
  return false
}
