/**
 * Segments: files of row chunks, written once and never changed.
 *
 *     header · length of the name (u16) · name of the file · frames to the end
 *     frame: length of the payload (u32) · payload · crc32 of both (u32)
 *     payload: length of uid (u16) · uid · length of table (u16) · table · rows (u32) · row frames
 *
 * The name inside the file catches a segment that was put in the place of another. The manifest has the size and the sha-256.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BackendError } from '../../lib/errors.js'
import type { OperatorUid } from '../../lib/identity.js'
import type { RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { bestEffort } from './failures.js'
import { checkHeader, fileHeader, headerBytes } from './fileHeader.js'
import type { Segment } from './manifestFile.js'
import { openNamed, readFully, withFile, writeAll } from './wholeFiles.js'

/** Hashing this much takes well under a millisecond, and each block is followed by a turn of the event loop. */
const blockBytes = 1024 * 1024
/** A chunk is read back into one piece of memory. */
const frameBytesMax = 1024 * 1024 * 1024

const preamble = (name: string): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(name.length)
  return Buffer.concat([fileHeader('S'), length, Buffer.from(name, 'latin1')])
}

/** Writes one segment. The calls follow one another; a failure leaves it to be discarded. */
export class SegmentWriter {
  private readonly hash = createHash('sha256')
  private block = Buffer.allocUnsafe(64 * 1024)
  private used = 0
  private written = 0
  private rows = 0
  private open = true

  private constructor(
    private readonly files: FileLayer,
    private readonly path: string,
    private readonly name: string,
    private readonly file: OpenFile,
  ) {}

  static async create(files: FileLayer, folder: string, name: string): Promise<SegmentWriter> {
    const path = `${folder}/${name}`
    const writer = new SegmentWriter(files, path, name, await files.create(path))
    try {
      await writer.append(preamble(name))
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
    await this.flush()
    // A failed sync poisons the file: it is discarded, and the rows are written to another one.
    await this.file.sync()
    this.open = false
    await this.file.close()
    return { file: this.name, bytes: this.written, sha256: this.hash.digest('hex'), rows: this.rows }
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
      this.hash.update(slice)
      sum = crc32(slice, sum)
      if (this.used + slice.length > this.block.length) await this.flush()
      if (slice.length > this.block.length) {
        await writeAll(this.file, slice, this.written)
        this.written += slice.length
      } else {
        this.block.set(slice, this.used)
        this.used += slice.length
      }
    }
    return sum
  }

  private async flush(): Promise<void> {
    const block = this.block.subarray(0, this.used)
    this.used = 0
    await writeAll(this.file, block, this.written)
    this.written += block.length
  }
}

/** Visits the chunks of a segment, in order, after the whole file was verified. Memory: one chunk and one block. */
export function readSegment(files: FileLayer, folder: string, segment: Segment, visit: (chunk: RowChunk) => unknown): Promise<void> {
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
    await readFrames(file, size, block, segment.file, damaged, visit)
  })
}

async function readFrames(
  file: OpenFile,
  size: number,
  block: Buffer,
  name: string,
  damaged: (reason: string) => BackendError,
  visit: (chunk: RowChunk) => unknown,
): Promise<void> {
  let position = 0
  let buffered: Uint8Array = block.subarray(0, 0)
  /** The next bytes, in memory of their own. */
  const take = async (length: number): Promise<Buffer> => {
    if (length > size - position) throw damaged('a frame is cut short')
    const into = Buffer.from(new ArrayBuffer(length))
    const fromBlock = Math.min(buffered.length, length)
    into.set(buffered.subarray(0, fromBlock))
    buffered = buffered.subarray(fromBlock)
    const rest = into.subarray(fromBlock)
    const at = position + fromBlock
    position += length
    if (rest.length === 0) return into
    if (rest.length >= block.length) {
      if ((await readFully(file, rest, at)) !== rest.length) throw damaged('the file is cut short')
      return into
    }
    const filled = await readFully(file, block.subarray(0, Math.min(block.length, size - at)), at)
    if (filled < rest.length) throw damaged('the file is cut short')
    rest.set(block.subarray(0, rest.length))
    buffered = block.subarray(rest.length, filled)
    return into
  }

  const expected = preamble(name)
  const found = await take(Math.min(expected.length, size))
  // A later format may have other bytes in its header; the name is compared for itself.
  if (!found.subarray(headerBytes).equals(expected.subarray(headerBytes))) throw damaged('the file holds another segment')
  while (position < size) {
    const head = await take(4)
    const length = head.readUInt32LE(0)
    const payload = await take(length)
    const sum = await take(4)
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
