/**
 * Savepoints under other names, without some operators, or put together: by the same rules by which a job begins with them
 * (restorePlan.ts, movedRows.ts). What a job knows of its operators, a checkpoint tells by itself (`split` in what an operator stores).
 */
import { taskEither } from 'fp-ts'
import { byName, type CheckpointBody, instanceOf } from '../checkpointBody.js'
import { RestoreError } from '../errors.js'
import { checkpointId, epoch } from '../identity.js'
import { type InstanceShare, shareOf } from '../instanceShare.js'
import type { RowChunk, StoredCheckpoint } from '../ports/checkpointStorage.js'
import { MovedRows } from '../restore/movedRows.js'
import type { Redistribution } from '../restore/redistribution.js'
import type { KnownProgram, Part } from '../restore/restored.js'
import { restoreChoiceOf } from '../restore/restoreOptions.js'
import { planRestore } from '../restore/restorePlan.js'
import type { OpenSavepoint } from './openSavepoint.js'
import { readChunks } from './readChunks.js'
import type { Base, SavepointContent } from './savepointContent.js'
import { metaOf } from './storedOperator.js'

export function movedSavepoints(found: readonly OpenSavepoint[], content: SavepointContent): Base {
  const open = content.settled === true ? found.map((each) => ({ ...each, body: settled(each.body) })) : found
  const [first] = open as readonly [OpenSavepoint, ...OpenSavepoint[]]
  const { renamed = {}, without = [], maxParallelism } = content
  const own = instanceOf(first.body)
  const instance = content.instance ?? (open.length === 1 ? own : { index: 0, of: 1 })
  const share = shareOf(instance, maxParallelism)
  const joins = open.length > 1 || instance.index !== own.index || instance.of !== own.of
  const choice = restoreChoiceOf({ renamed, without })
  requireKnown(open, [...choice.renamed.keys(), ...choice.without])
  requireSettled(open, choice.without)
  const program = programOf(open, (uid) => choice.renamed.get(uid) ?? uid, joins)
  const parts: readonly Part[] = open.map(({ stored, body: { restored: _restored, ...body } }) => ({ stored: readable(stored), body }))
  const plan = planRestore(parts, { program, choice, share, foreign: true })
  const { restored: _dropped, cut: _cut, ...body } = plan.body
  return {
    checkpointId: checkpointId(plan.cut),
    epoch: epoch(Math.max(...open.map(({ stored }) => stored.epoch))),
    body,
    job: first.job,
    heldBytesMax: first.heldBytesMax,
    async readRows(visit, isUnwanted) {
      const write = (chunk: RowChunk) =>
        taskEither.fromTask(async () => {
          if (isUnwanted?.(chunk.uid, chunk.table) !== true) await visit(chunk)
        })
      await new MovedRows(plan, program, share, { write }).write()
    },
  }
}

/** Errors of whoever takes the rows come out as they are, whatever the storage makes of them. */
const readable = (stored: StoredCheckpoint): StoredCheckpoint => ({
  ...stored,
  readRows: (visit, isUnwanted) => taskEither.fromTask(() => readChunks(stored, async (chunk) => void (await visit(chunk)), isUnwanted)),
})

function requireKnown(open: readonly OpenSavepoint[], uids: readonly string[]): void {
  for (const uid of uids) {
    const isKnown = open.some(({ body }) => uid in body.operators || uid in body.sources || uid in body.sinks)
    if (!isKnown) {
      const found = open.flatMap(({ body }) => [...Object.keys(body.sources), ...Object.keys(body.operators)])
      throw new RestoreError('STATE_MISSING', { uid, found: [...new Set(found)] })
    }
  }
}

const settled = (body: CheckpointBody): CheckpointBody => ({ ...body, sinks: byName(Object.keys(body.sinks).map((uid) => [uid, []] as const)) })

/** A transaction that was decided is nothing to leave out in passing. */
function requireSettled(open: readonly OpenSavepoint[], without: ReadonlySet<string>): void {
  for (const { body } of open)
    for (const uid of without) {
      const transactions = body.sinks[uid]?.length ?? 0
      if (transactions > 0)
        throw new RestoreError('TRANSACTIONS_PENDING', {
          uid,
          transactions,
          reason: 'it is to be left out; where they are committed, say that they are settled',
        })
    }
}

/** The program that has taken the savepoints, as far as they tell. */
function programOf(open: readonly OpenSavepoint[], nameOf: (uid: string) => string, joins: boolean): KnownProgram {
  const participants = new Map<string, ReturnType<typeof participantOf>>()
  const sources = new Set<string>()
  for (const { body } of open) {
    for (const uid of Object.keys(body.sources)) sources.add(nameOf(uid))
    for (const uid of Object.keys(body.operators)) if (!participants.has(nameOf(uid))) participants.set(nameOf(uid), participantOf(body, uid, joins))
  }
  return { sources, participants }
}

function participantOf(body: CheckpointBody, uid: string, joins: boolean) {
  const { split } = metaOf(uid, body.operators[uid]?.meta ?? null)
  if (joins && split === undefined)
    throw new RestoreError('STATE_NOT_SPLIT', {
      uid,
      reason: 'the checkpoint does not tell whose its rows are; a job that begins with all of them knows',
    })
  const single = split === undefined || split === false ? undefined : Object.keys(split).find((table) => split[table] === 'single')
  if (joins && single !== undefined) throw new RestoreError('STATE_NOT_SPLIT', { uid, table: single, reason: 'there is one for all records' })
  return {
    kind: uid in body.sinks ? ('sink' as const) : ('operator' as const),
    isSplit: split !== undefined && split !== false,
    redistribution: (table: string): Redistribution => (split === undefined || split === false ? 'whole' : (split[table] ?? 'single')),
    joinStates: (_states: unknown, _share: InstanceShare) => undefined,
  }
}
