import { SinkError } from '../../../lib/errors.js'
import type { Json } from '../../../lib/json.js'
import type { TransactionHandle } from '../../../lib/ports/transactionalSink.js'
import { whyNoBucket } from './bucketName.js'
import { isNameOf, type Numbered } from './fileNames.js'

/** A part as it was durable at a checkpoint: the first `bytes` of a file. */
export interface StagedPart {
  readonly bucket: string
  /** What it is called when it is finished. */
  readonly name: string
  readonly part: Numbered
  readonly file: Numbered
  readonly bytes: number
  readonly crc32: number
}

/** A part that goes on behind the checkpoint. */
export interface OpenPart extends StagedPart {
  readonly createdMs: number
  readonly writtenMs: number
}

/** What a checkpoint keeps of a sink: the parts that its commit makes visible, and those that a restore goes on with. */
export interface FileTransaction {
  readonly checkpoint: Numbered
  readonly finished: readonly StagedPart[]
  readonly open: readonly OpenPart[]
}

const format = 1

export const fileHandle = ({ checkpoint, finished, open }: FileTransaction): TransactionHandle =>
  ({ format, checkpoint, finished, open }) as unknown as TransactionHandle

type Loose<T> = { readonly [K in keyof T]?: unknown }

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const looseOf = <T>(value: unknown): Loose<T> => (typeof value === 'object' && value !== null ? value : {})
const isNumbered = (value: unknown): value is Numbered => {
  const { epoch, number } = looseOf<Numbered>(value)
  return isCount(epoch) && isCount(number)
}

function isStaged(value: unknown): value is StagedPart {
  const { bucket, name, part, file, bytes, crc32 } = looseOf<StagedPart>(value)
  return (
    whyNoBucket(bucket) === undefined &&
    isNumbered(part) &&
    isNumbered(file) &&
    typeof name === 'string' &&
    isNameOf(name, part) &&
    isCount(bytes) &&
    isCount(crc32)
  )
}

function isOpen(value: unknown): value is OpenPart {
  const { createdMs, writtenMs } = looseOf<OpenPart>(value)
  return isStaged(value) && Number.isFinite(createdMs) && Number.isFinite(writtenMs)
}

/** Handles come from a checkpoint: they are checked like any input, and can name nothing outside of the directory. */
export function fileTransaction(handle: TransactionHandle, path: string): FileTransaction {
  const { format: found, checkpoint, finished, open } = looseOf<FileTransaction & { format: Json }>(handle)
  if (isCount(found) && found > format)
    throw new SinkError('TRANSACTION_LOST', { path, reason: 'a newer release wrote the handle', found, expected: format })
  if (found === format && isNumbered(checkpoint) && Array.isArray(finished) && finished.every(isStaged) && Array.isArray(open) && open.every(isOpen))
    return { checkpoint, finished, open }
  throw new SinkError('TRANSACTION_LOST', { path, reason: 'the handle is not one of this sink' })
}
