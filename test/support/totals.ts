/** Checkpoints of a job that has one table, for storages that compress and seal. */
import { checkpointId, type JobName } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { unwrap } from '../../lib/task.js'
import { chunkOf, type PlainRows, takenOver } from './checkpoints.js'

/** Where the rows are. */
export const totals = { uid: 'totals', table: 'value' }
/** Stands in each body. */
export const offset = 'offset-4711'

export async function publishTotals(session: CheckpointSession, id: number, rows: PlainRows): Promise<void> {
  const writer = session.begin(checkpointId(id))
  await unwrap(writer.write(chunkOf(rows, totals)))
  await unwrap(writer.publish({ id, offset }))
}

/** One run: takes over, publishes, and closes. */
export async function writeTotals(storage: CheckpointStorage, checkpoints: { readonly [id: number]: PlainRows }, job: JobName): Promise<void> {
  const { session } = await takenOver(storage, job)
  for (const [id, rows] of Object.entries(checkpoints)) await publishTotals(session, Number(id), rows)
  await session.close()()
}
