import { SourceError } from '../../../lib/errors.js'
import type { FileCursor } from './fileCursor.js'
import type { FileList, ListedFile } from './fileList.js'
import { compareFiles, plainName } from './fileOrder.js'

/** The next file; or none has bytes yet, names keep changing, or nobody knows where the file that is read stands in the order. */
export type Newer = ListedFile | 'none' | 'changing' | 'lost'

/** The way from one file to the next one. */
export class FileTrail {
  /** The file that was left last, where it may grow. */
  #left: ListedFile | undefined
  /** What stood right before the file that {@link newer} found, where files move up. */
  beforeNext: ListedFile | undefined
  /** The names that were seen last, where files keep them, and how many of them are passed or being read. */
  #names: readonly string[] | undefined
  #begun = 0

  constructor(
    private readonly list: FileList,
    /** The name that was read last, without `.gz`. */
    private behind: string | undefined,
    /** The file to begin with where files move up, if not the oldest. */
    private first?: string,
  ) {}

  /** How many files come before the one that is read; 0 where files do not keep their names. */
  get olderCount(): number {
    return Math.max(0, this.#begun - 1)
  }

  /** The oldest file with bytes that is newer than the one that is read. Changes that could lose or double records are errors. */
  async newer(cursor: FileCursor | undefined): Promise<Newer> {
    return this.list.order === 'name' ? this.#nextByName(cursor) : this.#nextInRotation(cursor)
  }

  /** Goes on from a file to the next one; `bytes` were read of the one that is left. */
  pass(next: { readonly name: string }, left: FileCursor | undefined, bytes: number): void {
    this.#left = left === undefined || left.isCompressed ? undefined : { name: left.name, id: left.id, bytes }
    this.behind = plainName(next.name)
    this.first = undefined
    if (this.#names !== undefined) this.#begun = this.#names.indexOf(next.name) + 1
  }

  async #nextByName(cursor: FileCursor | undefined): Promise<Newer> {
    const names = await this.list.names()
    if (names === undefined) return 'changing'
    if (names !== this.#names) this.#see(names)
    if (cursor !== undefined) {
      const named = await this.list.entry(cursor.name)
      if (named !== undefined && named.id !== cursor.id) throw changed(cursor.path, 'another file has taken its name')
    }
    if (this.#left !== undefined) this.#refuseGrowth(await this.list.entry(this.#left.name))
    for (let index = this.#begun; index < names.length; index += 1) {
      const entry = await this.list.entry(names[index] as string)
      if (entry !== undefined && entry.bytes > 0) return entry
    }
    return 'none'
  }

  #see(names: readonly string[]): void {
    const { behind } = this
    const begun = behind === undefined ? 0 : names.filter((name) => compareFiles.name(plainName(name), behind) <= 0).length
    if (this.#names !== undefined) {
      const known = new Set(this.#names.slice(0, this.#begun).map(plainName))
      const late = names.slice(0, begun).find((name) => !known.has(plainName(name)))
      if (late !== undefined) throw new SourceError('SOURCE_FILE_LATE', { path: this.list.path(late), before: behind })
    }
    this.#names = names
    this.#begun = begun
  }

  async #nextInRotation(cursor: FileCursor | undefined): Promise<Newer> {
    const entries = await this.list.entries()
    if (entries === undefined) return 'changing'
    const place = cursor === undefined ? entries.findIndex(({ id }) => id === this.first) - 1 : entries.findIndex(({ id }) => id === cursor.id)
    if (cursor !== undefined && place < 0) return 'lost'
    this.#refuseGrowth(entries.find(({ id }) => id === this.#left?.id))
    const next = entries.findIndex(({ bytes }, index) => index > place && bytes > 0)
    this.beforeNext = entries[next - 1]
    return entries[next] ?? 'none'
  }

  #refuseGrowth(now: ListedFile | undefined): void {
    if (now !== undefined && now.id === this.#left?.id && now.bytes > this.#left.bytes)
      throw changed(this.list.path(now.name), 'it grew after a newer file had begun: see graceMs', this.#left.bytes)
  }
}

export const changed = (path: string, reason: string, position?: number): SourceError =>
  new SourceError('SOURCE_FILE_CHANGED', { path, reason, ...(position === undefined ? {} : { position }) })
