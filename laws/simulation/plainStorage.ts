/**
 * Checkpoints in an object, as simple as the contract allows: the storage that laws run jobs on unless told another one.
 *
 * **Invariants** A publish is one assignment. Whoever did not publish the newest slot is fenced.
 */
import { either as E, option as O, type taskEither } from 'fp-ts'
import { BackendError, invariant } from '../../lib/errors.js'
import { type CheckpointId, type Epoch, epoch } from '../../lib/identity.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, RowChunk, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import { WriterLine } from '../../lib/writerLine.js'

interface Checkpoint {
  readonly checkpointId: CheckpointId
  readonly epoch: Epoch
  readonly body: string
  readonly chunks: readonly RowChunk[]
}

interface Slot {
  readonly number: number
  readonly epoch: Epoch
  readonly checkpoint: Checkpoint | undefined
}

/** What outlives the processes. */
export class PlainStore {
  slot: Slot = { number: 0, epoch: epoch(0), checkpoint: undefined }
}

/** The storage as one process sees it. */
export function plainStorage(store: PlainStore): CheckpointStorage {
  let open = false
  return {
    manifest: { name: 'plain', durable: true, incremental: false, fencesProcesses: true, concurrentWriters: true },
    open:
      (_job, { readOnly = false } = {}) =>
      async () => {
        if (readOnly) return E.right(session(store, () => {}))
        if (open) return E.left(new BackendError('BACKEND_IN_USE', {}))
        open = true
        return E.right(session(store, () => (open = false)))
      },
  }
}

function session(store: PlainStore, release: () => void): CheckpointSession {
  let own: Slot | undefined
  let read: Slot | undefined
  let closed = false
  const line = new WriterLine()
  const task =
    <A>(work: () => A | Promise<A>): taskEither.TaskEither<BackendError, A> =>
    async () => {
      if (closed) return E.left(new BackendError('BACKEND_NOT_OPEN', {}))
      try {
        return E.right(await work())
      } catch (error) {
        if (error instanceof BackendError) return E.left(error)
        throw error
      }
    }
  const claim = (slot: Slot): void => {
    if (store.slot.number >= slot.number) throw new BackendError('BACKEND_FENCED', { fatal: true })
    own = store.slot = slot
  }
  const storedOf = (checkpoint: Checkpoint): StoredCheckpoint => ({
    checkpointId: checkpoint.checkpointId,
    epoch: checkpoint.epoch,
    body: JSON.parse(checkpoint.body),
    readRows: (visit) =>
      task(async () => {
        for (const chunk of checkpoint.chunks) await visit(chunk)
      }),
  })
  return {
    latest: () =>
      task(() => {
        read = store.slot
        const { checkpoint } = read
        if (checkpoint === undefined) return O.none
        return O.some(storedOf(checkpoint))
      }),
    hold: (id) =>
      task(() => {
        const { checkpoint } = own ?? store.slot
        return checkpoint?.checkpointId === id ? O.some(storedOf(checkpoint)) : O.none
      }),
    letGo() {},
    takeOver: (_from, above) =>
      task(() => {
        invariant(own === undefined && read !== undefined, 'a session takes over once, from what it has read')
        const next = epoch(Math.max(read.epoch, above ?? 0) + 1)
        claim({ number: read.number + 1, epoch: next, checkpoint: read.checkpoint })
        return next
      }),
    begin: (id, { whole = false } = {}) => {
      invariant(own !== undefined && id > (own.checkpoint?.checkpointId ?? 0), 'checkpoint ids increase, and the session has taken over')
      const chunks: RowChunk[] = []
      let ended = false
      const writer: CheckpointWriter = {
        write: (chunk) =>
          task(() => {
            invariant(!ended, 'nothing is written to a checkpoint that has ended')
            chunks.push({ ...chunk, bytes: chunk.bytes.slice() })
          }),
        publish: (body) =>
          task(() => {
            invariant(!ended, 'a checkpoint is published once and not after it was given up')
            ended = true
            const before = own as Slot
            const checkpoint = {
              checkpointId: id,
              epoch: before.epoch,
              body: JSON.stringify(body),
              chunks: [...(whole ? [] : (before.checkpoint?.chunks ?? [])), ...chunks],
            }
            claim({ number: before.number + 1, epoch: before.epoch, checkpoint })
          }),
        abort: () => async () => {
          ended = true
        },
      }
      return line.add(id, writer, { whole })
    },
    retained: () => [(own ?? read)?.checkpoint?.checkpointId].filter((id) => id !== undefined),
    idle: () => async () => {},
    close: () => async () => {
      if (!closed) release()
      closed = true
    },
  }
}
