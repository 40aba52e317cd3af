/** An error that the server answered with: five letters tell what it is. */
interface ServerError {
  readonly code: string
  readonly severity: string
}

export const serverError = (error: unknown): ServerError | undefined => {
  const { code, severity } = (error instanceof Error ? error : {}) as { readonly code?: unknown; readonly severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? { code, severity } : undefined
}

/** Something was said to the server, or was to be, and it did not answer: nobody knows how far that got. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** Whether the connection is of no use any more. */
export function isLost(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true
  const answered = serverError(error)
  return answered !== undefined && (/^(FATAL|PANIC)$/.test(answered.severity) || answered.code.startsWith('08'))
}

/** Two transactions met, and the server ended ours: nothing of it is there, and it can be tried again. */
export const isConflict = (error: unknown): boolean => /^40/.test(serverError(error)?.code ?? '')

/** The server will say the same to every later attempt: wrong credentials, no such database, table or right. */
export const isRefusal = (error: unknown): boolean => /^(0A|28|3D|3F|42)/.test(serverError(error)?.code ?? '')

/** A table, or the schema that it is in, is not there. */
export const isMissing = (error: unknown): boolean => /^(42P01|3F000)$/.test(serverError(error)?.code ?? '')

/** The server would not take a row, and never will: its type, its length or a constraint. */
export const isRowRefused = (error: unknown): boolean => /^(21|22|23|42)/.test(serverError(error)?.code ?? '')

/** No room on the disk of the server. */
export const isFull = (error: unknown): boolean => serverError(error)?.code === '53100'
