import { option } from 'fp-ts'
import { instanceOf, readBody } from '../checkpointBody.js'
import { RestoreError } from '../errors.js'
import { type CheckpointId, checkpointId, type Epoch, type JobName, jobName, operatorUid } from '../identity.js'
import type { JobInstance } from '../instanceShare.js'
import type { Key } from '../key.js'
import { atLeast } from '../limits.js'
import type { CheckpointSession, CheckpointStorage, StoredCheckpoint } from '../ports/checkpointStorage.js'
import type { StateDescriptor } from '../state/descriptor.js'
import type { TimeDomain } from '../state/timers.js'
import { unwrap } from '../task.js'
import { type DecodedRow, visitDecodedRows } from './decodedRows.js'
import { iterated } from './iterated.js'
import { heldBytesUsual, noteOpen, type OpenSavepoint } from './openSavepoint.js'
import { formatOf } from './stateFormat.js'
import { visitKeys } from './stateKeys.js'
import type { PlainRow, RowOf } from './stateRow.js'
import { operatorsOf, type StoredOperator, type StoredSource, type StoredTransaction, sourcesOf, transactionsOf } from './storedOperator.js'

export interface ReadOptions {
  /** One of the checkpoints that are retained; the newest unless told. */
  readonly checkpoint?: number
  /** Rows that were written more than once are held until the last of them is known: in so many bytes; 32 MiB unless told. What is more is read again. */
  readonly heldBytesMax?: number
  /** Called with the bytes of every chunk of rows that is read, each time it is: how far long work is. */
  readonly read?: (bytes: number) => void
}

/** A timer that was waited for. */
export interface StoredTimer {
  readonly domain: TimeDomain
  readonly key: Key
  readonly namespace: Key | undefined
  readonly at: number
}

/** A checkpoint or a savepoint of a job, read without the job. It is read as it is asked for, and never as a whole. */
export interface SavepointReader {
  readonly job: JobName
  readonly checkpointId: CheckpointId
  /** Of the run that took it. */
  readonly epoch: Epoch
  /** The number of key groups. */
  readonly maxParallelism: number
  /** Of a job that ran in several instances, the one whose it is. */
  readonly instance: JobInstance
  readonly sources: readonly StoredSource[]
  /** The operators, sinks among them. */
  readonly operators: readonly StoredOperator[]
  readonly transactions: readonly StoredTransaction[]
  /**
   * The rows of a state, each once and in no order; of a state of the broadcast side, `broadcast:` stands before its name. Without a
   * descriptor they are shown as they are stored.
   *
   * @throws RestoreError `STATE_MISSING`; with a descriptor `CODEC_MISMATCH`, `STATE_VERSION_UNSUPPORTED`
   */
  rows(uid: string, state: string): AsyncIterable<PlainRow>
  rows<D extends StateDescriptor>(uid: string, state: string, descriptor: D): AsyncIterable<RowOf<D>>
  /** The keys that have a state, each once. */
  keys(uid: string, state: string): AsyncIterable<Key>
  /** The timers of an operator, in no order. */
  timers(uid: string): AsyncIterable<StoredTimer>
  /** Lets go of the storage. Idempotent. */
  close(): Promise<void>
}

const heldBytesLeast = 64 * 1024
const timerTables: readonly (readonly [TimeDomain, string])[] = [
  ['event', 'eventTimers'],
  ['processing', 'processingTimers'],
]

/**
 * Opens a checkpoint or a savepoint of a job, to be read without the job.
 *
 * Flink's `SavepointReader`. Nothing is taken over, written or held: a job that goes on is not disturbed, but may remove an older
 * checkpoint while it is read, which is `BACKEND_FENCED`. A savepoint stays.
 *
 * **When to use** to look at state, to check it, to move it elsewhere; {@link writeSavepoint} makes a new one.
 *
 * @param job - the name that the job had
 * @throws RestoreError `SAVEPOINT_MISSING`, `CHECKPOINT_MISSING`
 * @throws BackendError `SNAPSHOT_CORRUPT`, `FORMAT_NEWER`
 * @example Who has ordered how much
 * ```ts
 * const storage = memory()
 * const totals = statefulMap('total', { state: t.number, initial: 0 }, (sum, n: number) => [sum + n, sum + n])
 * const job = defineJob('orders', { storage }, ({ source, sink }) =>
 *   source('orders', memorySource([1, 2, 4])).pipe(keyBy((n) => n % 2 === 0), totals, sink('out', memorySink<number>())))
 * await job.run().done
 * const savepoint = await readSavepoint(storage, 'orders')
 * const rows = []
 * for await (const { key, value } of savepoint.rows('total', 'rows', valueState(t.number))) rows.push([key, value])
 * rows.sort() // => [[false, 1], [true, 6]]
 * savepoint.sources // => [{ uid: 'orders', offset: 3, finished: true }]
 * await savepoint.close()
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export async function readSavepoint(storage: CheckpointStorage, job: string, options: ReadOptions = {}): Promise<SavepointReader> {
  const { checkpoint, heldBytesMax = heldBytesUsual, read } = options
  atLeast('heldBytesMax', heldBytesMax, heldBytesLeast)
  if (checkpoint !== undefined) atLeast('checkpoint', checkpoint, 1)
  const name = jobName(job)
  const session = await unwrap(storage.open(name, { readOnly: true }))
  try {
    const found = await find(session, storage, name, checkpoint)
    const stored = read === undefined ? found : watched(found, read)
    const body = readBody(stored.body)
    const reader = readerOf({ job: name, stored, body, heldBytesMax }, session)
    noteOpen(reader, { job: name, stored, body, heldBytesMax })
    return reader
  } catch (error) {
    await session.close()()
    throw error
  }
}

async function find(session: CheckpointSession, storage: CheckpointStorage, job: JobName, checkpoint: number | undefined): Promise<StoredCheckpoint> {
  const latest = await unwrap(session.latest())
  if (option.isNone(latest)) throw new RestoreError('SAVEPOINT_MISSING', { job, storage: storage.manifest.name })
  if (checkpoint === undefined || checkpoint === latest.value.checkpointId) return latest.value
  const held = await unwrap(session.hold(checkpointId(checkpoint)))
  if (option.isNone(held)) throw new RestoreError('CHECKPOINT_MISSING', { checkpointId: checkpoint, retained: session.retained() })
  return held.value
}

const watched = (stored: StoredCheckpoint, read: (bytes: number) => void): StoredCheckpoint => ({
  ...stored,
  readRows: (visit, isUnwanted) =>
    stored.readRows((chunk) => {
      read(chunk.bytes.length)
      return visit(chunk)
    }, isUnwanted),
})

function readerOf(open: OpenSavepoint, session: CheckpointSession): SavepointReader {
  const { stored, body } = open
  const operators = operatorsOf(body)
  const requireState = (uid: string, state: string): void => {
    operatorUid(uid)
    const found = operators.find((operator) => operator.uid === uid)
    if (found?.states.some(({ name }) => name === state) === true) return
    const states = operators.flatMap((operator) => operator.states.map(({ name }) => `${operator.uid}/${name}`))
    throw new RestoreError('STATE_MISSING', { uid, state, found: states })
  }
  const decoded = <A>(uid: string, state: string, show: (row: DecodedRow) => A, descriptor?: StateDescriptor): AsyncIterable<A> => {
    requireState(uid, state)
    const format = descriptor === undefined ? undefined : formatOf(descriptor, uid, state)
    return iterated<A>(async (hand) => {
      let list: A[] = []
      await visitDecodedRows(
        open,
        { uid, table: state, format },
        {
          visit: (row) => void list.push(show(row)),
          turn() {
            if (list.length === 0) return undefined
            const full = list
            list = []
            return hand(full)
          },
        },
      )
    })
  }
  return {
    job: open.job,
    checkpointId: stored.checkpointId,
    epoch: stored.epoch,
    maxParallelism: body.maxParallelism,
    instance: instanceOf(body),
    sources: sourcesOf(body),
    operators,
    transactions: transactionsOf(body),
    rows: (uid: string, state: string, descriptor?: StateDescriptor) => decoded(uid, state, (row) => row as never, descriptor),
    keys(uid, state) {
      requireState(uid, state)
      return iterated((hand) => visitKeys(open, { uid, table: state }, hand))
    },
    timers(uid) {
      const tables = timerTables.filter(([, table]) =>
        operators.some((operator) => operator.uid === uid && operator.states.some(({ name }) => name === table)),
      )
      return iterated(async (hand) => {
        for (const [domain, table] of tables)
          for await (const { key, namespace, entry } of decoded(uid, table, (row) => row))
            await hand([{ domain, key, namespace, at: entry as number }])
      })
    },
    close: async () => {
      await session.close()()
    },
  }
}
