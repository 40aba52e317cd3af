import { type CodecOf, decodeWith } from '../../../lib/codec.js'
import { ConfigurationError } from '../../../lib/errors.js'
import { CsvDecoder, type Row } from './csvDecoder.js'
import { csvParser } from './csvParser.js'
import { type RecordFormat, recordFormat } from './recordFormat.js'

export interface DecodeCsvOptions {
  /**
   * The names of the columns: `'header'`, the first row of each file has them; their names in order, where files have no such row; or
   * `'none'`, a row is an array of its fields. Default `'header'`.
   */
  readonly columns?: 'header' | 'none' | readonly string[]
  /** Between two fields: one character of ASCII. Default a comma. */
  readonly delimiter?: string
  /** Around a field that holds delimiters, newlines or, doubled, itself: one character of ASCII. Default `"`. */
  readonly quote?: string
}

/**
 * Takes each row of a CSV file as an object of its columns.
 *
 * Rows are as in RFC 4180, in UTF-8: a quoted field may hold newlines, so a row may have several lines. Blank lines and a byte order mark
 * are skipped. Of a row that is no CSV, or has another number of fields than there are columns, the first line is malformed, and reading
 * goes on behind it: a quote that is not closed does not take the rows behind it along.
 *
 * Needs the package `csv-parse`, which you install.
 *
 * **When to use** for CSV files with `fileSource`, also while they grow, rotate or are compressed.
 *
 * @param codec - an io-ts type, a Standard Schema or a codec; it decodes `{ [column]: string }`, or an array of strings without columns
 * @throws ConfigurationError `OPTION_INVALID` when an option is out of its range; `PACKAGE_MISSING` when the source is opened without `csv-parse`
 * @example Reading a directory of exports
 * ```ts
 * const Sale = t.type({ shop: t.string, euros: t.string })
 * fileSource('exports/', decodeCsv(Sale, { delimiter: ';' })).offsets // => 'replayable'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function decodeCsv<T>(codec: CodecOf<T>, { columns = 'header', delimiter = ',', quote = '"' }: DecodeCsvOptions = {}): RecordFormat<T> {
  const decode = decodeWith(codec)
  oneCharacter('delimiter', delimiter)
  oneCharacter('quote', quote)
  if (delimiter === quote)
    throw new ConfigurationError('OPTION_INVALID', { option: 'quote', found: quote, expected: 'another character than the delimiter' })
  if (typeof columns !== 'string' && (new Set(columns).size !== columns.length || columns.length === 0 || columns.includes('__proto__')))
    throw new ConfigurationError('OPTION_INVALID', { option: 'columns', found: columns, expected: 'different names of columns' })
  return recordFormat(async () => {
    const { parse } = await csvParser()
    const options = { delimiter, quote, escape: quote, record_delimiter: ['\n', '\r\n'], relax_column_count: true, skip_empty_lines: true }
    return new CsvDecoder({
      parse: (rows) => parse(Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength), options) as unknown as readonly Row[],
      delimiter: delimiter.charCodeAt(0),
      quote: quote.charCodeAt(0),
      columns: columns === 'none' ? undefined : columns,
      decode,
    })
  })
}

function oneCharacter(option: string, found: string): void {
  if (!/^[\t\x20-\x7e]$/.test(found)) throw new ConfigurationError('OPTION_INVALID', { option, found, expected: 'one character of ASCII' })
}
