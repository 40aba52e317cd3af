/**
 * Bytes without an end of their own, cut into blocks, as segments and manifests hold them.
 *
 *     length of the block (u32) · block · crc32 of both (u32)
 */
import { crc32 } from 'node:zlib'
import { BackendError } from '../../../lib/errors.js'
import type { ByteSource } from '../byteSource.js'
import type { BlockOpener, BlockSealer } from './fileProtection.js'

/** Sealing this much takes a fraction of a millisecond, and compressing more at once wins little. */
export const blockBytesMax = 256 * 1024
/** What a block has beside its bytes: its length as it was, and its tag. */
const overheadMax = 64

/** Cuts what it is given, and hands the blocks on. */
export class BlockCutter {
  private readonly block = Buffer.allocUnsafe(blockBytesMax)
  private used = 0

  /**
   * @param position - where the first block will stand
   * @param put - takes parts of the file, one after the other; they are its own until it has settled
   */
  constructor(
    private readonly sealer: BlockSealer,
    private position: number,
    private readonly put: (stored: Uint8Array) => Promise<void>,
  ) {}

  async add(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + blockBytesMax - this.used)
      this.block.set(part, this.used)
      this.used += part.length
      from += part.length
      if (this.used === blockBytesMax) await this.cut()
    }
  }

  async end(): Promise<void> {
    if (this.used > 0) await this.cut()
  }

  private async cut(): Promise<void> {
    const parts = await this.sealer.seal(this.block.subarray(0, this.used), this.position)
    const head = Buffer.alloc(4)
    const tail = Buffer.alloc(4)
    head.writeUInt32LE(parts.reduce((sum, { length }) => sum + length, 0))
    tail.writeUInt32LE(parts.reduce((sum, part) => crc32(part, sum), crc32(head)))
    this.position += head.length + head.readUInt32LE() + tail.length
    for (const part of [head, ...parts, tail]) await this.put(part)
    this.used = 0
  }
}

/** The bytes that were cut, put together again. No memory is taken for what was not read. */
export class OpenedBytes implements ByteSource {
  position = 0
  private buffered: Buffer = Buffer.alloc(0)

  constructor(
    private readonly file: string,
    private readonly opener: BlockOpener,
    private readonly stored: ByteSource,
  ) {}

  get hasEnded(): boolean {
    return this.buffered.length === 0 && this.stored.hasEnded
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let missing = length; missing > 0; ) {
      if (this.buffered.length === 0) this.buffered = await this.next()
      const part = this.buffered.subarray(0, missing)
      this.buffered = this.buffered.subarray(part.length)
      missing -= part.length
      parts.push(part)
    }
    this.position += length
    const into = Buffer.from(new ArrayBuffer(length))
    let at = 0
    for (const part of parts) {
      into.set(part, at)
      at += part.length
    }
    return into
  }

  private async next(): Promise<Buffer> {
    const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { file: this.file, reason })
    if (this.stored.hasEnded) throw damaged('a frame is cut short')
    const { position } = this.stored
    const head = await this.stored.take(4)
    const length = head.readUInt32LE(0)
    if (length > blockBytesMax + overheadMax) throw damaged('a block is longer than any')
    const block = await this.stored.take(length)
    const sum = await this.stored.take(4)
    if (sum.readUInt32LE(0) !== crc32(block, crc32(head))) throw damaged('the checksum of a block differs')
    return this.opener.open(block, position)
  }
}
