import type { task, taskEither } from 'fp-ts'
import { BackendError } from '../errors.js'
import type { CheckpointId } from '../identity.js'
import type { Json } from '../json.js'
import type { CheckpointWriter, RowChunk } from '../ports/checkpointStorage.js'
import { ChangedRows } from './changedRows.js'

/** What a writer needs of its session. */
export interface WriterHost {
  /** Throws when nothing may be written or published any more. */
  requireWritable(): unknown
  /** A place for a whole checkpoint, where nobody sees it. */
  beginGeneration(): Promise<number>
  endGeneration(generation: number): void
  /** Answers how many rows there are more than before. */
  writeAside(generation: number, rows: ChangedRows): Promise<number>
  publish(id: CheckpointId, body: Json, rows: ChangedRows, aside?: { readonly generation: number; readonly rows: number }): Promise<void>
  task<A>(work: () => Promise<A>): taskEither.TaskEither<BackendError, A>
}

/**
 * One checkpoint on its way.
 *
 * What is written waits in memory for the one step that publishes it; that is no more than the rows that changed. A whole checkpoint may
 * be larger than memory: it is written aside, and publishing it changes sides.
 */
export class KeyValueWriter implements CheckpointWriter {
  private readonly rows = new ChangedRows()
  private aside: Promise<{ readonly generation: number; rows: number }> | undefined
  private ended = false

  constructor(
    private readonly session: WriterHost,
    private readonly id: CheckpointId,
    private readonly whole: boolean,
  ) {}

  write(chunk: RowChunk): taskEither.TaskEither<BackendError, void> {
    return this.session.task(async () => {
      this.requireGoing()
      if (!this.whole) return this.rows.add(chunk)
      const rows = new ChangedRows()
      rows.add(chunk)
      const aside = await this.begun()
      aside.rows += await this.session.writeAside(aside.generation, rows)
    })
  }

  publish(body: Json): taskEither.TaskEither<BackendError, void> {
    return this.session.task(async () => {
      this.requireGoing()
      this.ended = true
      try {
        await this.session.publish(this.id, body, this.rows, this.whole ? await this.begun() : undefined)
      } finally {
        this.rows.clear()
        await this.leave()
      }
    })
  }

  abort(): task.Task<void> {
    return async () => {
      // What is being published is not given up any more.
      if (this.ended) return
      this.ended = true
      this.rows.clear()
      await this.leave()
    }
  }

  private begun(): Promise<{ readonly generation: number; rows: number }> {
    this.aside ??= this.session.beginGeneration().then((generation) => ({ generation, rows: 0 }))
    return this.aside
  }

  /** A generation that nobody needs is removed behind the next publish. */
  private async leave(): Promise<void> {
    const aside = await this.aside?.catch(() => undefined)
    if (aside !== undefined) this.session.endGeneration(aside.generation)
  }

  private requireGoing(): void {
    if (this.ended) throw new BackendError('BACKEND_NOT_OPEN', { checkpointId: this.id, reason: 'the checkpoint was published or given up' })
    this.session.requireWritable()
  }
}
