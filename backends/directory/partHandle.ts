import { SinkError } from '../../lib/errors.js'
import type { TransactionHandle } from '../../lib/ports/transactionalSink.js'
import type { PartContent } from './partBuffer.js'
import type { PartName } from './partFiles.js'

/** One part file of a pre-committed transaction. It has numbers only, so that no handle can name a file elsewhere. */
export type HandledPart = PartName & PartContent

/** More parts than this no transaction has: one, and one more for each checkpoint in a row that failed before it. */
const partsMax = 10_000

export const partHandle = (parts: readonly HandledPart[]): TransactionHandle => ({
  parts: parts.map(({ epoch, id, bytes, crc32 }) => ({ epoch, id, bytes, crc32 })),
})

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function isPart(value: unknown): value is HandledPart {
  const { epoch, id, bytes, crc32 } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof HandledPart, unknown>>
  return isCount(epoch) && isCount(id) && isCount(bytes) && isCount(crc32)
}

/** Handles come from a checkpoint: they are checked like any input. */
export function handledParts(handle: TransactionHandle, path: string): readonly HandledPart[] {
  const parts: unknown = typeof handle === 'object' && handle !== null && 'parts' in handle ? handle.parts : undefined
  if (Array.isArray(parts) && parts.length <= partsMax && parts.every(isPart)) return parts
  throw new SinkError('TRANSACTION_LOST', { path, reason: 'the handle is not one of this sink' })
}
