import { crc32 } from 'node:zlib'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { writeAll } from './wholeFiles.js'

/** A file under way. */
export interface NewFile {
  readonly path: string
  readonly file: OpenFile
}

/** What a pre-committed part file has to be. */
export interface PartContent {
  readonly bytes: number
  readonly crc32: number
}

/**
 * The lines of one transaction, in memory and in a file under way.
 *
 * While `kept`, all of it is still in memory and a file that failed is given up for a new one. Afterwards what is in the file is
 * only there.
 */
export class PartBuffer {
  /** Written blocks are released unless `kept`. */
  #blocks: (Uint8Array | undefined)[] = []
  #written = 0
  #writtenBytes = 0
  #bytes = 0
  #crc = 0
  #kept = true
  #failed = false
  #file: OpenFile | undefined
  #path: string | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** What is in no file yet. */
  get unwrittenBytes(): number {
    return this.#bytes - this.#writtenBytes
  }

  get memoryBytes(): number {
    return this.#kept ? this.#bytes : this.unwrittenBytes
  }

  get kept(): boolean {
    return this.#kept
  }

  /** A file of it was given up and no other has taken its place. */
  get failed(): boolean {
    return this.#failed
  }

  add(block: Uint8Array): void {
    this.#blocks.push(block)
    this.#bytes += block.length
    this.#crc = crc32(block, this.#crc)
  }

  /** From now on blocks are released once they are in the file. */
  release(): void {
    this.#kept = false
    this.#blocks.fill(undefined, 0, this.#written)
  }

  /** Writes what is not written. `create` opens a new file; after a failure the part has none. */
  async flush(create: () => Promise<NewFile>): Promise<void> {
    if (this.#written === this.#blocks.length) return
    if (this.#file === undefined) ({ path: this.#path, file: this.#file } = await create())
    this.#failed = false
    while (this.#written < this.#blocks.length) {
      const block = this.#blocks[this.#written] as Uint8Array
      await writeAll(this.#file, block, this.#writtenBytes)
      if (!this.#kept) this.#blocks[this.#written] = undefined
      this.#written += 1
      this.#writtenBytes += block.length
    }
  }

  /** Makes the file durable, closes it and moves it to `pending`. Call it after `flush`. */
  async seal(files: FileLayer, pending: string): Promise<PartContent> {
    const file = this.#file as OpenFile
    await file.sync()
    this.#file = undefined
    await file.close()
    await files.rename(this.#path as string, pending)
    this.#path = pending
    return { bytes: this.#bytes, crc32: this.#crc }
  }

  /** Gives the file up: a file that failed once is never trusted again. What is kept is unwritten again. */
  async abandon(files: FileLayer): Promise<void> {
    const file = this.#file
    const path = this.#path
    this.#failed = true
    this.#file = undefined
    this.#path = undefined
    if (this.#kept) {
      this.#written = 0
      this.#writtenBytes = 0
    }
    // Nobody sees the file and nothing names it; what cannot be removed now goes when the next run aborts what is not committed.
    await file?.close().catch(() => undefined)
    if (path !== undefined) await files.unlink(path).catch(() => undefined)
  }
}
