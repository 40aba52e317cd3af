import type { Readable } from 'node:stream'
import { type ByteLine, ByteLines } from '../../lib/byteLines.js'
import { codec } from '../../lib/codec.js'
import { ConfigurationError, SourceError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'
import type { DeadLetter, ReplayableSource, SourceOffset } from '../../lib/ports/replayableSource.js'
import type { PulledOffsets } from '../../lib/pulledOffsets.js'
import { type PulledSourceOptions, pulledSource } from '../../lib/pulledSource.js'
import type { SideOutput } from '../../lib/sideOutput.js'
import { readableOf } from './readableOf.js'

interface LinesOptions extends PulledSourceOptions {
  /** Takes lines that are too long or no UTF-8; without it such a line ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter>
  /** The longest line, in bytes without its newline. Default 1 MiB. */
  readonly lineBytesMax?: number
}

/** Lines of a stream that begins at its beginning only: the offset is a count of lines. */
export interface CountedLinesOptions extends LinesOptions {
  /** Makes the stream, from its first byte on. The signal aborts when it is not read any more; the stream is destroyed then. */
  readonly open: (from: undefined, signal: AbortSignal) => Readable | PromiseLike<Readable>
  readonly offsets?: 'lines'
}

/** Lines of a stream that can begin at any byte: the offset is a position in bytes. */
export interface PositionedLinesOptions extends LinesOptions {
  /** Makes the stream, from the byte at `from` on. That what stands before it is still the same is yours to keep. */
  readonly open: (from: number | undefined, signal: AbortSignal) => Readable | PromiseLike<Readable>
  readonly offsets: 'bytes'
}

/**
 * Reads the lines of a Node stream of bytes or text, each as a string.
 *
 * Lines end in a newline; a carriage return before it, and a byte order mark, are ignored. What stands behind the last newline is a
 * line too. The stream is pulled, and destroyed when it is not read any more.
 *
 * The offset is a count of lines, and after a restart so many are passed over; with `offsets: 'bytes'` it is a position, which
 * `open` begins at.
 *
 * **When to use** for the output of a program, a decompressed file, a socket that repeats itself; for a file, `jsonLines` knows
 * when it was replaced.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range, or what was opened is no stream
 * @throws SourceError `RECORD_MALFORMED` or `RECORD_TOO_LONG` at a bad line when there is no `deadLetters`
 * @throws RestoreError `SOURCE_OFFSET_AHEAD` where the lines end before the offset
 * @example Reading lines
 * ```ts
 * import { Readable } from 'node:stream'
 * import { defineJob } from 'rxweir'
 * import { memory, memorySink } from 'rxweir/backends/memory'
 * import { readableLines } from 'rxweir/backends/nodeStreams'
 *
 * const all = memorySink<string>()
 * const lines = readableLines({ open: () => Readable.from(['to be\nor ', 'not']) })
 * await defineJob('copy', { storage: memory() }, ({ source, sink }) => source('lines', lines).pipe(sink('all', all))).run().done
 * all.committed // => ['to be', 'or not']
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function readableLines(options: CountedLinesOptions | PositionedLinesOptions): ReplayableSource<string> {
  const { deadLetters, lineBytesMax = 1024 * 1024, offsets = 'lines' } = options
  atLeast('lineBytesMax', lineBytesMax, 1)
  if (offsets !== 'lines' && offsets !== 'bytes')
    throw new ConfigurationError('OPTION_INVALID', { option: 'offsets', found: kindOf(offsets), expected: "'lines' or 'bytes'" })
  const open = options.open as PositionedLinesOptions['open']
  const opened = async (from: SourceOffset | undefined, signal: AbortSignal): Promise<AsyncIterable<ByteLine>> => {
    const position = (from ?? 0) as number
    const readable = await readableOf(open(from === undefined ? undefined : position, signal), signal)
    return linesOf(readable, new ByteLines({ lineBytesMax, position }), deadLetters !== undefined)
  }
  const pulled: PulledOffsets<ByteLine> =
    offsets === 'lines'
      ? { kind: 'counted', open: (signal) => opened(undefined, signal) }
      : { kind: 'told', open: opened, offsetOf: ({ end }) => end, offset: byteCount }
  return pulledSource({ ...options, offsets: pulled, recordIn: ({ text }: ByteLine) => text, letterOf, deadLetters })
}

const byteCount = codec<number>({
  encode: (position) => position,
  decode: (stored) => {
    if (typeof stored === 'number' && Number.isSafeInteger(stored) && stored >= 0) return stored
    throw new TypeError('a position in bytes is a whole number')
  },
})

const letterOf = ({ problem, position, text }: ByteLine): DeadLetter | undefined =>
  problem === undefined ? undefined : { offset: position, text, reason: problem.reason }

async function* linesOf(readable: Readable, lines: ByteLines, lettersWanted: boolean): AsyncGenerator<ByteLine> {
  const checked = (line: ByteLine): ByteLine => {
    if (line.problem === undefined || lettersWanted) return line
    throw new SourceError(line.problem.code, { position: line.position, reason: line.problem.reason })
  }
  for await (const chunk of readable) {
    lines.push(bytesOf(chunk))
    for (let line = lines.next(); line !== undefined; line = lines.next()) yield checked(line)
  }
  const rest = lines.rest()
  if (rest !== undefined) yield checked(rest)
}

const encoder = new TextEncoder()

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return encoder.encode(chunk)
  throw new TypeError(`a stream of bytes or text has chunks of these, not ${kindOf(chunk)}`)
}
