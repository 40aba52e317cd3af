import { lineOfJson } from '../lineOfJson.js'
import type { Encode } from './encode.js'

/**
 * Writes of each value a line of JSON, as `JSON.stringify` makes it.
 *
 * @example
 * ```ts
 * encodeJson()({ id: 7 }, 'out') // => '{"id":7}\n'
 * ```
 * @throws StreamError `VALUE_NOT_ENCODABLE` for what is no JSON
 * @category sources and sinks
 * @since 0.2.0
 */
export function encodeJson<T = unknown>(): Encode<T> {
  return lineOfJson
}
