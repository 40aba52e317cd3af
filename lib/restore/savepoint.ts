import { option } from 'fp-ts'
import { RestoreError } from '../errors.js'
import type { JobName } from '../identity.js'
import type { Json } from '../json.js'
import type { CheckpointStorage, StoredCheckpoint } from '../ports/checkpointStorage.js'
import { unwrap } from '../task.js'

/**
 * Copies a checkpoint into a storage that has none of this job: it has everything that is needed, and nobody removes it.
 *
 * @returns how many rows it has
 */
export async function writeSavepoint(target: CheckpointStorage, job: JobName, stored: StoredCheckpoint, body: Json): Promise<number> {
  const session = await unwrap(target.open(job))
  try {
    const found = await unwrap(session.latest())
    if (option.isSome(found))
      throw new RestoreError('SAVEPOINT_EXISTS', { job, storage: target.manifest.name, checkpointId: found.value.checkpointId })
    // Whoever begins with it has to get a higher epoch than those that wrote to the sinks.
    await unwrap(session.takeOver(found, stored.epoch))
    const writer = session.begin(stored.checkpointId, { whole: true })
    let rows = 0
    try {
      await unwrap(
        stored.readRows((chunk) => {
          rows += chunk.rows
          return unwrap(writer.write(chunk))
        }),
      )
      await unwrap(writer.publish(body))
    } catch (error) {
      await writer.abort()()
      throw error
    }
    return rows
  } finally {
    await session.close()()
  }
}
