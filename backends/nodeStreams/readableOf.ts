import type { Readable } from 'node:stream'
import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'

/**
 * Opens a stream that belongs to the reader from then on: it is destroyed when the signal aborts, also where nobody has begun to
 * read it, and an error that comes before that is kept for the first read.
 */
export async function readableOf(opened: Readable | PromiseLike<Readable>, signal: AbortSignal): Promise<Readable> {
  const readable = await opened
  if (typeof (readable as Partial<Readable> | null | undefined)?.on !== 'function' || typeof readable[Symbol.asyncIterator] !== 'function')
    throw new ConfigurationError('OPTION_INVALID', { option: 'open', found: kindOf(readable), expected: 'a function that returns a Readable' })
  readable.on('error', () => undefined)
  const destroy = (): void => void readable.destroy()
  if (signal.aborted) destroy()
  else signal.addEventListener('abort', destroy, { once: true })
  return readable
}
