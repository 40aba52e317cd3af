import { InvariantViolation, RestoreError, SourceError } from '../../lib/errors.js'

/** Errors with a code stay; a mistake of ours is not caught; the rest comes from the file system. */
export function sourceIo(path: string, cause: unknown): SourceError {
  const error = sourceFailure(path, cause)
  if (error instanceof RestoreError) throw new InvariantViolation('a reader that is open raises errors of reading only', { cause })
  return error
}

export function sourceFailure(path: string, cause: unknown): SourceError | RestoreError {
  if (cause instanceof InvariantViolation) throw cause
  return cause instanceof SourceError || cause instanceof RestoreError ? cause : new SourceError('SOURCE_IO', { path }, { cause })
}
