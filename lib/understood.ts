import { BackendError } from './errors.js'

/**
 * Reads what a checkpoint kept. What is of another shape than was ever written shows somewhere as a mistake of the platform's kind:
 * that is damage, and told as such.
 */
export function understood<R>(uid: string, read: () => R): R {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError)
      throw new BackendError('SNAPSHOT_CORRUPT', { uid, reason: 'what the operator kept has another shape' }, { cause })
    throw cause
  }
}
