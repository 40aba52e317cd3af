import { either as E, type taskEither } from 'fp-ts'
import type { BackendError } from '../errors.js'
import type { RowChunk, StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'
import { RowFrames, readRows } from '../state/rowFrames.js'
import { openedChunk, type RowForm, type RowPlace } from './rowForm.js'
import type { ValueCipher } from './valueCipher.js'

export interface SealedReading {
  readonly stored: StoredCheckpoint
  readonly form: RowForm
  readonly cipher: ValueCipher
  readonly job: string
  breathe(): Promise<void>
}

/**
 * Opens the rows of a checkpoint.
 *
 * A storage may say that a row that came before is not there after all, as one does that goes back to an older checkpoint. It knows the row
 * only by the digest of its key. What the keys of those were is found by reading once more, and they are deleted at the end.
 */
export function readSealedRows(
  { stored, form, cipher, job, breathe }: SealedReading,
  visit: (chunk: RowChunk) => unknown,
  isUnwanted?: Unwanted,
): taskEither.TaskEither<BackendError, void> {
  const pass = (
    hand: (chunk: RowChunk) => unknown,
    visitName: (name: string, deleted: boolean) => boolean,
  ): taskEither.TaskEither<BackendError, void> =>
    stored.readRows(async (chunk) => {
      const { uid, table, writtenBy } = chunk
      if (isUnwanted?.(uid, table) === true) return
      const place: RowPlace = { job, uid, table, writtenBy }
      const opened = await openedChunk({ form, cipher, breathe }, place, chunk, visitName)
      if (opened.rows > 0) await hand(opened)
    }, isUnwanted)
  return async () => {
    const gone = new Set<string>()
    const first = await pass(visit, (name, deleted) => {
      if (deleted) gone.add(name)
      else if (gone.size > 0) gone.delete(name)
      return true
    })()
    if (E.isLeft(first) || gone.size === 0) return first
    return pass(
      (chunk) => visit(deletionsOf(chunk)),
      (name) => gone.has(name),
    )()
  }
}

function deletionsOf({ uid, table, bytes }: RowChunk): RowChunk {
  const frames = new RowFrames(bytes.length)
  readRows(bytes, (key) => frames.add(key, undefined))
  return { uid, table, rows: frames.rows, bytes: frames.take() }
}
