/**
 * The readers of a run's sources: opened where the checkpoint left them, and told which of what they have read nobody will ask for again.
 */
import { option } from 'fp-ts'
import type { CheckpointBody } from './checkpointBody.js'
import type { Clock } from './clock.js'
import { type CheckpointId, operatorUid } from './identity.js'
import type { CheckpointSession } from './ports/checkpointStorage.js'
import type { SourceReader } from './ports/replayableSource.js'
import type { RunSource } from './runSource.js'
import { unwrap } from './task.js'

interface OpenedSource {
  readonly stage: RunSource<unknown>
  /** None where it had ended before the restart. */
  readonly reader: SourceReader<unknown> | undefined
}

export class SourceReaders {
  private readonly readers = new Map<string, SourceReader<unknown>>()
  /** Where the sources stood in checkpoints of this run that are kept. */
  private readonly offsets = new Map<CheckpointId, CheckpointBody['sources']>()

  constructor(
    private readonly clock: Clock,
    private readonly session: CheckpointSession,
    /** Throws where the run is over. */
    private readonly goOn: () => void,
  ) {}

  async open(
    sources: readonly RunSource<unknown>[],
    restored: { readonly id: CheckpointId; readonly body: CheckpointBody } | undefined,
  ): Promise<OpenedSource[]> {
    if (restored !== undefined) this.offsets.set(restored.id, restored.body.sources)
    const opened = []
    for (const stage of sources) {
      this.goOn()
      const stored = restored?.body.sources[stage.uid]
      stage.finished = stored?.finished === true
      if (stored !== undefined && stage.finished) {
        stage.offset = stored.offset
        opened.push({ stage, reader: undefined })
        continue
      }
      const from = stored === undefined ? option.none : option.some(stored.offset)
      const reader = await unwrap(stage.source.open({ uid: operatorUid(stage.uid), from, clock: this.clock, journal: this.session.journal?.() }))
      this.readers.set(stage.uid, reader)
      stage.offset = reader.start
      opened.push({ stage, reader })
    }
    return opened
  }

  /** A checkpoint is complete, with the sources at these offsets. */
  checkpointCompleted(id: CheckpointId, offsets: CheckpointBody['sources']): void {
    if (![...this.readers.values()].some((reader) => reader.checkpointCompleted !== undefined)) return
    this.offsets.set(id, offsets)
    const retained = this.session.retained()
    for (const known of [...this.offsets.keys()]) if (!retained.includes(known)) this.offsets.delete(known)
    // Where an earlier run has left a checkpoint that is still kept, nobody here knows what it needs.
    const oldest = retained[0] === undefined ? undefined : this.offsets.get(retained[0])
    if (oldest === undefined) return
    for (const [uid, reader] of this.readers) {
      const at = offsets[uid]
      const needed = oldest[uid]
      if (at !== undefined && needed !== undefined) reader.checkpointCompleted?.(at.offset, needed.offset)
    }
  }

  close(): readonly (() => Promise<void>)[] {
    return [...this.readers.values()].map((reader) => () => reader.close()())
  }
}
