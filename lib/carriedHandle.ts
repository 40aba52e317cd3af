import { BackendError, type ErrorDetails, SinkError } from './errors.js'
import { type CheckpointId, checkpointId, type Epoch, epoch } from './identity.js'
import type { TransactionHandle } from './ports/transactionalSink.js'

const format = 1

/** A pre-committed transaction that is nowhere but in the checkpoint: its handle holds its records as text. */
export interface CarriedTransaction {
  readonly epoch: Epoch
  readonly checkpointId: CheckpointId
  /** The version of the codec that made the texts. */
  readonly version: number
  readonly texts: readonly string[]
}

export const carriedHandle = ({ epoch, checkpointId, version, texts }: CarriedTransaction): TransactionHandle => ({
  format,
  epoch,
  checkpointId,
  version,
  texts,
})

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isText = (value: unknown): value is string => typeof value === 'string'

/** Handles come from a checkpoint: they are checked like any input. */
export function carriedTransaction(handle: TransactionHandle, where: ErrorDetails): CarriedTransaction {
  const stored = (typeof handle === 'object' && handle !== null ? handle : {}) as Partial<Record<string, unknown>>
  if (isCount(stored['format']) && stored['format'] > format)
    throw new BackendError('FORMAT_NEWER', { ...where, what: 'transaction', found: stored['format'], supported: format })
  const { version, texts } = stored
  if (stored['format'] === format && isCount(stored['epoch']) && isCount(stored['checkpointId']) && isCount(version))
    if (Array.isArray(texts) && texts.every(isText))
      return { epoch: epoch(stored['epoch']), checkpointId: checkpointId(stored['checkpointId']), version, texts }
  throw new SinkError('TRANSACTION_LOST', { ...where, reason: 'the handle is not one of this sink' })
}

/** Of two transactions, whether the first was made after the second. */
export const isLater = (a: Pick<CarriedTransaction, 'epoch' | 'checkpointId'>, b: Pick<CarriedTransaction, 'epoch' | 'checkpointId'>): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.checkpointId > b.checkpointId)
