import { option as O, taskEither as TE } from 'fp-ts'
import { type CodecOf, decodeWith } from '../../lib/codec.js'
import { ConfigurationError, RestoreError, SourceError } from '../../lib/errors.js'
import type { Json } from '../../lib/json.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'
import type { DeadLetter, ReplayableSource, SourceContext, SourceReader } from '../../lib/ports/replayableSource.js'
import type { SideOutput } from '../../lib/sideOutput.js'
import { unwrap } from '../../lib/task.js'
import { BytePlace, byteOffset } from './bytePlace.js'
import { type FetchOptions, fetchingOf } from './fetching.js'
import type { Place } from './place.js'
import { RecordPlace, recordOffset } from './recordPlace.js'
import { TailReader } from './tailReader.js'

interface TailOptions<T> extends FetchOptions {
  /** An io-ts type, a Standard Schema or a codec; it decodes what `JSON.parse` returns. */
  readonly codec: CodecOf<T>
  /** Asks again at the end of an answer. Otherwise the end of the answer is the end of the data. Default false. */
  readonly follow?: boolean
  /** Time before it asks again, behind an answer without records. Default 1,000. */
  readonly pollMs?: number
  /** An answer that is silent for so long is given up, and asked for again. Default 120,000; `Infinity` as long as the platform waits. */
  readonly idleMs?: number
  /** Takes lines that cannot be decoded; without it such a line ends the run. */
  readonly deadLetters?: SideOutput<DeadLetter>
  /** What to do when the server no longer has what the checkpoint read: fail, or start over from the beginning. Default `'fail'`. */
  readonly onOffsetGone?: 'fail' | 'earliest'
  /** The longest line, in bytes without its newline. Default 1 MiB. */
  readonly lineBytesMax?: number
}

/** A file that a server has: the offset is a position in it, and what follows is asked for with `Range`. */
export interface FileTailOptions<T> extends TailOptions<T> {
  readonly url: string | URL
  readonly offsetOf?: undefined
}

/** An endpoint that answers with what follows an offset: the offset is in the records. */
export interface EndpointTailOptions<T, O extends Json> extends TailOptions<T> {
  /** The address for what follows `from`; without `from`, for everything. */
  readonly url: (from: O | undefined) => string | URL
  /** Where a record stands. Different for each record; plain data. */
  readonly offsetOf: (value: T) => O
  /** Checks an offset that comes out of a checkpoint. */
  readonly offset: CodecOf<O>
}

/**
 * Reads lines of JSON from a server, and goes on where it was.
 *
 * With `offsetOf` an endpoint is asked for what follows the last record. It answers with lines and may hold the answer open;
 * with `follow` it is asked again when the answer ends. A 404 or 410 for an offset is `SOURCE_OFFSET_GONE`.
 *
 * Without `offsetOf` the address is that of a file. Each request also asks for the last 1,024 bytes that were read, which prove
 * that the file is the same one; a finished file has to keep its strong `ETag` too. A shorter or another file is an error.
 * Servers that ignore `Range` send everything, and what was read is passed over. With `follow` the file may grow, and a torn
 * last line waits for its newline.
 *
 * No connection, 5xx, 408, 425 and 429 are tried again, `Retry-After` is honoured; any other status ends the run, `SOURCE_REFUSED`.
 *
 * **When to use** for a log, an export or a feed behind HTTP.
 * **State** the offset, owned by the uid of `source(uid, ...)`.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range or the address is none
 * @throws SourceError `RECORD_MALFORMED` or `RECORD_TOO_LONG` at a bad line when there is no `deadLetters`
 * @example Reading a file of a server, here one that stands in for it
 * ```ts
 * const fetch = async () => new Response('{"n":1}\n{"n":2}\n')
 * const numbers = ndjsonTail({ url: 'https://example.org/numbers.ndjson', codec: t.type({ n: t.number }), fetch })
 * const all = memorySink<{ n: number }>()
 * await defineJob('copy', { storage: memory() }, ({ source, sink }) => source('numbers', numbers).pipe(sink('all', all))).run().done
 * all.committed // => [{ n: 1 }, { n: 2 }]
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function ndjsonTail<T>(options: FileTailOptions<T>): ReplayableSource<T>
export function ndjsonTail<T, O extends Json>(options: EndpointTailOptions<T, O>): ReplayableSource<T>
export function ndjsonTail<T, O extends Json>(options: FileTailOptions<T> | EndpointTailOptions<T, O>): ReplayableSource<T> {
  const { follow = false, pollMs = 1_000, idleMs = 120_000, deadLetters, onOffsetGone = 'fail', lineBytesMax = 1024 * 1024 } = options
  atLeast('pollMs', pollMs, 1)
  atLeast('idleMs', idleMs, 1)
  atLeast('lineBytesMax', lineBytesMax, 1)
  const fetching = fetchingOf(options)
  const decode = decodeWith(options.codec)
  const placeOf = places(options, follow, lineBytesMax)

  const opened = async (context: SourceContext): Promise<SourceReader<T>> => {
    const { uid, clock } = context
    const tailing = { uid, clock, fetching, decode, follow, pollMs, idleMs, lettersWanted: deadLetters !== undefined }
    const reader = new TailReader(tailing, placeOf(context))
    if (O.isNone(context.from)) return reader
    try {
      // Whether what follows the offset is there is known before the first record flows.
      await unwrap(reader.connect())
      return reader
    } catch (cause) {
      await reader.close()()
      const isGone = cause instanceof RestoreError && (cause.code === 'SOURCE_OFFSET_GONE' || cause.code === 'SOURCE_OFFSET_AHEAD')
      if (!isGone || onOffsetGone === 'fail') throw cause
      return new TailReader(tailing, placeOf({ ...context, from: O.none }))
    }
  }

  return {
    offsets: 'replayable',
    deadLetters,
    open: (context) =>
      TE.tryCatch(
        () => opened(context),
        (cause) => {
          if (cause instanceof SourceError || cause instanceof RestoreError) return cause
          throw cause
        },
      ),
  }
}

function places<T, O extends Json>(
  options: FileTailOptions<T> | EndpointTailOptions<T, O>,
  follow: boolean,
  lineBytesMax: number,
): (context: SourceContext) => Place<T> {
  if (options.offsetOf === undefined) {
    const url = String(options.url)
    if (typeof options.url === 'function' || !URL.canParse(url))
      throw new ConfigurationError('OPTION_INVALID', {
        option: 'url',
        found: kindOf(options.url),
        expected: 'an absolute address, or offsetOf beside it',
      })
    return ({ from }) => new BytePlace({ url, lineBytesMax, follow }, O.isSome(from) ? byteOffset(from.value, url) : undefined)
  }
  const { url, offsetOf } = options
  if (typeof url !== 'function')
    throw new ConfigurationError('OPTION_INVALID', { option: 'url', found: kindOf(url), expected: 'a function of the offset' })
  const decode = decodeWith(options.offset)
  return ({ from, uid }) =>
    new RecordPlace<T>(
      { uid, url: (offset) => url(offset as O | undefined), offsetOf, lineBytesMax },
      O.isSome(from) ? recordOffset(from.value, decode, uid) : undefined,
    )
}
