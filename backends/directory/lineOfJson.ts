import { StreamError } from '../../lib/errors.js'

/** A line with what `JSON.stringify` makes of a value; `uid` names the sink in the error where it makes nothing. */
export function lineOfJson(value: unknown, uid: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    // A cycle, a bigint, a text over the limit of the platform. Whatever else comes out of a toJSON is the user's own error.
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause
    throw new StreamError('VALUE_NOT_ENCODABLE', { uid, type: typeof value }, { cause })
  }
  if (text === undefined) throw new StreamError('VALUE_NOT_ENCODABLE', { uid, type: typeof value })
  return `${text}\n`
}
