import type { BackendError } from '../../lib/errors.js'
import type { OpenFile } from '../../lib/ports/fileLayer.js'
import { readFully } from './wholeFiles.js'

/** Bytes that are taken one after the other. */
export interface ByteSource {
  /** Where the next byte stands. */
  readonly position: number
  readonly hasEnded: boolean
  /** The next bytes, in memory of their own; damage where there are fewer. */
  take(length: number): Promise<Buffer>
}

/** The bytes of a file whose size is known, read through a block of memory. */
export class FileBytes implements ByteSource {
  position = 0
  private buffered: Uint8Array

  constructor(
    private readonly file: OpenFile,
    private readonly size: number,
    private readonly block: Buffer,
    private readonly damaged: (reason: string) => BackendError,
  ) {
    this.buffered = block.subarray(0, 0)
  }

  get hasEnded(): boolean {
    return this.position >= this.size
  }

  async take(length: number): Promise<Buffer> {
    const { file, size, block, damaged } = this
    if (length > size - this.position) throw damaged('a frame is cut short')
    const into = Buffer.from(new ArrayBuffer(length))
    const fromBlock = Math.min(this.buffered.length, length)
    into.set(this.buffered.subarray(0, fromBlock))
    this.buffered = this.buffered.subarray(fromBlock)
    const rest = into.subarray(fromBlock)
    const at = this.position + fromBlock
    this.position += length
    if (rest.length === 0) return into
    if (rest.length >= block.length) {
      if ((await readFully(file, rest, at)) !== rest.length) throw damaged('the file is cut short')
      return into
    }
    const filled = await readFully(file, block.subarray(0, Math.min(block.length, size - at)), at)
    if (filled < rest.length) throw damaged('the file is cut short')
    rest.set(block.subarray(0, rest.length))
    this.buffered = block.subarray(rest.length, filled)
    return into
  }
}

/** Bytes that are in memory. */
export class HeldBytes implements ByteSource {
  position = 0

  constructor(
    private readonly bytes: Buffer,
    private readonly damaged: (reason: string) => BackendError,
  ) {}

  get hasEnded(): boolean {
    return this.position >= this.bytes.length
  }

  async take(length: number): Promise<Buffer> {
    if (length > this.bytes.length - this.position) throw this.damaged('the file is cut short')
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }
}
