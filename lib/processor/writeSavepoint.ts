import { bodyToStore, byName, type CheckpointBody } from '../checkpointBody.js'
import { ConfigurationError, RestoreError } from '../errors.js'
import { type CheckpointId, checkpointId, epoch, jobName, operatorUid } from '../identity.js'
import { shareOf } from '../instanceShare.js'
import { isJson } from '../isJson.js'
import type { Json } from '../json.js'
import type { CheckpointStorage, RowChunk, StoredCheckpoint, Unwanted } from '../ports/checkpointStorage.js'
import { writeSavepoint as publish } from '../restore/savepoint.js'
import { task } from './chunksTask.js'
import { writeCompacted } from './compacted.js'
import { cellNumber, visitDecodedRows } from './decodedRows.js'
import { movedSavepoints } from './movedSavepoints.js'
import { heldBytesUsual, openSavepoint } from './openSavepoint.js'
import type { Base, SavepointContent } from './savepointContent.js'
import type { SavepointReader } from './savepointReader.js'
import { type Addition, type AnyNewRow, type Change, partOf, type StatePart } from './statePart.js'
import { metaOf } from './storedOperator.js'
import { WrittenRows } from './writtenRows.js'

/** A savepoint that was written. */
export interface WrittenSavepoint {
  readonly checkpointId: CheckpointId
  readonly rows: number
}

/**
 * Writes a savepoint without a job: of data, of another savepoint, of several.
 *
 * Flink's `SavepointWriter`. A job begins with it by `restore: { from: target }`. It is written as it is read, and complete in one step: a
 * process that dies leaves nothing that a job would begin with.
 *
 * @param target - has no checkpoint of the job
 * @param job - the name that the job has, or had: `restore.fromJob` bridges the two
 * @throws RestoreError `SAVEPOINT_EXISTS`, `STATE_MISSING`, `TRANSACTIONS_PENDING`, and for several savepoints `CUTS_DIFFER`,
 *   `SAVEPOINT_INCOMPLETE`, `STATE_NOT_SPLIT`
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`
 * @example State of years, brought along into the first run
 * ```ts
 * const target = memory()
 * const before = [{ key: 'ada', value: 10 }, { key: 'bob', value: 3 }]
 * await writeSavepoint(target, 'orders', { states: [newRows('total', 'rows', valueState(t.number), before)] })
 *
 * const out = memorySink<string>()
 * const total = statefulMap('total', { state: t.number, initial: 0 }, (sum, who: string) => [sum + 1, `${who} ${sum + 1}`])
 * const job = defineJob('orders', { storage: memory(), restore: { from: target } }, ({ source, sink }) =>
 *   source('orders', memorySource(['ada', 'eve'])).pipe(keyBy((who) => who), total, sink('out', out)))
 * await job.run().done
 * out.committed // => ['ada 11', 'eve 1']
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export async function writeSavepoint(target: CheckpointStorage, job: string, content: SavepointContent = {}): Promise<WrittenSavepoint> {
  const name = jobName(job)
  const made = madeOf(content)
  const rows = await publish(target, name, made, made.body)
  return { checkpointId: made.checkpointId, rows }
}

/** A checkpoint that is nowhere yet: reading its rows makes them. */
export function madeOf(content: SavepointContent): StoredCheckpoint {
  const { from = [], states = [], sources = {} } = content
  const readers = (Array.isArray(from) ? from : [from]) as readonly SavepointReader[]
  const base = readers.length === 0 ? empty(content) : movedSavepoints(readers.map(openSavepoint), content)
  const parts = states.map(partOf)
  const additions = parts.filter((part) => part.kind === 'new')
  const changes = parts.filter((part) => part.kind === 'changed')
  const body = withSources(withAdditions(base.body, additions), sources)
  requireOnce(parts)
  for (const { uid, state } of changes) requireState(base.body, uid, state)
  const isChanged: Unwanted = (uid, table) => changes.some((change) => change.uid === uid && change.state === table)
  const { maxParallelism } = body
  const readRows = (visit: (chunk: RowChunk) => unknown, isUnwanted?: Unwanted) =>
    task(async () => {
      const write = async (chunk: RowChunk): Promise<void> => {
        if (isUnwanted?.(chunk.uid, chunk.table) !== true) await visit(chunk)
      }
      const pass = async (chunk: RowChunk): Promise<void> => {
        if (!isChanged(chunk.uid, chunk.table)) await write(chunk)
      }
      if (content.compact === true) await writeCompacted(storedOf(base), base.heldBytesMax, pass)
      else await base.readRows(pass)
      for (const change of changes) await writeChanged(base, change, write)
      for (const { uid, state, format, rows } of additions) {
        const written = new WrittenRows({ uid, table: state, format, cell: cellNumber(body, uid, state), maxParallelism }, write)
        // What is there already needs no promise for each row.
        if (Symbol.iterator in rows) await addAll(rows, written)
        else for await (const row of rows) await addAll([row], written)
        await written.end()
      }
    })
  return { checkpointId: base.checkpointId, epoch: base.epoch, body: bodyToStore(body), readRows }
}

async function addAll(rows: Iterable<AnyNewRow>, written: WrittenRows): Promise<void> {
  for (const row of rows) {
    written.add(row)
    const turn = written.turn()
    if (turn !== undefined) await turn
  }
}

function empty({ maxParallelism, instance, renamed = {}, without = [] }: SavepointContent): Base {
  const share = shareOf(instance, maxParallelism)
  const named = [...Object.keys(renamed), ...without]
  if (named.length > 0)
    throw new ConfigurationError('OPTION_INVALID', { option: 'renamed', found: named, expected: 'uids of the savepoint that it begins with' })
  const body: CheckpointBody = {
    format: 1,
    maxParallelism: share.maxParallelism,
    sources: byName([]),
    operators: byName([]),
    sinks: byName([]),
    ...(share.isSplit ? { instance: { index: share.index, of: share.of } } : {}),
  }
  return { checkpointId: checkpointId(1), epoch: epoch(0), body, job: jobName('none'), heldBytesMax: heldBytesUsual, readRows: async () => {} }
}

function withAdditions(body: CheckpointBody, additions: readonly Addition[]): CheckpointBody {
  const operators = byName(Object.entries(body.operators))
  for (const { uid, state, cell, own } of additions) {
    if (uid in body.sources) throw new ConfigurationError('OPTION_INVALID', { option: 'states', uid, reason: 'the uid is that of a source' })
    const known = operators[uid]
    const meta = known === undefined ? { time: ['none', 'none', false], ended: false, tables: {} } : metaOf(uid, known.meta)
    if (state in meta.tables)
      throw new ConfigurationError('OPTION_INVALID', {
        option: 'states',
        uid,
        state,
        reason: 'the state is there: change it, or leave the operator out',
      })
    const tables = byName([...Object.entries(meta.tables), [state, { states: [cell] }]])
    operators[uid] = { derived: false, meta: { ...meta, ...(own === undefined ? {} : { state: own }), tables } as unknown as Json }
  }
  return { ...body, operators }
}

function withSources(body: CheckpointBody, sources: NonNullable<SavepointContent['sources']>): CheckpointBody {
  const begun = Object.entries(sources).map(([uid, offset]) => {
    if (offset === null || !isJson(offset))
      throw new ConfigurationError('OPTION_INVALID', { option: 'sources', uid: operatorUid(uid), found: offset, expected: 'an offset of the source' })
    return [uid, { offset, finished: false }] as const
  })
  return begun.length === 0 ? body : { ...body, sources: byName([...Object.entries(body.sources), ...begun]) }
}

function requireOnce(parts: readonly StatePart[]): void {
  const seen = new Set<string>()
  for (const { uid, state } of parts) {
    const name = `${uid}/${state}`
    if (seen.has(name)) throw new ConfigurationError('OPTION_INVALID', { option: 'states', found: name, expected: 'each state once' })
    seen.add(name)
  }
}

function requireState(body: CheckpointBody, uid: string, state: string): void {
  const tables = Object.entries(body.operators).flatMap(([found, { meta }]) =>
    Object.keys(metaOf(found, meta).tables).map((table) => `${found}/${table}`),
  )
  if (!tables.includes(`${uid}/${state}`)) throw new RestoreError('STATE_MISSING', { uid, state, found: tables })
}

async function writeChanged(base: Base, { uid, state, format, change }: Change, write: (chunk: RowChunk) => Promise<void>): Promise<void> {
  const { body } = base
  const stored = storedOf(base)
  const written = new WrittenRows({ uid, table: state, format, cell: cellNumber(body, uid, state), maxParallelism: body.maxParallelism }, write)
  await visitDecodedRows(
    { job: base.job, stored, body, heldBytesMax: base.heldBytesMax },
    { uid, table: state, format },
    {
      visit(row) {
        const { foreign, ...shown } = row
        const changed = change(shown)
        const rows = changed === undefined ? [] : ((Array.isArray(changed) ? changed : [changed]) as readonly AnyNewRow[])
        for (const [at, next] of rows.entries()) written.add(next, at === 0 ? foreign : undefined)
      },
      turn: () => written.turn(),
    },
  )
  await written.end()
}

const storedOf = (base: Base): StoredCheckpoint => ({
  checkpointId: base.checkpointId,
  epoch: base.epoch,
  body: bodyToStore(base.body),
  readRows: (visit, isUnwanted) => task(() => base.readRows(async (chunk) => void (await visit(chunk)), isUnwanted)),
})
