import { option as O, taskEither as TE } from 'fp-ts'
import type { CodecOf } from '../../lib/codec.js'
import { decodeWith } from '../../lib/codec.js'
import { ConfigurationError, RestoreError, SourceError } from '../../lib/errors.js'
import { atLeast } from '../../lib/limits.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import type { DeadLetter, ReplayableSource, SourceContext, SourceReader } from '../../lib/ports/replayableSource.js'
import type { SideOutput } from '../../lib/sideOutput.js'
import { systemCodeOf } from './failures.js'
import { openFailure } from './jsonLinesErrors.js'
import { JsonLinesReader, type LineReading, type LineStart } from './jsonLinesReader.js'
import { beginning, bytesAt, headBytesMax, parsedLineOffset, tailBytesMax, whyGone } from './lineOffset.js'
import { nodeFiles } from './nodeFiles.js'

export interface JsonLinesOptions {
  /** Waits for more lines at the end, and for the file where there is none yet. Otherwise the file is finished. Default false. */
  readonly follow?: boolean
  /** How often a file that is followed is looked at. Default 100. */
  readonly followMs?: number
  /** Takes lines that cannot be decoded; without it such a line ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter>
  /** What to do when the file no longer has what the checkpoint read: fail, or start over from its beginning. Default `'fail'`. */
  readonly onOffsetGone?: 'fail' | 'earliest'
  /** The longest line, in bytes without its newline. Default 1 MiB. */
  readonly lineBytesMax?: number
  /** How much is read at once, in bytes. Default 256 KiB. */
  readonly readBytes?: number
  /** The file system. Default: that of the machine. */
  readonly files?: FileLayer
}

/**
 * Reads the lines of a file, each one JSON value.
 *
 * Lines end in a newline (a carriage return before it is ignored) and are UTF-8; blank ones and a byte order mark are skipped. A
 * file that is not followed is taken as finished: what stands behind its last newline is a line too. In a file that is followed
 * a torn last line waits for its newline.
 *
 * An offset is a position in bytes with checksums of what stands before it. So a file that was truncated, replaced or rewritten
 * is an error, on restore with `SOURCE_OFFSET_AHEAD` or `SOURCE_OFFSET_GONE`, while it is followed with `SOURCE_IO`.
 *
 * **When to use** to read a finished file, or one that only grows. It does not go from one rotated file to the next.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @param codec - an io-ts type, a Standard Schema or a codec; it decodes what `JSON.parse` returns
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range
 * @throws SourceError `RECORD_MALFORMED` or `RECORD_TOO_LONG` at a bad line when there is no `deadLetters`
 * @category sources and sinks
 * @since 0.1.0
 */
export function jsonLines<T>(path: string, codec: CodecOf<T>, options: JsonLinesOptions = {}): ReplayableSource<T> {
  const {
    follow = false,
    followMs = 100,
    deadLetters,
    onOffsetGone = 'fail',
    lineBytesMax = 1024 * 1024,
    readBytes = 256 * 1024,
    files = nodeFiles,
  } = options
  atLeast('followMs', followMs, 1)
  between1AndMax('lineBytesMax', lineBytesMax)
  between1AndMax('readBytes', readBytes)
  const decode = decodeWith(codec)
  return {
    offsets: 'replayable',
    deadLetters,
    open: (context) =>
      TE.tryCatch(
        () =>
          opened(
            { path, files, clock: context.clock, decode, follow, followMs, lineBytesMax, readBytes, lettersWanted: deadLetters !== undefined },
            onOffsetGone,
            context,
          ),
        (cause) => openFailure(path, cause),
      ),
  }
}

/** Half of the longest string that Node can make. */
const bytesMax = 256 * 1024 * 1024

function between1AndMax(option: string, bytes: number): void {
  atLeast(option, bytes, 1)
  if (bytes > bytesMax) throw new ConfigurationError('OPTION_INVALID', { option, found: bytes, expected: `at most ${bytesMax}` })
}

async function opened<T>(reading: LineReading<T>, onOffsetGone: 'fail' | 'earliest', { from }: SourceContext): Promise<SourceReader<T>> {
  const { path, files, follow } = reading
  const wanted = O.isSome(from) ? parsedLineOffset(from.value, path) : beginning
  const none = new Uint8Array()
  let file: OpenFile
  try {
    file = await files.open(path)
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw cause
    if (wanted.position > 0 && onOffsetGone === 'fail')
      throw new RestoreError('SOURCE_OFFSET_GONE', { path, position: wanted.position, reason: 'the file is missing' }, { cause })
    if (!follow) throw new SourceError('SOURCE_IO', { path, reason: 'the file is missing' }, { cause })
    return new JsonLinesReader(reading, { offset: beginning, file: undefined, position: 0, head: none, before: none })
  }
  try {
    return new JsonLinesReader(reading, await startOf(file, path, wanted, onOffsetGone))
  } catch (cause) {
    await file.close().catch(() => undefined)
    throw cause
  }
}

async function startOf(file: OpenFile, path: string, wanted: typeof beginning, onOffsetGone: 'fail' | 'earliest'): Promise<LineStart> {
  const gone = await whyGone(file, path, wanted)
  if (gone !== undefined && onOffsetGone === 'fail') throw gone
  const offset = gone === undefined ? wanted : beginning
  const { position } = offset
  const head = position === 0 ? new Uint8Array() : await bytesAt(file, 0, headBytesMax)
  const tailBytes = Math.min(position, tailBytesMax)
  return { offset, file, position, head, before: await bytesAt(file, position - tailBytes, tailBytes) }
}
