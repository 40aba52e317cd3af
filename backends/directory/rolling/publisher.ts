/**
 * Makes finished parts visible, and remembers the newest checkpoint of which it did.
 *
 * **Invariants** The mark of a checkpoint is durable before the first of its parts is visible, so that a restore of an older one is
 * noticed. A part appears whole and at once, by a link that overwrites nothing; the file that it came from goes when the link is durable.
 * Doing it again changes nothing.
 *
 * **Fault model** Any operation may fail, the process may die between any two. After a failed sync of a directory no later one makes the
 * names durable that it was to cover: they are made anew.
 */
import { SinkError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import { bestEffort, systemCodeOf } from '../failures.js'
import { checksum } from '../fileBlocks.js'
import type { StagedPart } from './fileHandle.js'
import { inOrder, markName, type Numbered, parsedMark, stagedName } from './fileNames.js'

/** Folders of buckets that are known to be there; more are looked at again. */
const knownBucketsMax = 1_000

export class Publisher {
  readonly #files: FileLayer
  readonly #path: string
  readonly #folder: string
  readonly #known = new Set<string>()
  /** Visible parts whose names a failed sync may have left to the next power cut. */
  readonly #doubtful = new Set<string>()
  #newest: Numbered | undefined

  constructor(files: FileLayer, path: string, folder: string) {
    this.#files = files
    this.#path = path
    this.#folder = folder
  }

  /** The newest checkpoint with parts that was committed, or was about to be. */
  async newest(): Promise<Numbered | undefined> {
    this.#newest = (await this.#marks()).at(-1)
    return this.#newest
  }

  /** Whether the part is visible already. */
  async isVisible({ bucket, name, bytes }: StagedPart): Promise<boolean> {
    const found = await this.#files.size(this.#pathOf(bucket, name))
    return found !== undefined && found >= bytes
  }

  /** `isOwn` tells the parts that this run wrote: others are verified whole before anybody sees them. */
  async publish(checkpoint: Numbered, parts: readonly StagedPart[], isOwn: (part: StagedPart) => boolean): Promise<void> {
    const waiting: StagedPart[] = []
    for (const part of parts) if (await this.#waits(part, isOwn(part))) waiting.push(part)
    await this.#remember(checkpoint)
    const buckets = new Set(parts.map(({ bucket }) => bucket))
    try {
      for (const bucket of buckets) await this.#makeBucket(bucket)
      for (const part of waiting) await this.#link(part)
    } catch (cause) {
      this.#known.clear()
      throw cause
    }
    for (const bucket of buckets) await this.#syncBucket(bucket, parts)
    for (const part of waiting) await bestEffort(() => this.#files.unlink(this.#stagedPath(part)))
  }

  async #waits(part: StagedPart, isOwn: boolean): Promise<boolean> {
    const visible = this.#pathOf(part.bucket, part.name)
    const staged = this.#stagedPath(part)
    const stagedBytes = await this.#files.size(staged)
    const visibleBytes = await this.#files.size(visible)
    if (stagedBytes === undefined && visibleBytes === undefined)
      throw new SinkError('TRANSACTION_LOST', { path: visible, epoch: part.part.epoch, part: part.part.number })
    if (stagedBytes !== undefined) await this.#verify(staged, stagedBytes, part, isOwn)
    if (visibleBytes !== undefined) await this.#verify(visible, visibleBytes, part, stagedBytes === undefined || isOwn)
    return stagedBytes !== undefined
  }

  async #verify(path: string, bytes: number, part: StagedPart, sizeSays: boolean): Promise<void> {
    const damaged = (what: string, found: number, expected: number): SinkError =>
      new SinkError('TRANSACTION_DAMAGED', { path, what, found, expected, permanent: true })
    if (bytes !== part.bytes) throw damaged('bytes', bytes, part.bytes)
    if (sizeSays) return
    const found = await checksum(this.#files, path, bytes)
    if (found !== part.crc32) throw damaged('checksum', found, part.crc32)
  }

  /** The mark is new whenever its sync may have failed before. */
  async #remember(checkpoint: Numbered): Promise<void> {
    if (this.#newest !== undefined && inOrder(this.#newest, checkpoint) >= 0) return
    const older = await this.#marks()
    const path = `${this.#folder}/${markName(checkpoint)}`
    if (older.some((each) => inOrder(each, checkpoint) === 0)) await this.#files.unlink(path)
    await (await this.#files.create(path)).close()
    await this.#files.syncDirectory(this.#folder)
    this.#newest = checkpoint
    for (const mark of older) if (inOrder(mark, checkpoint) < 0) await bestEffort(() => this.#files.unlink(`${this.#folder}/${markName(mark)}`))
  }

  async #marks(): Promise<readonly Numbered[]> {
    return (await this.#files.list(this.#folder)).flatMap((name) => parsedMark(name) ?? []).sort(inOrder)
  }

  async #makeBucket(bucket: string): Promise<void> {
    if (bucket === '' || this.#known.has(bucket)) return
    await this.#files.makeDirectory(`${this.#path}/${bucket}`)
    if (this.#known.size >= knownBucketsMax) this.#known.clear()
    this.#known.add(bucket)
  }

  async #link(part: StagedPart): Promise<void> {
    const visible = this.#pathOf(part.bucket, part.name)
    if (this.#doubtful.has(visible)) {
      // It was never confirmed, and comes back at once: only a new name is sure to last.
      await this.#files.unlink(visible).catch((cause: unknown) => {
        if (systemCodeOf(cause) !== 'ENOENT') throw cause
      })
    }
    try {
      await this.#files.link(this.#stagedPath(part), visible)
    } catch (cause) {
      // An earlier attempt, or a run that was taken over from, was here: it is the same part, and was verified.
      if (systemCodeOf(cause) !== 'EEXIST') throw cause
    }
  }

  async #syncBucket(bucket: string, parts: readonly StagedPart[]): Promise<void> {
    const names = parts.filter((part) => part.bucket === bucket).map(({ name }) => this.#pathOf(bucket, name))
    try {
      await this.#files.syncDirectory(this.#folderOf(bucket))
      for (const name of names) this.#doubtful.delete(name)
    } catch (cause) {
      for (const name of names) this.#doubtful.add(name)
      throw cause
    }
  }

  #folderOf(bucket: string): string {
    return bucket === '' ? this.#path : `${this.#path}/${bucket}`
  }

  #pathOf(bucket: string, name: string): string {
    return `${this.#folderOf(bucket)}/${name}`
  }

  #stagedPath({ part, file }: StagedPart): string {
    return `${this.#folder}/${stagedName(part, file)}`
  }
}
