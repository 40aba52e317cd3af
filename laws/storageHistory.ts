import fc from 'fast-check'
import { either as E, option as O, type taskEither } from 'fp-ts'
import type { BackendError } from '../lib/errors.js'
import { checkpointId, type OperatorUid, operatorUid } from '../lib/identity.js'
import type { CheckpointSession, ExpiredRows, RowChunk, StoredCheckpoint, WriterOptions } from '../lib/ports/checkpointStorage.js'
import { RowFrames, readRows } from '../lib/state/rowFrames.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'

/** A row of a history: which, and what it becomes. Values are drawn by number so that every write can be told apart. */
export interface RowChange {
  readonly uid: 'a' | 'b'
  readonly table: 'one' | 'two'
  readonly key: number
  readonly deleted: boolean
}

/** One checkpoint of a history. */
export interface CheckpointPlan {
  readonly changes: readonly RowChange[]
  readonly ending: 'publish' | 'abort'
  /** The run ends after it and another takes over. */
  readonly restart: boolean
}

export const rowChange: fc.Arbitrary<RowChange> = fc.record({
  uid: fc.constantFrom('a', 'b'),
  table: fc.constantFrom('one', 'two'),
  key: fc.nat(8),
  deleted: fc.boolean(),
})

export const history: fc.Arbitrary<readonly CheckpointPlan[]> = shortOrLong(
  fc.record({
    changes: fc.array(rowChange, { maxLength: 8 }),
    ending: fc.constantFrom('publish', 'publish', 'publish', 'abort'),
    restart: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 0),
  }),
  { maxLength: 14 },
)

/** So many checkpoints of a history are written at a time. */
export const concurrentMax = 3

/** What happens to checkpoints that are written at a time, told by their place in the line. */
export type OverlappingStep =
  | { readonly kind: 'begin'; readonly changes: readonly RowChange[] }
  | { readonly kind: 'write' | 'giveUp'; readonly which: number }
  | { readonly kind: 'publish' | 'restart' }

export const overlapping: fc.Arbitrary<readonly OverlappingStep[]> = shortOrLong(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('begin' as const), changes: fc.array(rowChange, { maxLength: 5 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), which: fc.nat(concurrentMax - 1) }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'publish' as const }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('giveUp' as const), which: fc.nat(concurrentMax - 1) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  ),
  { maxLength: 20 },
)

/** A checkpoint with every row that a history may have. */
export const everyRow: CheckpointPlan = {
  changes: (['a', 'b'] as const).flatMap((uid) =>
    (['one', 'two'] as const).flatMap((table) => Array.from({ length: 9 }, (_, key) => ({ uid, table, key, deleted: false }))),
  ),
  ending: 'publish',
  restart: false,
}

/** Rows as one text per row, for comparing. */
export type Rows = ReadonlyMap<string, string>

/** One letter a byte. The rows of a history are short enough for one call. */
const letters = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

export function applied(rows: Rows, chunks: readonly RowChunk[]): Rows {
  const next = new Map(rows)
  for (const { uid, table, bytes } of chunks)
    readRows(bytes, (key, value) => {
      const name = `${uid}/${table}/${letters(key)}`
      if (value === undefined) next.delete(name)
      else next.set(name, letters(value))
    })
  return next
}

/** The chunks of some changes, in their order; `stamp` makes the values of one checkpoint its own. */
export function chunksOf(changes: readonly RowChange[], stamp: number): readonly RowChunk[] {
  return changes.map(({ uid, table, key, deleted }, index) => {
    const frames = new RowFrames(64)
    // Keys and values of all lengths, some longer than a sector.
    const value = new Uint8Array((key * 97) % 700).fill(index)
    const name = new Uint8Array(3 + key).fill(key)
    frames.add(name, deleted ? undefined : Uint8Array.of(...value, stamp & 0xff, stamp >> 8))
    return { uid: operatorUid(uid) as OperatorUid, table, rows: 1, bytes: frames.take() }
  })
}

/** The value of a task that a law needs; a failure breaks the law. */
export async function must<A>(task: taskEither.TaskEither<BackendError, A>): Promise<A> {
  const result = await task()
  if (E.isLeft(result)) throw result.left
  return result.right
}

/** A checkpoint with all that is in it. */
export interface Found {
  readonly checkpointId: number
  readonly body: string
  readonly rows: Rows
}

export async function readAll(stored: StoredCheckpoint): Promise<Found> {
  const chunks: RowChunk[] = []
  await must(stored.readRows((chunk) => chunks.push(chunk)))
  return { checkpointId: stored.checkpointId, body: JSON.stringify(stored.body), rows: applied(new Map(), chunks) }
}

export const nothing: Found = { checkpointId: 0, body: '', rows: new Map() }

/** What a session finds, and the session in its hands from then on. */
export async function recover(session: CheckpointSession): Promise<Found> {
  const latest = await must(session.latest())
  const found = O.isSome(latest) ? await readAll(latest.value) : nothing
  await must(session.takeOver(latest))
  return found
}

/** Writes a checkpoint on top of `before` and publishes it. */
export async function publishOn(
  session: CheckpointSession,
  before: Found,
  id: number,
  changes: readonly RowChange[],
  expired?: ExpiredRows,
  options?: WriterOptions,
): Promise<Found> {
  const after = planned(before, id, changes)
  const writer = session.begin(checkpointId(id), options)
  for (const chunk of chunksOf(changes, id)) await must(writer.write(chunk))
  await must(writer.publish({ id, of: changes.length }, expired))
  return after
}

/** Values that were written by checkpoints up to this one, in the tables named `one`. */
export const expiredBefore =
  (id: number): ExpiredRows =>
  (_uid, table) =>
    table === 'one' ? (value) => (value.at(-2) ?? 0) + 256 * (value.at(-1) ?? 0) <= id : undefined

/** A checkpoint without what has expired. */
export const living = ({ rows, ...found }: Found, expiredId: number): Found => ({
  ...found,
  rows: new Map(
    [...rows].filter(
      ([name, value]) => !name.includes('/one/') || value.charCodeAt(value.length - 2) + 256 * value.charCodeAt(value.length - 1) > expiredId,
    ),
  ),
})

/** What a checkpoint with these changes holds. */
export const planned = (before: Found, id: number, changes: readonly RowChange[]): Found => ({
  checkpointId: id,
  body: JSON.stringify({ id, of: changes.length }),
  rows: applied(before.rows, chunksOf(changes, id)),
})

export function sameFound(one: Found, other: Found): boolean {
  if (one.checkpointId !== other.checkpointId || one.body !== other.body || one.rows.size !== other.rows.size) return false
  for (const [name, value] of one.rows) if (other.rows.get(name) !== value) return false
  return true
}

export function expectSame(found: Found, expected: Found, when: string): void {
  if (!sameFound(found, expected))
    throw new Error(
      `${when}: found checkpoint ${found.checkpointId} ${found.body} with ${found.rows.size} rows, expected ${expected.checkpointId} ${expected.body} with ${expected.rows.size} rows`,
    )
}
