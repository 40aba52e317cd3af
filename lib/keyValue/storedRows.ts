import { BackendError, invariant } from '../errors.js'
import { type CheckpointId, operatorUid } from '../identity.js'
import type { RowChunk, Unwanted } from '../ports/checkpointStorage.js'
import type { KeyRange, KeyValue, KeyValueStore } from '../ports/keyValueStore.js'
import { RowFrames } from '../state/rowFrames.js'
import { type Head, type ListedCheckpoint, readHead } from './head.js'
import { behind, ofTable, rowAt, rowsOf, undoSince } from './places.js'
import { unsealed } from './sealed.js'

/** What is asked for at once, about. */
const pageBytesTarget = 1024 * 1024
const pageRowsFirst = 64
const pageRowsMax = 4_096

export interface StoredRows {
  readonly store: KeyValueStore
  readonly job: string
  readonly listed: ListedCheckpoint
  breathe(): Promise<void>
}

/**
 * Reads the rows of a checkpoint, a page at a time: those of the newest one, then what was changed since, back to the one that is read.
 *
 * Somebody may publish meanwhile: what that changes is then among what was changed since. That the checkpoint is kept is asked with
 * each page.
 */
export async function readStoredRows(rows: StoredRows, visit: (chunk: RowChunk) => unknown, isUnwanted?: Unwanted): Promise<void> {
  const { generation, id } = rows.listed
  const seen = new Set<number>()
  let found = 0
  let newest = true
  const hand = async (head: Head, page: readonly KeyValue[], undone = true): Promise<number> => {
    seen.add(head.seq)
    newest &&= head.checkpoints.at(-1)?.id === id
    let bytes = 0
    for (const chunk of chunksOf(head, page, undone)) {
      bytes += chunk.bytes.length
      if (isUnwanted?.(chunk.uid, chunk.table) !== true) await visit(chunk)
    }
    return bytes
  }
  const { ranges, all } = await wantedRows(rows, isUnwanted)
  for (const range of ranges)
    await paged(rows, range, async (head, page) => {
      found += page.length
      return hand(head, page, false)
    })
  await paged(rows, undoSince(generation, id as CheckpointId), hand)
  // Where nothing was published meanwhile the rows can be counted.
  if (all && newest && seen.size === 1 && found !== rows.listed.rows)
    throw new BackendError('SNAPSHOT_CORRUPT', { checkpointId: id, what: 'rows', found, expected: rows.listed.rows })
}

/** Where the rows are that somebody wants: what nobody wants, which may be most, is not even read. */
async function wantedRows(
  { store, job, listed: { generation } }: StoredRows,
  isUnwanted?: Unwanted,
): Promise<{ readonly ranges: readonly KeyRange[]; readonly all: boolean }> {
  const { tables } = await store.read((at) => readHead(at, job))
  const wanted = tables.flatMap((name, number) => (isUnwanted?.(...name) === true ? [] : [number]))
  if (wanted.length === tables.length) return { ranges: [rowsOf(generation)], all: true }
  return { ranges: wanted.map((number) => ofTable(3, generation, number)), all: false }
}

async function paged(
  { store, job, listed, breathe }: StoredRows,
  range: KeyRange,
  hand: (head: Head, page: readonly KeyValue[]) => Promise<number>,
): Promise<void> {
  let limit = pageRowsFirst
  for (let { from } = range; ; ) {
    const rest = { from, to: range.to }
    const asked = limit
    const { head, page } = await store.read(async (at) => ({ head: await readHead(at, job), page: await at.entries(rest, asked) }))
    if (!head.checkpoints.some(({ id, epoch }) => id === listed.id && epoch === listed.epoch))
      throw new BackendError('BACKEND_FENCED', { checkpointId: listed.id, reason: 'the checkpoint was removed while it was read' })
    const bytes = await hand(head, page)
    const last = page.at(-1)
    if (last === undefined || page.length < asked) return
    from = behind(last[0])
    limit = Math.min(pageRowsMax, Math.max(16, Math.floor((asked * pageBytesTarget) / Math.max(1, bytes))))
    await breathe()
  }
}

/** Rows that follow one another in one table, as chunks. Those as they were before may say that there was none. */
function* chunksOf({ tables }: Head, page: readonly KeyValue[], undone: boolean): Iterable<RowChunk> {
  const frames = new RowFrames(4 * 1024)
  let current: number | undefined
  const taken = (): RowChunk => {
    const name = tables[current as number]
    invariant(name !== undefined, 'a row has a table that is listed')
    return { uid: operatorUid(name[0]), table: name[1], rows: frames.rows, bytes: frames.take() }
  }
  for (const [place, value] of page) {
    const { table, key } = rowAt(place)
    if (current !== table && frames.rows > 0) yield taken()
    current = table
    frames.add(key, undone && value.length === 0 ? undefined : unsealed(value, 'a row'))
  }
  if (frames.rows > 0) yield taken()
}
