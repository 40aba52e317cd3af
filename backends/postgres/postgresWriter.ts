import { either as E, type task, type taskEither } from 'fp-ts'
import { BackendError, type ErrorDetails } from '../../lib/errors.js'
import type { CheckpointId } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointWriter, RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { Link, Transaction } from './link.js'
import { addRows, type Written } from './rowStatements.js'

/** What is published of a checkpoint beside its rows. */
export interface Publication {
  readonly id: CheckpointId
  /** Nothing of the checkpoint before belongs to it. */
  readonly whole: boolean
  readonly body: Json
}

/** What a writer needs of its session. */
export interface WriterHost {
  /** Throws when nothing may be written or published any more. */
  requireWritable(): void
  written(id: CheckpointId): Written
  takeLink(): Link
  giveBack(link: Link): void
  publish(what: Publication, transaction: () => Promise<Transaction>, mayCommit: () => void): Promise<void>
  task<A>(details: ErrorDetails, work: () => Promise<A>): taskEither.TaskEither<BackendError, A>
  track(work: Promise<unknown>): void
  forget(writer: CheckpointWriter): void
}

/**
 * One checkpoint on its way: one transaction, begun with the first chunk.
 *
 * **Invariants** Writes follow one another. The first failure is the last word: nothing is written or published after it.
 */
export class PostgresWriter implements CheckpointWriter {
  private link: Link | undefined
  private transaction: Transaction | undefined
  private work: Promise<unknown> = Promise.resolve()
  private failure: BackendError | undefined
  private ended = false

  constructor(
    private readonly session: WriterHost,
    private readonly id: CheckpointId,
    private readonly whole: boolean,
  ) {}

  write(chunk: RowChunk): taskEither.TaskEither<BackendError, void> {
    return this.step(async () => addRows(await this.begun(), this.session.written(this.id), chunk))
  }

  publish(body: Json): taskEither.TaskEither<BackendError, void> {
    return () => {
      const published = this.step(async () => {
        const { id, whole } = this
        await this.session.publish(
          { id, whole, body },
          () => this.begun(),
          () => this.requireGoing(),
        )
        // Noted within this step: whoever waits for it must not give up what is published.
        this.end()
      })().then(async (result) => {
        await this.giveUp()
        return result
      })
      this.session.track(published)
      return published
    }
  }

  abort(): task.Task<void> {
    return () => {
      // From here on the commit is refused. One that happened already is waited for, and stands.
      this.failure ??= new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was given up' })
      const aborted = this.work.then(() => this.giveUp())
      this.session.track(aborted)
      return aborted
    }
  }

  private step(work: () => Promise<void>): taskEither.TaskEither<BackendError, void> {
    const task = this.session.task<void>({ checkpointId: this.id }, () => {
      const turn = this.work.then(async () => {
        this.requireGoing()
        await work()
      })
      this.work = turn.catch(() => undefined)
      return turn
    })
    return async () => {
      const result = await task()
      if (E.isLeft(result)) this.failure ??= result.left
      return result
    }
  }

  private requireGoing(): void {
    if (this.failure !== undefined) throw this.failure
    if (this.ended) throw new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was published' })
    this.session.requireWritable()
  }

  private async begun(): Promise<Transaction> {
    this.link ??= this.session.takeLink()
    this.transaction ??= await this.link.begin()
    return this.transaction
  }

  /** What was written and not published is gone with its transaction. */
  private async giveUp(): Promise<void> {
    if (this.ended) return
    this.failure ??= new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was given up' })
    const { transaction } = this
    this.transaction = undefined
    await transaction?.rollback()
    this.end()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    this.session.forget(this)
    if (this.link !== undefined) this.session.giveBack(this.link)
    this.link = undefined
    this.transaction = undefined
  }
}
