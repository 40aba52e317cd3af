import { option, taskEither } from 'fp-ts'
import { postgresSink } from '../../backends/postgres/postgresSink.js'
import { type PostgresStorageOptions, postgresStorage } from '../../backends/postgres/postgresStorage.js'
import type { TableOptions } from '../../backends/postgres/tableInsert.js'
import { checkpointId } from '../../lib/identity.js'
import type { CheckpointSession } from '../../lib/ports/checkpointStorage.js'
import type { SinkContext, SinkWriter, TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'

/** A run of a job: a session of the storage, and the sink that writes along with it. */
class Run<T> {
  #published = 0

  constructor(
    readonly session: CheckpointSession,
    readonly writer: SinkWriter<T>,
    readonly epoch: number,
  ) {}

  /** As the coordinator does before it tells a sink to commit. */
  async publish(id: number): Promise<void> {
    if (id <= this.#published) return
    await unwrap(this.session.begin(checkpointId(id)).publish({}))
    this.#published = id
  }
}

/**
 * A sink that writes along with a storage, for laws that know no storage: it plays the part of the job.
 *
 * A transaction is decided when its checkpoint is published; so `commit` publishes, and what the run before has decided that one
 * publishes, before the next one takes over.
 */
export class SharedRuns<T> {
  readonly #sessions: CheckpointSession[] = []
  readonly #writers: SinkWriter<T>[] = []
  #newest: Run<T> | undefined

  constructor(
    private readonly options: PostgresStorageOptions,
    private readonly table: TableOptions<T>,
  ) {}

  sink(): TransactionalSink<T> {
    return { commits: 'transactional', open: (context) => taskEither.right(this.#writerOf(context)) }
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close()()
    for (const session of this.#sessions) await session.close()()
  }

  #writerOf(context: SinkContext): SinkWriter<T> {
    const before = this.#newest
    const decided: TransactionHandle[] = []
    let run: Run<T> | undefined
    const own = (): Run<T> => {
      if (run === undefined) throw new Error('the run has not taken over')
      return run
    }
    const commit = async (handle: TransactionHandle): Promise<void> => {
      const { epoch, checkpointId: id } = handle as { readonly epoch: number; readonly checkpointId: number }
      if (run === undefined) {
        await before?.publish(id)
        decided.push(handle)
        return
      }
      if (epoch === run.epoch) await run.publish(id)
      await unwrap(run.writer.commit(handle))
    }
    return {
      committedUpTo: () => own().writer.committedUpTo(),
      abortOthers: () => async () => {
        run = await this.#taken(context)
        for (const handle of decided) await unwrap(run.writer.commit(handle))
        return run.writer.abortOthers()()
      },
      write: (value, timestamp, key) => own().writer.write(value, timestamp, key),
      full: () => own().writer.full(),
      drained: () => own().writer.drained(),
      preCommit: (id) => own().writer.preCommit(id),
      commit: (handle) =>
        taskEither.tryCatch(
          () => commit(handle),
          (error) => error as never,
        ),
      // The next run may decide what this one has pre-committed.
      close: () => async () => undefined,
    }
  }

  async #taken(context: SinkContext): Promise<Run<T>> {
    const storage = postgresStorage(this.options)
    const session = await unwrap(storage.open(context.job))
    this.#sessions.push(session)
    const latest = await unwrap(session.latest())
    const epoch = await unwrap(session.takeOver(option.isSome(latest) ? latest : option.none))
    const writer = await unwrap(postgresSink<T>({ storage, ...this.table }).open({ ...context, epoch }))
    this.#writers.push(writer)
    this.#newest = new Run(session, writer, epoch)
    return this.#newest
  }
}
