import { StreamError } from './errors.js'
import { isJson } from './isJson.js'
import type { SourceOffset } from './ports/replayableSource.js'

/** An offset that a function of the user told, if a checkpoint can hold it. */
export function storedOffset(offset: unknown, uid: string): SourceOffset {
  if (offset !== null && isJson(offset)) return offset
  throw new StreamError('VALUE_NOT_ENCODABLE', { uid, what: 'the offset of a record', expected: 'plain data that JSON text can hold, and not null' })
}
