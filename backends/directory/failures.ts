import { either as E, type taskEither } from 'fp-ts'
import { BackendError, type ErrorDetails } from '../../lib/errors.js'

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** The code of a system error, such as `ENOSPC`. */
export const systemCodeOf = (error: unknown): string | undefined => {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Gives a system error its code of ours. What is no failure of the storage, a mistake of the caller's or ours, is thrown on. */
export function storageFailure(error: unknown, details: ErrorDetails): BackendError {
  if (error instanceof BackendError) return error
  const system = systemCodeOf(error)
  if (system === undefined) throw error
  return new BackendError(noRoom.has(system) ? 'BACKEND_FULL' : 'BACKEND_IO', { ...details, system }, { cause: error })
}

/** The failure stands, and nothing may follow it: the run stops and starts again from what is found then. */
export const fatal = (failure: BackendError): BackendError =>
  failure.details['fatal'] === true
    ? failure
    : new BackendError(failure.code, { ...failure.details, fatal: true }, { cause: failure.cause ?? failure })

/** Runs work that rejects with system errors as a task that says so in its type. */
export const attempt =
  <A>(details: ErrorDetails, work: () => Promise<A>): taskEither.TaskEither<BackendError, A> =>
  async () => {
    try {
      return E.right(await work())
    } catch (error) {
      return E.left(storageFailure(error, details))
    }
  }

/** For tidying up: what could not be removed now is removed after a later publish. */
export const bestEffort = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
  }
}
