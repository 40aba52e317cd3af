import { either, type taskEither } from 'fp-ts'
import { BackendError } from '../errors.js'

/** Work that reads from a storage, as a task of one. */
export const task =
  (work: () => Promise<void>): taskEither.TaskEither<BackendError, void> =>
  async () => {
    try {
      return either.right(await work())
    } catch (error) {
      if (error instanceof BackendError) return either.left(error)
      throw error
    }
  }
