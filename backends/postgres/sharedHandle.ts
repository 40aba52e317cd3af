import { BackendError, type ErrorDetails, SinkError } from '../../lib/errors.js'
import { checkpointId, epoch } from '../../lib/identity.js'
import type { CommittedUpTo, TransactionHandle } from '../../lib/ports/transactionalSink.js'

const format = 1

/** Says which transaction it was; its records are in the table. */
export const sharedHandle = ({ epoch, checkpointId }: CommittedUpTo): TransactionHandle => ({ format, epoch, checkpointId, published: true })

/** Handles come from a checkpoint: they are checked like any input. */
export function sharedTransaction(handle: TransactionHandle, where: ErrorDetails): CommittedUpTo {
  const stored = (typeof handle === 'object' && handle !== null ? handle : {}) as { readonly [name: string]: unknown }
  const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  if (isCount(stored['format']) && stored['format'] > format)
    throw new BackendError('FORMAT_NEWER', { ...where, what: 'transaction', found: stored['format'], supported: format })
  if (stored['format'] === format && stored['published'] === true && isCount(stored['epoch']) && isCount(stored['checkpointId']))
    return { epoch: epoch(stored['epoch']), checkpointId: checkpointId(stored['checkpointId']) }
  throw new SinkError('TRANSACTION_LOST', { ...where, reason: 'the handle is not one of this sink' })
}
