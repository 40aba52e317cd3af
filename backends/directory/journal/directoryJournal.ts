/**
 * A journal in a folder of files: appended in groups, synced before they are acknowledged, trimmed a file at a time.
 *
 * **Invariants** Each session writes files of its own epoch only. It begins with a copy of the last file that it found: what an
 * earlier writer's failed sync may have left unsynced is written and synced again before anything is built on it. A later epoch's
 * file takes the place of everything that earlier ones hold from its first number on. Files are removed oldest first, each durably
 * before the next, so what is left has no gap.
 *
 * **Fault model** As for checkpoints: any call may fail, bytes and names that were not synced may be lost. After a failed write or
 * sync nothing is appended any more; the run ends, and the next one finds all that was acknowledged.
 */
import { either as E, type task, type taskEither } from 'fp-ts'
import { BackendError, invariant } from '../../../lib/errors.js'
import type { FileLayer, OpenFile } from '../../../lib/ports/fileLayer.js'
import type { Journal } from '../../../lib/ports/journal.js'
import { bestEffort, fatal, storageFailure, systemCodeOf } from '../failures.js'
import type { BlockSealer, FileProtection } from '../sealing/fileProtection.js'
import { readFully, withFile, writeAll } from '../wholeFiles.js'
import { type EntriesReader, entryBytesMax, extentOf, groupBytesMax, openEntries, preamble, readGroup, storedGroup } from './entriesFile.js'
import { chainOf, type EntriesName, entriesFile, entriesFilesOf, isTemporary, temporaryFile } from './entriesNames.js'

const fileBytesUsual = 8 * 1024 * 1024
const copyBytes = 1024 * 1024

interface KeptFile extends EntriesName {
  bytes: number
}

/** The file that is appended to. */
interface ActiveFile {
  readonly file: OpenFile
  /** Where it is compressed or sealed. */
  readonly sealer: BlockSealer | undefined
}

interface Cursor {
  readonly reader: EntriesReader
  at: number
  /** Number of the first entry of the group there. */
  upcoming: number
  /** Number of the first of `entries`, which were read and not asked for yet. */
  next: number
  entries: readonly string[]
}

export interface JournalOptions {
  readonly files: FileLayer
  readonly folder: string
  readonly protection: FileProtection
  readonly epoch: number
  /** Throws once this session must not write any more. */
  requireWriter(): void
  /** A file that has grown beyond this gets no further group: it is what a trim can remove. 8 MiB unless told. */
  readonly fileBytes?: number
}

export class DirectoryJournal implements Journal {
  private ended = 0
  private readonly kept: KeptFile[] = []
  private active: ActiveFile | undefined
  private cursor: Cursor | undefined
  private work: Promise<unknown> = Promise.resolve()
  private dead: BackendError | undefined
  private closed: Promise<void> | undefined

  private constructor(private readonly options: JournalOptions) {}

  static async open(options: JournalOptions): Promise<DirectoryJournal> {
    const journal = new DirectoryJournal(options)
    await journal.begin()
    return journal
  }

  get first(): number {
    return this.kept[0]?.first ?? 0
  }

  get end(): number {
    return this.ended
  }

  get bytes(): number {
    return this.kept.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  append(entries: readonly string[]): taskEither.TaskEither<BackendError, void> {
    return this.task(async () => {
      let group: Buffer[] = []
      let bytes = 0
      for (const entry of entries) {
        const encoded = Buffer.from(entry)
        if (encoded.length > entryBytesMax) throw new BackendError('BACKEND_FULL', { what: 'entry', found: encoded.length, entryBytesMax })
        if (bytes + encoded.length > groupBytesMax && group.length > 0) {
          await this.write(group)
          group = []
          bytes = 0
        }
        group.push(encoded)
        bytes += encoded.length
      }
      if (group.length > 0) await this.write(group)
    })
  }

  read(from: number, entriesMax: number): taskEither.TaskEither<BackendError, readonly string[]> {
    return this.task(async () => {
      invariant(from >= this.first, 'what is read is kept')
      if (from >= this.ended) return []
      const cursor = await this.cursorAt(from)
      const entries = cursor.entries.slice(0, entriesMax)
      cursor.entries = cursor.entries.slice(entries.length)
      cursor.next += entries.length
      return entries
    })
  }

  trim(before: number): taskEither.TaskEither<BackendError, void> {
    return this.task(async () => {
      const { files, folder } = this.options
      for (let next = this.kept[1]; next !== undefined && next.first <= before; next = this.kept[1]) {
        const oldest = this.kept[0] as KeptFile
        if (this.cursor?.reader.name === oldest.name) await this.leaveCursor()
        try {
          await files.unlink(`${folder}/${oldest.name}`)
        } catch (error) {
          if (systemCodeOf(error) !== 'ENOENT') throw error
        }
        await files.syncDirectory(folder)
        this.kept.shift()
      }
    }, 'a failure costs room only')
  }

  close(): task.Task<void> {
    return () => {
      this.closed ??= this.settle()
      return this.closed
    }
  }

  // ---- opening

  private async begin(): Promise<void> {
    const { files, folder, epoch } = this.options
    await files.makeDirectory(folder)
    const names = await files.list(folder)
    const found = entriesFilesOf(names)
    const newer = found.find((file) => file.epoch >= epoch)
    if (newer !== undefined) throw new BackendError('BACKEND_FENCED', { file: newer.name, fatal: true })
    const chain = chainOf(found)
    const last = chain.at(-1)
    const extent = last === undefined ? undefined : await this.reading(last.name, (reader) => extentOf(reader, last.first))
    for (const file of chain.slice(0, -1)) this.kept.push({ ...file, bytes: (await files.size(`${folder}/${file.name}`)) ?? 0 })
    this.ended = extent?.end ?? 0
    const copy = last === undefined || extent === undefined ? undefined : { from: last.name, bytes: extent.bytes }
    await this.startFile(entriesFile(epoch, last?.first ?? 0), copy)
    const unused = [...found.map(({ name }) => name), ...names.filter(isTemporary)].filter((name) => !this.kept.some((file) => file.name === name))
    for (const name of unused) await bestEffort(() => files.unlink(`${folder}/${name}`))
  }

  /** Makes a file durable, with a copy of the groups of another where there is one, before it has its name. */
  private async startFile(own: EntriesName, copy?: { readonly from: string; readonly bytes: number }): Promise<void> {
    const { files, folder, epoch, protection } = this.options
    this.options.requireWriter()
    const temporary = `${folder}/${temporaryFile(epoch)}`
    const sealer = protection.sealer(own.name, preamble(own.name, 2))
    const file = await files.create(temporary)
    try {
      const head = sealer?.beginning ?? preamble(own.name)
      await writeAll(file, head, 0)
      const active = { file, sealer }
      const bytes = head.length + (copy === undefined ? 0 : await this.copyGroups(copy, active, head.length))
      await file.sync()
      await files.rename(temporary, `${folder}/${own.name}`)
      await files.syncDirectory(folder)
      this.kept.push({ ...own, bytes })
      this.active = active
    } catch (error) {
      await bestEffort(() => file.close())
      throw error
    }
  }

  /** Answers how many bytes they are in the new file. */
  private copyGroups(copy: { readonly from: string; readonly bytes: number }, into: ActiveFile, at: number): Promise<number> {
    const shorter = new BackendError('SNAPSHOT_CORRUPT', { file: copy.from, reason: 'it became shorter' })
    return this.reading(copy.from, async (from) => {
      if (from.opener !== undefined || into.sealer !== undefined) return this.sealGroups(from, copy.bytes, into, at, shorter)
      const block = Buffer.alloc(Math.min(copyBytes, copy.bytes - from.start))
      for (let done = from.start; done < copy.bytes; ) {
        const part = block.subarray(0, Math.min(block.length, copy.bytes - done))
        if ((await readFully(from.file, part, done)) < part.length) throw shorter
        await writeAll(into.file, part, at + done - from.start)
        done += part.length
      }
      return copy.bytes - from.start
    })
  }

  /** What is sealed opens only where it was sealed, so it is sealed again for the new file. */
  private async sealGroups(from: EntriesReader, bytes: number, { file, sealer }: ActiveFile, at: number, shorter: BackendError): Promise<number> {
    let position = at
    for (let done = from.start; done < bytes; ) {
      const group = await readGroup(from, done, bytes)
      if (group === undefined) throw shorter
      const stored = await storedGroup(
        group.first,
        group.entries.map((entry) => Buffer.from(entry)),
        position,
        sealer,
      )
      await writeAll(file, stored, position)
      position += stored.length
      done = group.next
    }
    return position - at
  }

  private async reading<A>(name: string, use: (reader: EntriesReader) => Promise<A>): Promise<A> {
    const { files, folder, protection } = this.options
    const reader = await openEntries(files, folder, name, protection)
    return withFile(Promise.resolve(reader.file), () => use(reader))
  }

  // ---- writing

  private async write(entries: readonly Buffer[]): Promise<void> {
    let last = this.kept.at(-1) as KeptFile
    if (last.bytes >= (this.options.fileBytes ?? fileBytesUsual) && last.first < this.ended) {
      const full = this.active
      await this.startFile(entriesFile(this.options.epoch, this.ended))
      await bestEffort(async () => full?.file.close())
      last = this.kept.at(-1) as KeptFile
    }
    invariant(this.active !== undefined, 'a journal that is open has a file to write to')
    this.options.requireWriter()
    const { file, sealer } = this.active
    const group = await storedGroup(this.ended, entries, last.bytes, sealer)
    await writeAll(file, group, last.bytes)
    await file.sync()
    last.bytes += group.length
    this.ended += entries.length
  }

  // ---- reading

  /** A cursor that holds entry `number`. Reading goes on where it stopped, or finds its way from the start of a file. */
  private async cursorAt(number: number): Promise<Cursor> {
    const { files, folder, protection } = this.options
    if (this.cursor !== undefined && this.cursor.next !== number) await this.leaveCursor()
    for (;;) {
      const cursor = this.cursor
      if (cursor !== undefined && cursor.entries.length > 0) return cursor
      const holder = this.kept.findLast(({ first }) => first <= number) as KeptFile
      if (cursor === undefined || cursor.reader.name !== holder.name) {
        await this.leaveCursor()
        const reader = await openEntries(files, folder, holder.name, protection)
        this.cursor = { reader, at: reader.start, upcoming: holder.first, next: number, entries: [] }
        continue
      }
      const group = await readGroup(cursor.reader, cursor.at, holder.bytes)
      if (group?.first !== cursor.upcoming)
        throw new BackendError('SNAPSHOT_CORRUPT', { file: holder.name, reason: `entry ${cursor.upcoming} is missing or damaged` })
      cursor.at = group.next
      cursor.upcoming += group.entries.length
      cursor.entries = group.entries.slice(Math.max(0, number - group.first))
      cursor.next = number
    }
  }

  private async leaveCursor(): Promise<void> {
    const cursor = this.cursor
    this.cursor = undefined
    if (cursor !== undefined) await bestEffort(() => cursor.reader.file.close())
  }

  // ---- one thing after the other

  private task<A>(work: () => Promise<A>, harmless?: 'a failure costs room only'): taskEither.TaskEither<BackendError, A> {
    return () => {
      if (this.closed !== undefined) return Promise.resolve(E.left(new BackendError('BACKEND_NOT_OPEN', { reason: 'the journal is closed' })))
      const turn = this.work.then(async (): Promise<E.Either<BackendError, A>> => {
        if (this.dead !== undefined) return E.left(this.dead)
        try {
          return E.right(await work())
        } catch (error) {
          const failure = storageFailure(error, { folder: this.options.folder })
          if (harmless === undefined) this.dead = fatal(failure)
          return E.left(this.dead ?? failure)
        }
      })
      this.work = turn.catch(() => undefined)
      return turn
    }
  }

  private async settle(): Promise<void> {
    await this.work
    await this.leaveCursor()
    const { active } = this
    this.active = undefined
    if (active !== undefined) await bestEffort(() => active.file.close())
  }
}
