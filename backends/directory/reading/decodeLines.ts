import { type CodecOf, decodeWith } from '../../../lib/codec.js'
import { lineDecoder, type RecordFormat, Refusal, recordFormat } from './recordFormat.js'

/**
 * Takes each line of a file as text.
 *
 * Lines are UTF-8 and end in a newline; a carriage return before it is ignored. An empty line is a record.
 *
 * **When to use** for logs and other text, with `fileSource`; a codec makes something else of each line.
 *
 * @param codec - decodes a line, given as a string; without one the line is the record
 * @example Reading the lines of a directory of logs
 * ```ts
 * fileSource('logs/app-*.log', decodeLines()).offsets // => 'replayable'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function decodeLines(): RecordFormat<string>
export function decodeLines<T>(codec: CodecOf<T>): RecordFormat<T>
export function decodeLines<T>(codec?: CodecOf<T>): RecordFormat<T | string> {
  if (codec === undefined) return recordFormat(async () => lineDecoder<string>((text) => text))
  const decode = decodeWith(codec)
  return recordFormat(async () =>
    lineDecoder<T>((text) => {
      const decoded = decode(text)
      return decoded._tag === 'Right' ? decoded.right : new Refusal(decoded.left)
    }),
  )
}
