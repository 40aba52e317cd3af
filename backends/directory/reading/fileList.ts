import { SourceError } from '../../../lib/errors.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import { systemCodeOf } from '../failures.js'
import { compareFiles, type FileOrder, isGzip, plainName } from './fileOrder.js'
import { type FilePattern, pathIn } from './filePattern.js'

/** A file that matches, as it was found. */
export interface ListedFile {
  readonly name: string
  readonly id: string
  /** On disk, compressed or not. */
  readonly bytes: number
}

/** So often a directory is looked at again while names change. */
const triesMax = 16

/**
 * The files that match, in the order in which they are read.
 *
 * **Invariants** Directories cannot be read in one instant: a file that is renamed meanwhile can be missed, or be seen twice. So a
 * list counts when two readings, one after the other, agree.
 */
export class FileList {
  /** What a directory had last, and the same in order: it is sorted again only when it changed. */
  #last: { readonly inFolder: readonly string[]; readonly inOrder: readonly string[] } = { inFolder: [], inOrder: [] }

  constructor(
    private readonly files: FileLayer,
    readonly pattern: FilePattern,
    readonly order: FileOrder,
    /** Whether the directory may be missing. */
    private readonly mayAppear: boolean,
  ) {}

  /** The names, oldest first, the same list as long as they are the same; nothing when they did not stop changing. */
  names(): Promise<readonly string[] | undefined> {
    return agreed(() => this.#names(), sameName)
  }

  /** The same with what each name leads to. */
  async entries(): Promise<readonly ListedFile[] | undefined> {
    const entries = await agreed(() => this.#entries(), sameFile)
    for (const [index, { name }] of (entries ?? []).entries()) {
      const next = entries?.[index + 1]?.name
      if (next !== undefined && compareFiles[this.order](plainName(name), plainName(next)) === 0) throw this.#unordered(name, next)
    }
    return entries
  }

  async entry(name: string): Promise<ListedFile | undefined> {
    const identity = await this.files.identify(this.path(name))
    return identity === undefined ? undefined : { name, ...identity }
  }

  path(name: string): string {
    return pathIn(this.pattern.folder, name)
  }

  async #entries(): Promise<readonly ListedFile[]> {
    const found: ListedFile[] = []
    for (const name of await this.#names()) {
      const entry = await this.entry(name)
      if (entry !== undefined) found.push(entry)
    }
    return found
  }

  async #names(): Promise<readonly string[]> {
    const { only } = this.pattern
    if (only !== undefined) return (await this.entry(only)) === undefined ? [] : [only]
    const inFolder = await this.#inFolder()
    if (isSame(inFolder, this.#last.inFolder, sameName)) return this.#last.inOrder
    const names = new Set(inFolder.filter(this.pattern.matches))
    const compare = compareFiles[this.order]
    // A compressed file is still being written as long as the one that it is made of is there.
    const inOrder = [...names].filter((name) => !(isGzip(name) && names.has(plainName(name)))).sort((a, b) => compare(plainName(a), plainName(b)))
    this.#last = { inFolder, inOrder }
    return inOrder
  }

  async #inFolder(): Promise<readonly string[]> {
    try {
      return await this.files.list(this.pattern.folder)
    } catch (cause) {
      if (this.mayAppear && systemCodeOf(cause) === 'ENOENT') return []
      throw cause
    }
  }

  #unordered(name: string, other: string): SourceError {
    const reason = `${name} and ${other} have no order: the order is '${this.order}'`
    return new SourceError('SOURCE_FILES_UNORDERED', { path: this.pattern.text, reason })
  }
}

const sameName = (a: string, b: string): boolean => a === b
const sameFile = (a: ListedFile, b: ListedFile): boolean => a.name === b.name && a.id === b.id

const isSame = <A>(a: readonly A[], b: readonly A[], same: (a: A, b: A) => boolean): boolean =>
  a === b || (a.length === b.length && a.every((entry, index) => same(entry, b[index] as A)))

async function agreed<A>(look: () => Promise<readonly A[]>, same: (a: A, b: A) => boolean): Promise<readonly A[] | undefined> {
  let before = await look()
  for (let tries = 1; tries < triesMax; tries += 1) {
    const now = await look()
    if (isSame(now, before, same)) return now
    before = now
  }
  return undefined
}
