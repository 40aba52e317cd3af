import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { either as E, type taskEither } from 'fp-ts'
import { BackendError, type ErrorDetails } from '../../lib/errors.js'

/** What LMDB and the system answer, by number. */
const noSpace = new Set([28, 122, 27, -30_792, -30_788])
const damaged = new Set([-30_797, -30_796, -30_793])
const inputOutput = 5
/** After a failure in the last step of a commit nothing is written any more until the store is opened anew. */
const panic = -30_795
/** A write that is cut short is told apart from one that fails by the room that is left. */
const scarceBytes = 16 * 1024 * 1024

/** A failed commit has its reason in a promise of its own. */
const reasonOf = async (error: unknown): Promise<unknown> => {
  const reason = (error as { commitError?: Promise<never> } | null)?.commitError
  return reason === undefined ? error : reason.catch((cause: unknown) => cause)
}

const roomLeft = async (file: string): Promise<number> => {
  const { bavail, bsize } = await statfs(dirname(file))
  return bavail * bsize
}

/** Gives an error of the store, or of the system, its code of ours. What is no failure of the store is thrown on. */
export async function storeFailure(error: unknown, file: string): Promise<BackendError> {
  if (error instanceof BackendError) return error
  const cause = await reasonOf(error)
  const code = (cause as { code?: unknown } | null)?.code
  if (typeof code === 'string')
    return new BackendError(code === 'ENOSPC' || code === 'EDQUOT' ? 'BACKEND_FULL' : 'BACKEND_IO', { file, system: code }, { cause })
  if (typeof code !== 'number') throw cause
  if (noSpace.has(code)) return new BackendError('BACKEND_FULL', { file, system: code }, { cause })
  if (damaged.has(code)) return new BackendError('SNAPSHOT_CORRUPT', { file, system: code }, { cause })
  // LMDB says no more than "input/output error" of a write that was cut short because the disk is full.
  if (code === inputOutput && (await roomLeft(file).catch(() => Number.POSITIVE_INFINITY)) < scarceBytes)
    return new BackendError('BACKEND_FULL', { file, system: code }, { cause })
  return new BackendError('BACKEND_IO', { file, system: code, ...(code === panic ? { fatal: true } : {}) }, { cause })
}

/** Runs work on the store as a task that says in its type how it fails. */
export const attempt =
  <A>(file: string, work: () => Promise<A>): taskEither.TaskEither<BackendError, A> =>
  async () => {
    try {
      return E.right(await work())
    } catch (error) {
      return E.left(await storeFailure(error, file))
    }
  }

export const fenced = (details: ErrorDetails): BackendError => new BackendError('BACKEND_FENCED', { ...details, fatal: true })
