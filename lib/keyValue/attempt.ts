import { either as E, type taskEither } from 'fp-ts'
import { BackendError } from '../errors.js'

/** Runs work as a task that names its failures. What is no failure of a storage is a mistake, and stays a rejection. */
export const attempt =
  <A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A> =>
  async () => {
    try {
      return E.right(await work())
    } catch (error) {
      if (error instanceof BackendError) return E.left(error)
      throw error
    }
  }
