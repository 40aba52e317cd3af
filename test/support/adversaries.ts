import { type option as O, taskEither as TE } from 'fp-ts'
import type { BackendError, SinkError } from '../../lib/errors.js'
import type { CheckpointSession, CheckpointStorage, CheckpointWriter, StoredCheckpoint } from '../../lib/ports/checkpointStorage.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'

/** What an adversary does at one call: nothing, wait first, or fail with what it throws. */
export type Ambush<A extends readonly unknown[]> = (...found: A) => void | Promise<void>

/** Runs an ambush before a task; what it throws is the failure of the task. */
const before =
  <E, A>(ambush: () => void | Promise<void>, task: TE.TaskEither<E, A>): TE.TaskEither<E, A> =>
  async () => {
    try {
      await ambush()
    } catch (error) {
      return { _tag: 'Left', left: error as E }
    }
    return task()
  }

export interface StorageAmbushes {
  readonly open?: Ambush<[]>
  readonly write?: Ambush<[checkpointId: number]>
  readonly publish?: Ambush<[checkpointId: number]>
  /** After the publish has taken place, before it is answered. */
  readonly published?: (checkpointId: number) => Promise<void> | undefined
  readonly discard?: Ambush<[]>
  /** Before a checkpoint that is kept is looked for. */
  readonly hold?: Ambush<[checkpointId: number]>
}

/** A storage that fails or waits where it is told. It keeps its promises otherwise. */
export function storageWith(
  inner: CheckpointStorage,
  { open, write, publish, published: answers, discard, hold }: StorageAmbushes,
): CheckpointStorage {
  const writerWith = (id: number, writer: CheckpointWriter): CheckpointWriter => ({
    write: (chunk) => before<BackendError, void>(() => write?.(id), writer.write(chunk)),
    publish: (body) => async () => {
      const published = await before<BackendError, void>(() => publish?.(id), writer.publish(body))()
      if (published._tag === 'Left') await writer.abort()()
      else await answers?.(id)
      return published
    },
    abort: () => writer.abort(),
  })
  const sessionWith = (session: CheckpointSession): CheckpointSession => ({
    latest: () => session.latest(),
    takeOver: (from, above) => session.takeOver(from, above),
    begin: (id, options) => writerWith(id, session.begin(id, options)),
    retained: () => session.retained(),
    hold: (id) => before<BackendError, O.Option<StoredCheckpoint>>(() => hold?.(id), session.hold(id)),
    letGo: (id) => session.letGo(id),
    ...(session.discard === undefined
      ? {}
      : { discard: () => before<BackendError, void>(() => discard?.(), session.discard?.() as TE.TaskEither<BackendError, void>) }),
    idle: () => session.idle(),
    close: () => session.close(),
  })
  return { manifest: inner.manifest, open: (job) => before<BackendError, CheckpointSession>(() => open?.(), TE.map(sessionWith)(inner.open(job))) }
}

export interface SinkAmbushes {
  readonly preCommit?: Ambush<[checkpointId: number]>
  /** Before the commit takes place. */
  readonly commit?: Ambush<[handle: TransactionHandle]>
  /** After the commit has taken place: its answer is lost. */
  readonly committed?: Ambush<[handle: TransactionHandle]>
  readonly full?: () => Promise<void> | undefined
}

/**
 * A sink that fails or waits where it is told. What a pre-commit that failed was to hold goes into the next transaction, as the
 * contract of a sink demands.
 */
export function sinkWith<T>(inner: TransactionalSink<T>, { preCommit, commit, committed, full }: SinkAmbushes): TransactionalSink<T> {
  const writerWith = (writer: SinkWriter<T>): SinkWriter<T> => {
    let values: (readonly [T, number | undefined, unknown])[] = []
    return {
      committedUpTo: () => writer.committedUpTo(),
      abortOthers: () => writer.abortOthers(),
      write: (...record) => void values.push(record),
      full: () => full?.() !== undefined,
      drained: () => full?.() ?? Promise.resolve(),
      preCommit: (id) => {
        const mine = values
        values = []
        let failure: unknown
        let waiting: void | Promise<void>
        try {
          waiting = preCommit?.(id)
        } catch (error) {
          failure = error
        }
        if (failure !== undefined) {
          values = [...mine, ...values]
          return async () => ({ _tag: 'Left', left: failure as SinkError })
        }
        for (const record of mine) writer.write(...record)
        const task = writer.preCommit(id)
        return before<SinkError, O.Option<TransactionHandle>>(() => waiting, task)
      },
      commit: (handle) =>
        before<SinkError, void>(
          () => commit?.(handle),
          TE.chain(() => before<SinkError, void>(() => committed?.(handle), TE.right(undefined)))(writer.commit(handle)),
        ),
      close: () => writer.close(),
    }
  }
  return { commits: 'transactional', open: (context) => TE.map(writerWith)(inner.open(context)) }
}
