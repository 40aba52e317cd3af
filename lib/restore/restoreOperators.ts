import type { CheckpointBody } from '../checkpointBody.js'
import type { CheckpointSession, StoredCheckpoint } from '../ports/checkpointStorage.js'
import type { StateTables } from '../ports/stateBackend.js'
import type { Participant } from '../run.js'
import { unwrap } from '../task.js'

export interface Restoring {
  readonly session: CheckpointSession
  readonly stored: StoredCheckpoint | undefined
  readonly body: CheckpointBody | undefined
  readonly participants: ReadonlyMap<string, Participant>
  readonly state: StateTables
}

/** Hands each operator what the checkpoint has of it; rows that the state backend finds in place are not read. Answers how many were. */
export async function restoreOperators({ session, stored, body, participants, state }: Restoring): Promise<number> {
  for (const [uid, { meta }] of Object.entries(body?.operators ?? {})) participants.get(uid)?.restore({ meta })
  const inPlace = state.goOnFrom?.(session, stored) ?? (() => false)
  if (stored === undefined || body === undefined) return 0
  let rows = 0
  let failure: { readonly error: unknown } | undefined
  const read = stored.readRows((chunk) => {
    rows += chunk.rows
    if (failure !== undefined || !(chunk.uid in body.operators) || inPlace(chunk.uid, chunk.table)) return
    try {
      participants.get(chunk.uid)?.restoreRows(chunk)
    } catch (error) {
      failure = { error }
    }
  }, inPlace)
  await unwrap(read)
  if (failure !== undefined) throw failure.error
  return rows
}
