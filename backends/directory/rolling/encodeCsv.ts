import { ConfigurationError } from '../../../lib/errors.js'
import type { Encode } from './encode.js'

/** A field of a row. Null and undefined are written as nothing. */
export type CsvField = string | number | bigint | boolean | null | undefined

export interface EncodeCsvOptions {
  /** Default `','`. */
  readonly separator?: string
}

/**
 * Writes of each value a row of comma-separated values.
 *
 * Fields with a separator, a quote or a line break stand in quotes (RFC 4180); rows end in a newline.
 *
 * @example
 * ```ts
 * const row = encodeCsv((order: { id: number; note: string }) => [order.id, order.note])
 * row({ id: 7, note: 'cheap, "new"' }, 'out') // => '7,"cheap, ""new"""\n'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function encodeCsv<T>(fields: (value: T) => readonly CsvField[], { separator = ',' }: EncodeCsvOptions = {}): Encode<T> {
  if (separator.length !== 1 || /["\r\n]/.test(separator))
    throw new ConfigurationError('OPTION_INVALID', { option: 'separator', found: separator, expected: 'one character, no quote and no line break' })
  const field = (value: CsvField): string => {
    const text = value === null || value === undefined ? '' : String(value)
    return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  // A row of one empty field would be a blank line, which readers skip.
  return (value) => `${fields(value).map(field).join(separator) || '""'}\n`
}
