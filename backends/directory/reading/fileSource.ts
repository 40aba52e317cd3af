import { option as O, taskEither as TE } from 'fp-ts'
import { ConfigurationError, RestoreError, SourceError } from '../../../lib/errors.js'
import { atLeast } from '../../../lib/limits.js'
import type { FileLayer } from '../../../lib/ports/fileLayer.js'
import type { DeadLetter, ReplayableSource, SourceContext, SourceReader } from '../../../lib/ports/replayableSource.js'
import type { SideOutput } from '../../../lib/sideOutput.js'
import { openFailure } from '../jsonLinesErrors.js'
import { nodeFiles } from '../nodeFiles.js'
import { CopiedLog } from './copiedLog.js'
import type { FileCursor } from './fileCursor.js'
import { FileList } from './fileList.js'
import { type FileOffset, nothingRead, parsedFileOffset } from './fileOffset.js'
import { compareFiles, type FileOrder, plainName } from './fileOrder.js'
import { type FilePattern, filePattern } from './filePattern.js'
import { FileSourceReader } from './fileSourceReader.js'
import { FileTrail } from './fileTrail.js'
import { findFile } from './findFile.js'
import { decoderOf, isFormat, type RecordFormat } from './recordFormat.js'
import { RecordTaker } from './recordTaker.js'

export interface FileSourceOptions {
  /** In which order files are read: by name, or in the order of a rotation by numbers or by dates. Default `'name'`. */
  readonly order?: FileOrder
  /** Waits for more at the end of the newest file, for files that appear, and for the first one. Otherwise all of them are finished. Default false. */
  readonly follow?: boolean
  /** How often files that are followed are looked at. Default 100. */
  readonly pollMs?: number
  /** How long a followed file is still read after a newer one has begun: for several writers, or one that is slow to change files. Default 0. */
  readonly graceMs?: number
  /** What stands behind the last newline of a finished file is a record, or malformed. Default `'record'`. */
  readonly unterminated?: 'record' | 'malformed'
  /**
   * What to do when a file became shorter: fail, or go on in the copy that was made of it before (`copytruncate`), which the pattern must match
   * and `order` place right before it. What is written between the copy and the truncation is lost by whoever rotates, unless it was read in
   * time: then that is an error, and `onOffsetGone: 'next'` goes on. A log that begins with the whole of its copy is taken for one that is
   * not truncated yet, for ten times `pollMs`, or for `graceMs`. Default `'fail'`.
   */
  readonly onTruncated?: 'fail' | 'copied'
  /**
   * What to do when the file of the checkpoint is gone: fail, start over with the oldest file, or go on with the next one, and without what
   * was not read of it. Default `'fail'`.
   */
  readonly onOffsetGone?: 'fail' | 'earliest' | 'next'
  /** Takes records that cannot be decoded; without it such a record ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter>
  /** The longest record, in bytes without its newline. Default 1 MiB. */
  readonly recordBytesMax?: number
  /** How much is read at once, in bytes. Default 256 KiB. */
  readonly readBytes?: number
  /** The file system. Default: that of the machine. */
  readonly files?: FileLayer
}

/** Half of the longest string that Node can make. */
const bytesMax = 256 * 1024 * 1024

/**
 * Reads many files one after the other: while they grow, rotate and are compressed.
 *
 * Each record counts once, whatever the files are called by then. A file is known by its identity, and what was copied or compressed of it
 * by checksums of what was read; `.gz` files are decompressed. A file is left for a newer one when that has bytes and this one was read
 * to its end after that. What could lose or double records is an error with a code: a file that shrinks, that is rewritten, that
 * grows after a newer one has begun, or whose name sorts before one that was read already.
 *
 * The offset names one file, by its identity, and a position in its bytes, before compression. Every older file has been read, so it does
 * not grow with their number.
 *
 * **When to use** for logs that rotate, for directories that files are put into, for compressed files and for CSV; for one file of JSON
 * lines there is {@link jsonLines}.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @param path - a file; files of a directory, with `*` and `?` in the name; or a directory, with a `/` behind it
 * @param format - how records are written: `decodeLines`, `decodeJson` or `decodeCsv`
 * @throws ConfigurationError `OPTION_INVALID` when an option is out of its range
 * @throws SourceError `RECORD_MALFORMED` or `RECORD_TOO_LONG` at a bad record when there is no `deadLetters`
 * @example Counting the lines of a rotated log, oldest first
 * ```ts
 * import { gzipSync } from 'node:zlib'
 * import { mkdirSync, writeFileSync } from 'node:fs'
 * import { defineJob } from 'rxweir'
 * import { memory, memorySink } from 'rxweir/backends/memory'
 * import { fileSource, decodeLines } from 'rxweir/backends/directory'
 *
 * mkdirSync('rotated')
 * writeFileSync('rotated/app.log.2.gz', gzipSync('one\n'))
 * writeFileSync('rotated/app.log.1', 'two\n')
 * writeFileSync('rotated/app.log', 'three\n')
 * const lines = memorySink<string>()
 * const job = defineJob('log', { storage: memory() }, ({ source, sink }) =>
 *   source('log', fileSource('rotated/app.log*', decodeLines(), { order: 'numbered' })).pipe(sink('lines', lines)))
 * await job.run().done
 * lines.committed // => ['one', 'two', 'three']
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function fileSource<T>(path: string, format: RecordFormat<T>, options: FileSourceOptions = {}): ReplayableSource<T> {
  const { deadLetters } = options
  const opening = { ...withDefaults(options), pattern: filePattern(path), format }
  if (!isFormat(format))
    throw new ConfigurationError('OPTION_INVALID', {
      option: 'format',
      found: typeof format,
      expected: 'what decodeLines, decodeJson or decodeCsv returned',
    })
  return {
    offsets: 'replayable',
    deadLetters,
    open: (context) =>
      TE.tryCatch(
        () => opened(opening, context),
        (cause) => {
          if (cause instanceof ConfigurationError) throw cause
          return openFailure(path, cause)
        },
      ),
  }
}

type Defaulted = Required<Omit<FileSourceOptions, 'deadLetters'>> & { readonly lettersWanted: boolean }

interface Opening<T> extends Defaulted {
  readonly pattern: FilePattern
  readonly format: RecordFormat<T>
}

function withDefaults({ deadLetters, ...options }: FileSourceOptions): Defaulted {
  const defaulted: Defaulted = {
    order: 'name',
    follow: false,
    pollMs: 100,
    graceMs: 0,
    unterminated: 'record',
    onTruncated: 'fail',
    onOffsetGone: 'fail',
    recordBytesMax: 1024 * 1024,
    readBytes: 256 * 1024,
    files: nodeFiles,
    ...options,
    lettersWanted: deadLetters !== undefined,
  }
  atLeast('pollMs', defaulted.pollMs, 1)
  atLeast('graceMs', defaulted.graceMs, 0)
  for (const option of ['recordBytesMax', 'readBytes'] as const) {
    atLeast(option, defaulted[option], 1)
    if (defaulted[option] > bytesMax)
      throw new ConfigurationError('OPTION_INVALID', { option, found: defaulted[option], expected: `at most ${bytesMax}` })
  }
  for (const [option, allowed] of Object.entries(choices)) oneOf(option, defaulted[option as keyof typeof choices], allowed)
  return defaulted
}

const choices = {
  order: ['name', 'numbered', 'dated'],
  unterminated: ['record', 'malformed'],
  onTruncated: ['fail', 'copied'],
  onOffsetGone: ['fail', 'earliest', 'next'],
} as const

function oneOf(option: string, found: string, allowed: readonly string[]): void {
  if (!allowed.includes(found)) throw new ConfigurationError('OPTION_INVALID', { option, found, expected: allowed.join(', ') })
}

async function opened<T>(opening: Opening<T>, { from, clock }: SourceContext): Promise<SourceReader<T>> {
  const { files, pattern, order, follow, format } = opening
  const wanted = O.isSome(from) ? parsedFileOffset(from.value, pattern.text) : nothingRead
  const decoder = await decoderOf(format)
  const taker = new RecordTaker(decoder, opening)
  const list = new FileList(files, pattern, order, follow)
  const place = await placeOf(opening, list, wanted)
  const trail = new FileTrail(list, place.behind, place.first)
  const copied = opening.onTruncated === 'copied' && order !== 'name' ? new CopiedLog(files, list) : undefined
  const reading = { ...opening, list, trail, taker, copied, clock, headed: decoder.headed }
  if (place.found === undefined) return new FileSourceReader(reading, { offset: place.offset, cursor: undefined, headerBefore: undefined })
  const { cursor, before } = place.found
  try {
    cursor.olderCount = wanted.older
    await copied?.resume(cursor, wanted.before)
    if (decoder.headed) {
      await cursor.moveTo(0)
      taker.begin(0, new Uint8Array(), true)
    } else taker.begin(wanted.position, before, false)
    return new FileSourceReader(reading, { offset: wanted, cursor, headerBefore: decoder.headed ? wanted.position : undefined })
  } catch (cause) {
    await cursor.close().catch(() => undefined)
    throw cause
  }
}

interface Place {
  readonly offset: FileOffset
  readonly found: { readonly cursor: FileCursor; readonly before: Uint8Array } | undefined
  /** The name, without `.gz`, that files to be read come behind. */
  readonly behind: string | undefined
  /** Where files move up: the file to begin with, if not the oldest. */
  readonly first?: string | undefined
}

const theOldest: Place = { offset: nothingRead, found: undefined, behind: undefined }

/** Finds the place of an offset, or what was chosen for an offset that is gone. */
async function placeOf<T>({ files, pattern, follow, onTruncated, onOffsetGone }: Opening<T>, list: FileList, wanted: FileOffset): Promise<Place> {
  if (wanted.position === 0) {
    if (pattern.only !== undefined && !follow && (await list.entry(pattern.only)) === undefined)
      throw new SourceError('SOURCE_IO', { path: pattern.text, reason: 'the file is missing' })
    return theOldest
  }
  const found = await findFile(files, list, wanted, onTruncated === 'copied')
  if (found instanceof RestoreError && onOffsetGone === 'fail') throw found
  if (found instanceof RestoreError && onOffsetGone === 'earliest') return theOldest
  const behind = plainName(found instanceof RestoreError ? wanted.name : found.cursor.name)
  try {
    if (list.order === 'name') await refuseLate(list, behind, wanted.older)
  } catch (cause) {
    if (!(found instanceof RestoreError)) await found.cursor.close().catch(() => undefined)
    throw cause
  }
  if (!(found instanceof RestoreError)) return { offset: wanted, found, behind }
  const own = onTruncated === 'copied' ? (await list.entries())?.find(({ id }) => id === wanted.file) : undefined
  // Where files move up in a rotation, what is left is newer than what is gone; only a log that was truncated has older ones beside it.
  return { offset: wanted, found: undefined, behind: list.order === 'name' ? behind : undefined, first: own?.id }
}

/** Files that came before the one that was read, after it had been begun. */
async function refuseLate(list: FileList, behind: string, older: number): Promise<void> {
  const names = ((await list.names()) ?? []).map(plainName).filter((name) => compareFiles.name(name, behind) < 0)
  if (names.length > older)
    throw new SourceError('SOURCE_FILE_LATE', { path: list.pattern.text, before: behind, expected: older, found: names.length })
}
