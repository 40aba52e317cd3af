import { errorTable } from '../errors.js'
import type { LogFields } from './logger.js'

/** So many causes of causes are told. */
const causesMax = 5
/** What looks like a code or the name of a class; anything else might be data. */
const plainWord = /^[A-Za-z0-9_]{1,60}$/

/**
 * What can be told of an error without telling data: its class and code, those of its causes, and of one of ours who it is about and what
 * helps. The message of a user's own error may quote a record, so no message is told.
 */
export function failureFields(error: unknown): LogFields {
  const causes: string[] = []
  for (let { cause } = asError(error); cause !== undefined && causes.length < causesMax; { cause } = asError(cause)) causes.push(nameOf(cause))
  const { uid, checkpointId } = asError(error).details ?? {}
  const code = codeOf(error)
  return {
    error: classOf(error),
    ...(code === undefined ? {} : { code }),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof checkpointId === 'number' ? { checkpointId } : {}),
    ...(causes.length === 0 ? {} : { causes }),
    ...(code !== undefined && code in errorTable ? { hint: errorTable[code as keyof typeof errorTable].hint } : {}),
  }
}

interface Told {
  readonly cause?: unknown
  readonly code?: unknown
  readonly name?: unknown
  readonly details?: { readonly uid?: unknown; readonly checkpointId?: unknown }
}

const asError = (error: unknown): Told => (error instanceof Error ? (error as Told) : {})

function classOf(error: unknown): string {
  const { name } = asError(error)
  return typeof name === 'string' && plainWord.test(name) ? name : error instanceof Error ? 'Error' : typeof error
}

/** Of ours, of the system (`ENOSPC`), of a database. */
function codeOf(error: unknown): string | undefined {
  const { code } = asError(error)
  return typeof code === 'string' && plainWord.test(code) ? code : undefined
}

const nameOf = (error: unknown): string => codeOf(error) ?? classOf(error)
