import type { task, taskEither } from 'fp-ts'
import { BackendError } from '../../lib/errors.js'
import type { CheckpointId } from '../../lib/identity.js'
import type { Json } from '../../lib/json.js'
import type { CheckpointWriter, RowChunk } from '../../lib/ports/checkpointStorage.js'
import type { RowBlock } from './rowBlock.js'

/** What a writer needs of its session. */
export interface WriterHost {
  requireWritable(): void
  /** The rows of a chunk, laid out as they are stored. */
  blockOf(chunk: RowChunk): RowBlock
  /** Writes part of a whole checkpoint where nobody sees it; nothing but clears that place, where there is no block. */
  writeAside(block: RowBlock | undefined): Promise<void>
  publish(id: CheckpointId, body: Json, blocks: readonly RowBlock[], whole: boolean): Promise<void>
  task<A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A>
}

/**
 * One checkpoint on its way into the store.
 *
 * What is written waits in memory for the one transaction that publishes it; that is no more than the rows that changed. A whole
 * checkpoint may be larger than memory: it is written aside, and publishing it changes sides.
 */
export class LmdbWriter implements CheckpointWriter {
  private blocks: RowBlock[] = []
  private ended = false
  private sideCleared: Promise<void> | undefined

  constructor(
    private readonly session: WriterHost,
    private readonly id: CheckpointId,
    private readonly whole: boolean,
  ) {}

  write(chunk: RowChunk): taskEither.TaskEither<BackendError, void> {
    return this.session.task(async () => {
      this.requireGoing()
      const block = this.session.blockOf(chunk)
      if (!this.whole) this.blocks.push(block)
      else {
        await this.clearSide()
        await this.session.writeAside(block)
      }
    })
  }

  publish(body: Json): taskEither.TaskEither<BackendError, void> {
    return this.session.task(async () => {
      this.requireGoing()
      this.ended = true
      const { blocks } = this
      this.blocks = []
      if (this.whole) await this.clearSide()
      await this.session.publish(this.id, body, blocks, this.whole)
    })
  }

  abort(): task.Task<void> {
    return async () => {
      // What is being published is not given up any more.
      this.ended = true
      this.blocks = []
    }
  }

  /** What an earlier whole checkpoint that was given up has left there. */
  private clearSide(): Promise<void> {
    this.sideCleared ??= this.session.writeAside(undefined)
    return this.sideCleared
  }

  private requireGoing(): void {
    if (this.ended) throw new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was published or given up' })
    this.session.requireWritable()
  }
}
