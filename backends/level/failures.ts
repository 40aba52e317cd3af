import { BackendError, type ErrorDetails } from '../../lib/errors.js'

const full = /no space|ENOSPC|quota/i

/** Gives an error of the database its code of ours. Any other is no failure of it, and thrown on. */
export function levelFailure(error: unknown, details: ErrorDetails): BackendError {
  if (error instanceof BackendError) return error
  const system = codeOf(error)
  const reason = codeOf((error as { readonly cause?: unknown } | null)?.cause) ?? system
  if (system === undefined || !system.startsWith('LEVEL_')) throw error
  const more = { ...details, system: reason }
  if (system === 'LEVEL_DATABASE_NOT_OPEN')
    return new BackendError('BACKEND_NOT_OPEN', { ...more, reason: 'the database is closed', fatal: true }, { cause: error })
  if (reason === 'LEVEL_CORRUPTION') return new BackendError('SNAPSHOT_CORRUPT', more, { cause: error })
  // LevelDB says no more than what the system said.
  if (full.test(String((error as Error).message))) return new BackendError('BACKEND_FULL', more, { cause: error })
  return new BackendError('BACKEND_IO', more, { cause: error })
}

const codeOf = (error: unknown): string | undefined => {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}
