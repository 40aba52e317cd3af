import { BackendError, type ErrorDetails } from '../../lib/errors.js'

/** The name of what a browser throws: those errors are of many classes. */
const nameOf = (error: unknown): string | undefined => {
  const name = (error as { readonly name?: unknown } | null)?.name
  return typeof name === 'string' ? name : undefined
}

const codes: { readonly [name: string]: 'BACKEND_FULL' | 'BACKEND_IO' | 'BACKEND_NOT_OWNED' | 'BACKEND_REFUSED' | 'FORMAT_NEWER' } = {
  QuotaExceededError: 'BACKEND_FULL',
  VersionError: 'FORMAT_NEWER',
  NotFoundError: 'BACKEND_NOT_OWNED',
  SecurityError: 'BACKEND_REFUSED',
  AbortError: 'BACKEND_IO',
  InvalidStateError: 'BACKEND_IO',
  NotReadableError: 'BACKEND_IO',
  TimeoutError: 'BACKEND_IO',
  TransactionInactiveError: 'BACKEND_IO',
  UnknownError: 'BACKEND_IO',
}

/** Gives an error of the browser its code of ours. Any other is no failure of the database, and thrown on. */
export function databaseFailure(error: unknown, details: ErrorDetails): BackendError {
  if (error instanceof BackendError) return error
  const name = nameOf(error)
  const code = name === undefined ? undefined : codes[name]
  if (code === undefined) throw error
  return new BackendError(code, { ...details, system: name }, { cause: error })
}
