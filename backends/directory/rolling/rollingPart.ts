/**
 * One part of a `fileSink`: what is in memory and what is in its file.
 *
 * **Invariants** Everything behind the durable prefix is in `blocks`, or is being gathered; of a block that was written the bytes may
 * have been let go, unless `kept`. A file that was named durable is only ever added to; one that failed gets nothing more, and its
 * successor begins with the durable prefix, read back and verified. A finished part has a file of its own run: files of earlier runs
 * may have more in them than their durable prefix.
 *
 * **Fault model** Any operation may fail; then `abandon` gives the file up. What is kept goes to the next one.
 */
import { crc32, gzipSync } from 'node:zlib'
import { SinkError } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import { visitBlocks } from '../fileBlocks.js'
import { writeAll } from '../wholeFiles.js'
import type { OpenPart, StagedPart } from './fileHandle.js'
import { type Numbered, stagedName } from './fileNames.js'
import { Gathered } from './gathered.js'
import type { HeldBytes } from './heldBytes.js'

interface Block {
  readonly bytes: number
  data: Uint8Array | undefined
}

/** The part up to a barrier. */
export interface Cut {
  readonly part: RollingPart
  readonly bytes: number
  readonly crc32: number
  readonly writtenMs: number
}

/** Where parts have their files. */
export interface PartFiles {
  readonly files: FileLayer
  readonly folder: string
  /** A new file for the part. */
  create(part: RollingPart): Promise<{ readonly id: Numbered; readonly file: OpenFile }>
}

export interface PartOptions {
  readonly bucket: string
  readonly name: string
  readonly part: Numbered
  readonly createdMs: number
  readonly gzip: boolean
}

const sameFile = (a: Numbered | undefined, b: Numbered | undefined): boolean => a?.epoch === b?.epoch && a?.number === b?.number

export class RollingPart {
  readonly of: PartOptions
  writtenMs: number
  /** It gets no more records. */
  rolled = false
  readonly #held: HeldBytes
  readonly #gathered = new Gathered()
  #blocks: Block[] = []
  #bytes = 0
  #crc = 0
  #durable: { readonly file: Numbered; readonly bytes: number; readonly crc32: number } | undefined
  #file: { readonly id: Numbered; readonly file: OpenFile } | undefined
  #written = 0
  #writtenBytes = 0
  /** The file is complete, synced and closed. */
  #whole = false
  #kept = true
  #failed = false
  /** Files that hold a durable prefix, or did: they go when the part is visible. */
  readonly #used: Numbered[] = []

  constructor(of: PartOptions, held: HeldBytes) {
    this.of = of
    this.writtenMs = of.createdMs
    this.#held = held
  }

  /** A part that an earlier run began. Nothing is read or written before there is more to write. */
  static restored(from: OpenPart, gzip: boolean, held: HeldBytes): RollingPart {
    const part = new RollingPart({ bucket: from.bucket, name: from.name, part: from.part, createdMs: from.createdMs, gzip }, held)
    part.writtenMs = from.writtenMs
    part.#bytes = from.bytes
    part.#crc = from.crc32
    part.#durable = { file: from.file, bytes: from.bytes, crc32: from.crc32 }
    part.#used.push(from.file)
    return part
  }

  get createdMs(): number {
    return this.of.createdMs
  }

  /** With what is gathered, which `gzip` has not made smaller yet. */
  get bytes(): number {
    return this.#bytes + this.#gathered.bytes
  }

  get gatheredBytes(): number {
    return this.#gathered.bytes
  }

  /** A file of it was given up and no other has taken its place. */
  get failed(): boolean {
    return this.#failed
  }

  /** Some of it is in memory no more, and in no file that counts. */
  get lossy(): boolean {
    return this.#blocks.some(({ data }) => data === undefined)
  }

  /** The files that nobody needs once the part is visible. */
  get used(): readonly Numbered[] {
    return this.#used
  }

  add(data: string | Uint8Array): void {
    const bytes = this.#gathered.add(data)
    this.#held.unwritten += bytes
    this.#held.held += bytes
  }

  endBlock(): void {
    const gathered = this.#gathered.bytes
    if (gathered === 0) return
    const plain = this.#gathered.take()
    // Each block is a gzip file of its own; one behind the other they are one again.
    const data = this.of.gzip ? gzipSync(plain) : plain
    this.#blocks.push({ bytes: data.length, data })
    this.#bytes += data.length
    this.#crc = crc32(data, this.#crc)
    this.#held.unwritten += data.length - gathered
    this.#held.held += data.length - gathered
  }

  cut(): Cut {
    this.endBlock()
    return { part: this, bytes: this.#bytes, crc32: this.#crc, writtenMs: this.writtenMs }
  }

  /** From now on blocks are let go once they are in the file. */
  release(): void {
    this.#kept = false
    for (let index = 0; index < this.#written; index += 1) this.#letGo(this.#blocks[index] as Block)
  }

  /** Writes what is not written. */
  async flush(to: PartFiles): Promise<void> {
    if (this.#whole) return
    const { file } = this.#file ?? (await this.#begin(to))
    this.#failed = false
    while (this.#written < this.#blocks.length) {
      const block = this.#blocks[this.#written] as Block
      await writeAll(file, block.data as Uint8Array, this.#writtenBytes)
      this.#written += 1
      this.#writtenBytes += block.bytes
      this.#held.unwritten -= block.bytes
      if (!this.#kept) this.#letGo(block)
    }
  }

  /** Makes durable what is written, but not the name of the file. */
  async sync(): Promise<void> {
    if (!this.#whole) await this.#file?.file.sync()
  }

  /** Writes what is left, makes it durable and closes the file. */
  async seal(to: PartFiles): Promise<void> {
    if (this.#whole) return
    await this.flush(to)
    await this.sync()
    await this.#file?.file.close()
    this.#whole = true
  }

  /** Whether a cut is durable already. */
  has(cut: Cut): boolean {
    return this.#durable !== undefined && this.#durable.bytes >= cut.bytes
  }

  /** The cut is durable under the name of its file. */
  confirm(cut: Cut): void {
    if (this.#file === undefined) return
    let dropped = 0
    for (let bytes = this.#durable?.bytes ?? 0; bytes < cut.bytes; dropped += 1) {
      const block = this.#blocks[dropped] as Block
      bytes += block.bytes
      this.#letGo(block)
    }
    this.#blocks = this.#blocks.slice(dropped)
    this.#written -= dropped
    this.#kept = !this.lossy
    if (!sameFile(this.#durable?.file, this.#file.id)) this.#used.push(this.#file.id)
    this.#durable = { file: this.#file.id, bytes: cut.bytes, crc32: cut.crc32 }
  }

  /** What a handle says of it; call it behind `confirm`. */
  staged(): StagedPart {
    const { bucket, name, part } = this.of
    return { bucket, name, part, ...(this.#durable as { file: Numbered; bytes: number; crc32: number }) }
  }

  /** Gives the file up: one that failed once is never trusted again. What is kept is unwritten again. */
  async abandon(to: PartFiles): Promise<void> {
    const file = this.#file
    const wasOpen = !this.#whole
    this.#failed = true
    this.#whole = false
    this.#file = undefined
    for (let index = 0; index < this.#written; index += 1) {
      const { data, bytes } = this.#blocks[index] as Block
      if (data !== undefined) this.#held.unwritten += bytes
    }
    this.#written = 0
    this.#writtenBytes = 0
    if (file === undefined) return
    if (wasOpen) await file.file.close().catch(() => undefined)
    // What a checkpoint names stays. What cannot be removed now goes when the next run aborts what is not committed.
    if (!sameFile(file.id, this.#durable?.file)) await to.files.unlink(`${to.folder}/${stagedName(this.of.part, file.id)}`).catch(() => undefined)
  }

  /** Lets the file go as it is, for whoever restores it. */
  async close(): Promise<void> {
    if (!this.#whole) await this.#file?.file.close().catch(() => undefined)
    this.#file = undefined
  }

  async #begin(to: PartFiles): Promise<{ readonly file: OpenFile }> {
    const created = await to.create(this)
    this.#file = created
    const durable = this.#durable
    if (durable === undefined) return created
    const path = `${to.folder}/${stagedName(this.of.part, durable.file)}`
    let found = 0
    await visitBlocks(to.files, path, durable.bytes, async (block, position) => {
      found = crc32(block, found)
      await writeAll(created.file, block, position)
    })
    if (found !== durable.crc32) throw new SinkError('TRANSACTION_DAMAGED', { path, what: 'checksum', found, expected: durable.crc32, fatal: true })
    this.#writtenBytes = durable.bytes
    return created
  }

  #letGo(block: Block): void {
    if (block.data !== undefined) this.#held.held -= block.bytes
    block.data = undefined
  }
}
