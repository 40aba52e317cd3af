import { either } from 'fp-ts'
import type { RowChunk, StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'

/** Thrown through a storage that reads, so that it stops. It has no code: a storage passes on what is no failure of its own. */
const stop = new Error('the rows are not read any further')

/**
 * Visits the chunks of a checkpoint until one visit fails. That error is the caller's: it comes out as it was, and not as a failure of
 * the storage.
 */
export async function readChunks(
  stored: Pick<StoredCheckpoint, 'readRows'>,
  visit: (chunk: RowChunk) => Promise<void> | void,
  isUnwanted?: Unwanted,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  const guarded = async (chunk: RowChunk): Promise<void> => {
    if (failure !== undefined) throw stop
    try {
      await visit(chunk)
    } catch (error) {
      failure = { error }
      throw stop
    }
  }
  const read = await stored
    .readRows(guarded, isUnwanted)()
    .catch((error: unknown) => {
      if (failure === undefined) throw error
      return undefined
    })
  if (failure !== undefined) throw failure.error
  if (read !== undefined && either.isLeft(read)) throw read.left
}
