import { BackendError, invariant, RestoreError, SinkError, SourceError } from '../../lib/errors.js'
import type { OperatorUid } from '../../lib/identity.js'
import { systemCodeOf } from './failures.js'

/** Whether the file layer failed. Anything else is a mistake, of ours or of a codec's author, and is thrown on as it is. */
const isFileFailure = (cause: unknown): boolean => systemCodeOf(cause) !== undefined || cause instanceof BackendError

/** What opening a source can end in. */
export function openFailure(path: string, cause: unknown): SourceError | RestoreError {
  if (cause instanceof SourceError || cause instanceof RestoreError) return cause
  if (!isFileFailure(cause)) throw cause
  return new SourceError('SOURCE_IO', { path }, { cause })
}

/** What reading an open source can end in. */
export function readFailure(path: string, cause: unknown): SourceError {
  const failure = openFailure(path, cause)
  invariant(failure instanceof SourceError, 'a reader that is open raises errors of reading only')
  return failure
}

export function sinkFailure(path: string, uid: OperatorUid, cause: unknown): SinkError {
  if (cause instanceof SinkError) return cause
  if (!isFileFailure(cause)) throw cause
  return new SinkError('SINK_IO', { path, uid }, { cause })
}
