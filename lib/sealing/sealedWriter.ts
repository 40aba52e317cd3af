import type { task, taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'
import type { CheckpointId } from '../identity.js'
import type { Json } from '../json.js'
import type { CheckpointWriter, RowChunk } from '../ports/checkpointStorage.js'
import { storedBody } from './bodyForm.js'
import { InOrder } from './inOrder.js'
import { type RowForm, storedChunk } from './rowForm.js'
import type { ValueCipher } from './valueCipher.js'

export interface SealedWriting {
  readonly inner: CheckpointWriter
  readonly cipher: ValueCipher
  readonly form: RowForm
  readonly job: string
  readonly checkpointId: CheckpointId
  readonly epoch: number
  /** Whether the storage can tell which checkpoint wrote a row. */
  readonly tellsWriters: boolean
  /** Publishes of one session follow one another. */
  readonly publishes: InOrder
  breathe(): Promise<void>
}

/** Seals a checkpoint on its way: before a step of the storage begins, so that no step waits for it. */
export function sealedWriter({ inner, cipher, form, job, checkpointId, epoch, tellsWriters, publishes, breathe }: SealedWriting): CheckpointWriter {
  const sealer = cipher.sealer()
  const writes = new InOrder('ends')
  const writtenBy = tellsWriters ? { checkpointId, epoch } : undefined
  return {
    write:
      (chunk: RowChunk): taskEither.TaskEither<BackendError, void> =>
      () => {
        const { uid, table } = chunk
        return writes.next(storedChunk({ form, sealer, cipher, breathe }, { job, uid, table, writtenBy }, chunk), (stored) => inner.write(stored)())
      },
    // What has expired is told by values, which the storage cannot read.
    publish:
      (body: Json): taskEither.TaskEither<BackendError, void> =>
      () => {
        const ready = Promise.all([storedBody(form, sealer, { job, checkpointId, epoch }, body), writes.begun()])
        return publishes.next(ready, ([stored]) => inner.publish(stored)())
      },
    abort: (): task.Task<void> => inner.abort(),
  }
}
