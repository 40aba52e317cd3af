/**
 * Segments: files of row chunks, written once and never changed.
 *
 *     header · length of the name (u16) · name of the file · frames to the end
 *     frame: length of the payload (u32) · payload · crc32 of both (u32)
 *     payload: length of uid (u16) · uid · length of table (u16) · table · rows (u32) · row frames
 *
 * The name inside the file catches a segment that was put in the place of another. The manifest has the size and the sha-256.
 *
 * In format 2 the protection of the file stands behind its name, and the frames are cut into blocks (sealing/).
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BackendError } from '../../lib/errors.js'
import type { OperatorUid } from '../../lib/identity.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { type ByteSource, FileBytes } from './byteSource.js'
import { bestEffort } from './failures.js'
import { checkHeader, type FileFormat, fileHeader, headerBytes } from './fileHeader.js'
import type { Folder } from './folder.js'
import type { Segment } from './manifestFile.js'
import { BlockCutter, blockBytesMax, OpenedBytes } from './sealing/blockStream.js'
import type { BlockSealer } from './sealing/fileProtection.js'
import { openNamed, readFully, withFile, writeAll } from './wholeFiles.js'

/** Hashing this much takes well under a millisecond, and each block is followed by a turn of the event loop. */
const blockBytes = 1024 * 1024
/** A chunk is read back into one piece of memory. */
const frameBytesMax = 1024 * 1024 * 1024

const preamble = (name: string, format: FileFormat = 1): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(name.length)
  return Buffer.concat([fileHeader('S', format), length, Buffer.from(name, 'latin1')])
}

/** Writes one segment. The calls follow one another; a failure leaves it to be discarded. */
export class SegmentWriter {
  private readonly hash = createHash('sha256')
  private block = Buffer.allocUnsafe(64 * 1024)
  private used = 0
  private written = 0
  private rows = 0
  private open = true
  /** Where the file is compressed or sealed. */
  private readonly cutter: BlockCutter | undefined

  private constructor(
    private readonly files: FileLayer,
    private readonly path: string,
    private readonly name: string,
    private readonly file: OpenFile,
    private readonly sealer: BlockSealer | undefined,
  ) {
    this.cutter = sealer === undefined ? undefined : new BlockCutter(sealer, sealer.beginning.length, (block) => this.put(block))
  }

  static async create({ files, path: folder, protection }: Pick<Folder, 'files' | 'path' | 'protection'>, name: string): Promise<SegmentWriter> {
    const path = `${folder}/${name}`
    const sealer = protection.sealer(name, preamble(name, 2))
    const writer = new SegmentWriter(files, path, name, await files.create(path), sealer)
    try {
      await writer.put(sealer?.beginning ?? preamble(name))
    } catch (error) {
      await writer.discard()
      throw error
    }
    return writer
  }

  async add(chunk: RowChunk): Promise<void> {
    const uid = Buffer.from(chunk.uid)
    const table = Buffer.from(chunk.table)
    const length = 8 + uid.length + table.length + chunk.bytes.length
    if (length > frameBytesMax) throw new BackendError('BACKEND_FULL', { what: 'chunk', uid: chunk.uid, found: length, frameBytesMax })
    const head = Buffer.alloc(12 + uid.length + table.length)
    head.writeUInt32LE(length, 0)
    head.writeUInt16LE(uid.length, 4)
    uid.copy(head, 6)
    head.writeUInt16LE(table.length, 6 + uid.length)
    table.copy(head, 8 + uid.length)
    head.writeUInt32LE(chunk.rows, 8 + uid.length + table.length)
    const tail = Buffer.alloc(4)
    tail.writeUInt32LE(await this.append(chunk.bytes, await this.append(head, 0)))
    await this.append(tail)
    this.rows += chunk.rows
  }

  /** Makes the bytes durable. The name is durable once the folder is synced. */
  async finish(): Promise<Segment> {
    await this.cutter?.end()
    await this.flush()
    // A failed sync poisons the file: it is discarded, and the rows are written to another one.
    await this.file.sync()
    this.open = false
    await this.file.close()
    const finished = { file: this.name, bytes: this.written, sha256: this.hash.digest('hex'), rows: this.rows }
    const key = this.sealer?.keyId
    return key === undefined ? finished : { ...finished, key }
  }

  /** Releases the file and removes it where that is possible. */
  async discard(): Promise<void> {
    await this.release()
    await bestEffort(() => this.files.unlink(this.path))
  }

  /** Releases the file and leaves it: something may name it. */
  async release(): Promise<void> {
    if (!this.open) return
    this.open = false
    await bestEffort(() => this.file.close())
  }

  private async append(bytes: Uint8Array, crc = 0): Promise<number> {
    let sum = crc
    for (let from = 0; from < bytes.length; from += blockBytes) {
      const slice = bytes.subarray(from, from + blockBytes)
      sum = crc32(slice, sum)
      if (this.cutter === undefined) await this.put(slice)
      else await this.cutter.add(slice)
    }
    return sum
  }

  /** Adds bytes as they stand in the file. */
  private async put(slice: Uint8Array): Promise<void> {
    this.hash.update(slice)
    if (this.used + slice.length > this.block.length) await this.flush()
    if (slice.length > this.block.length) {
      await writeAll(this.file, slice, this.written)
      this.written += slice.length
    } else {
      this.block.set(slice, this.used)
      this.used += slice.length
    }
  }

  private async flush(): Promise<void> {
    const block = this.block.subarray(0, this.used)
    this.used = 0
    await writeAll(this.file, block, this.written)
    this.written += block.length
  }
}

/** Visits the chunks of a segment, in order, after the whole file was verified. Memory: one chunk and one block. */
export function readSegment(
  { files, path: folder, protection }: Pick<Folder, 'files' | 'path' | 'protection'>,
  segment: Segment,
  visit: (chunk: RowChunk) => unknown,
): Promise<void> {
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file: segment.file, reason })
  return withFile(openNamed(files, folder, segment.file), async (file) => {
    const size = await file.size()
    if (size !== segment.bytes) throw damaged(`it has ${size} bytes instead of ${segment.bytes}`)
    const block = Buffer.allocUnsafe(Math.min(blockBytes, size))
    const hash = createHash('sha256')
    for (let at = 0; at < size; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, size - at))
      if ((await readFully(file, part, at)) !== part.length) throw damaged('the file is cut short')
      if (at === 0) checkHeader(part.subarray(0, headerBytes), 'S', segment.file)
      hash.update(part)
    }
    if (hash.digest('hex') !== segment.sha256) throw damaged('the digest differs')
    const stored = new FileBytes(file, size, block, damaged)
    const header = await stored.take(headerBytes)
    // A later format may have other bytes in its header; the name is compared for itself.
    const expected = preamble(segment.file).subarray(headerBytes)
    const name = await stored.take(Math.min(expected.length, size - headerBytes))
    if (!name.equals(expected)) throw damaged('the file holds another segment')
    const format = checkHeader(header, 'S', segment.file)
    if (format === 1) protection.plain(segment.file)
    await readFrames(format === 1 ? stored : await opened(stored, Buffer.concat([header, name]), segment.file, protection), damaged, visit)
  })
}

async function opened(stored: ByteSource, before: Buffer, name: string, protection: Folder['protection']): Promise<ByteSource> {
  const opener = await protection.opener(name, before, (length) => stored.take(length), blockBytesMax)
  return new OpenedBytes(name, opener, stored)
}

async function readFrames(from: ByteSource, damaged: (reason: string) => BackendError, visit: (chunk: RowChunk) => unknown): Promise<void> {
  while (!from.hasEnded) {
    const head = await from.take(4)
    const length = head.readUInt32LE(0)
    if (length > frameBytesMax) throw damaged('a frame is longer than any')
    const payload = await from.take(length)
    const sum = await from.take(4)
    if (sum.readUInt32LE(0) !== crc32(payload, crc32(head))) throw damaged('the checksum of a frame differs')
    await visit(chunkOf(payload, damaged))
  }
}

function chunkOf(payload: Buffer, damaged: (reason: string) => BackendError): RowChunk {
  const text = (at: number): string => {
    const length = at + 2 <= payload.length ? payload.readUInt16LE(at) : payload.length
    if (at + 2 + length > payload.length) throw damaged('a frame has another shape')
    return payload.toString('utf8', at + 2, at + 2 + length)
  }
  const uid = text(0)
  const tableAt = 2 + payload.readUInt16LE(0)
  const table = text(tableAt)
  const rowsAt = tableAt + 2 + payload.readUInt16LE(tableAt)
  if (rowsAt + 4 > payload.length) throw damaged('a frame has another shape')
  const rest = payload.subarray(rowsAt + 4)
  return { uid: uid as OperatorUid, table, rows: payload.readUInt32LE(rowsAt), bytes: new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength) }
}
