import { type CodecOf, decodeWith } from '../../../lib/codec.js'
import { blank, noJson, parsedLine } from '../parsedLine.js'
import { lineDecoder, type RecordFormat, Refusal, recordFormat } from './recordFormat.js'

/**
 * Takes each line of a file as one JSON value.
 *
 * Lines are UTF-8 and end in a newline; a carriage return before it is ignored, and so are blank lines.
 *
 * **When to use** for JSON lines in many files or in compressed ones, with `fileSource`; for one plain file there is `jsonLines`.
 *
 * @param codec - an io-ts type, a Standard Schema or a codec; it decodes what `JSON.parse` returns
 * @example Reading JSON lines of a rotated log
 * ```ts
 * const Entry = t.type({ level: t.string })
 * fileSource('logs/app.log*', decodeJson(Entry), { order: 'numbered', follow: true }).offsets // => 'replayable'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function decodeJson<T>(codec: CodecOf<T>): RecordFormat<T> {
  const decode = decodeWith(codec)
  return recordFormat(async () =>
    lineDecoder<T>((text) => {
      const raw = parsedLine(text)
      if (raw === blank) return blank
      if (raw === noJson) return new Refusal('no JSON')
      const decoded = decode(raw)
      return decoded._tag === 'Right' ? decoded.right : new Refusal(decoded.left)
    }),
  )
}
