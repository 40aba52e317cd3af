import { type ErrorDetails, StreamError } from './errors.js'

/** What `JSON.stringify` makes, for others to read. Throws a `StreamError` `VALUE_NOT_ENCODABLE` for what is no JSON. */
export function jsonOf(value: unknown, where: ErrorDetails): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    // A cycle, a bigint, a text over the limit of the platform. Whatever else comes out of a toJSON is the user's own error.
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause
    throw new StreamError('VALUE_NOT_ENCODABLE', { ...where, type: typeof value }, { cause })
  }
  if (text === undefined) throw new StreamError('VALUE_NOT_ENCODABLE', { ...where, type: typeof value })
  return text
}
