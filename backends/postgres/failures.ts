import { either as E, type taskEither } from 'fp-ts'
import { BackendError, type ErrorDetails, InvariantViolation, RxweirError } from '../../lib/errors.js'
import { LinkClosed } from './link.js'
import { ConnectionLost, isFull, isMissing, isRefusal, serverError } from './sqlState.js'

/** What an error says about itself, without what it was about. */
export const sqlDetails = (error: unknown): ErrorDetails => {
  const answered = serverError(error)
  return answered === undefined ? {} : { sqlState: answered.code }
}

/** Gives what the database said its code of ours. What it never said, a mistake of the caller's or ours, is thrown on. */
export function storageFailure(error: unknown, details: ErrorDetails): BackendError {
  if (error instanceof BackendError) return error
  if (error instanceof LinkClosed) return new BackendError('BACKEND_NOT_OPEN', { ...details, reason: 'the session is closed' }, { cause: error })
  if (isMissing(error) || isRefusal(error)) return new BackendError('BACKEND_REFUSED', { ...details, ...sqlDetails(error) }, { cause: error })
  if (isFull(error)) return new BackendError('BACKEND_FULL', { ...details, ...sqlDetails(error) }, { cause: error })
  if (error instanceof RxweirError || error instanceof InvariantViolation) throw error
  if (!(error instanceof ConnectionLost) && serverError(error) === undefined) throw error
  return new BackendError('BACKEND_IO', { ...details, ...sqlDetails(error) }, { cause: error })
}

/** Runs work as a task that names its failures. */
export const attempt =
  <A>(details: ErrorDetails, work: () => Promise<A>): taskEither.TaskEither<BackendError, A> =>
  async () => {
    try {
      return E.right(await work())
    } catch (error) {
      return E.left(storageFailure(error, details))
    }
  }

/** The failure stands, and nothing may follow it: the run stops and starts again from what is found then. */
export const fatal = (failure: BackendError): BackendError =>
  failure.details['fatal'] === true
    ? failure
    : new BackendError(failure.code, { ...failure.details, fatal: true }, { cause: failure.cause ?? failure })
