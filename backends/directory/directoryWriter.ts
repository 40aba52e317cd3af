import { either as E, type task, type taskEither } from 'fp-ts'
import { BackendError, type ErrorDetails } from '../../lib/errors.js'
import type { CheckpointId } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointWriter, ExpiredRows, RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { Folder } from './folder.js'
import type { Segment } from './manifestFile.js'
import type { SegmentWriter } from './segmentFile.js'

/** What is published of a checkpoint beside its segment. */
export interface Publication {
  readonly id: CheckpointId
  /** Nothing of the checkpoint before belongs to it. */
  readonly whole: boolean
  readonly body: Json
  readonly expired: ExpiredRows | undefined
}

/** What a writer needs of its session. */
export interface WriterHost {
  readonly folder: Folder
  /** Whether the files of a checkpoint that failed can be removed. */
  readonly mayRemove: boolean
  /** Throws when nothing may be written or published any more. */
  requireWritable(): void
  createSegment(id: CheckpointId): Promise<{ readonly name: string; readonly writer: SegmentWriter }>
  publish(what: Publication, finish: () => Promise<Segment | undefined>, mayLink: () => void): Promise<void>
  task<A>(details: ErrorDetails, work: () => Promise<A>): taskEither.TaskEither<BackendError, A>
  track(work: Promise<unknown>): void
  forget(writer: CheckpointWriter): void
}

/**
 * One checkpoint on its way: at most one segment, created with the first chunk.
 *
 * **Invariants** Writes follow one another. The first failure is the last word: nothing is written or published after it.
 */
export class DirectoryWriter implements CheckpointWriter {
  private segment: { readonly name: string; readonly writer: SegmentWriter } | undefined
  private work: Promise<unknown> = Promise.resolve()
  private failure: BackendError | undefined
  private ended = false
  private syncFailuresBefore = 0

  constructor(
    private readonly session: WriterHost,
    private readonly id: CheckpointId,
    private readonly whole: boolean,
  ) {}

  write(chunk: RowChunk): taskEither.TaskEither<BackendError, void> {
    return this.step(() => this.add(chunk))
  }

  publish(body: Json, expired?: ExpiredRows): taskEither.TaskEither<BackendError, void> {
    return () => {
      const published = this.step(async () => {
        const finish = (): Promise<Segment | undefined> => this.finish()
        await this.session.publish({ id: this.id, whole: this.whole, body, expired }, finish, () => this.requireLinkable())
        // Noted within this step: whoever waits for it must not take the segment for one that nobody names.
        this.ended = true
        this.session.forget(this)
      })().then(async (result) => {
        if (E.isLeft(result) && !this.ended) await this.remove()
        this.ended = true
        return result
      })
      this.session.track(published)
      return published
    }
  }

  abort(): task.Task<void> {
    return () => {
      // From here on the link is refused. One that happened already is waited for, and stands.
      this.failure ??= new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was given up' })
      const aborted = this.work.then(async () => {
        if (!this.ended) await this.remove()
        this.ended = true
      })
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

  private requireLinkable(): void {
    this.requireGoing()
    if (this.segment !== undefined) this.session.folder.requireSynced(this.syncFailuresBefore)
  }

  private async add(chunk: RowChunk): Promise<void> {
    if (this.segment === undefined) {
      this.syncFailuresBefore = this.session.folder.syncFailures
      this.segment = await this.session.createSegment(this.id)
    }
    await this.segment.writer.add(chunk)
  }

  /** Bytes, then the name: both durable before a manifest can name them. */
  private async finish(): Promise<Segment | undefined> {
    if (this.segment === undefined) return undefined
    const finished = await this.segment.writer.finish()
    await this.session.folder.sync()
    return finished
  }

  private async remove(): Promise<void> {
    await this.work
    this.session.forget(this)
    if (this.segment === undefined) return
    if (this.session.mayRemove) {
      await this.segment.writer.discard()
      this.session.folder.live.delete(this.segment.name)
    } else await this.segment.writer.release()
  }
}
