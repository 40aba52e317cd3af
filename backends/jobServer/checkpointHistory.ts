import type { JobEvent } from '../../lib/events.js'

/** So many of the last checkpoints are kept. */
const entriesMax = 100

interface CheckpointEntry {
  readonly checkpointId: number
  status: 'under way' | 'completed' | 'committed' | 'failed'
  durationMs?: number
  rows?: number
  bytes?: number
  reason?: string
}

/** The last checkpoints of a run and what became of them, newest first. */
export class CheckpointHistory {
  private readonly entries: CheckpointEntry[] = []

  get checkpoints(): readonly Readonly<CheckpointEntry>[] {
    return this.entries
  }

  note(event: JobEvent): void {
    switch (event.kind) {
      case 'checkpointStarted':
        this.entries.unshift({ checkpointId: event.checkpointId, status: 'under way' })
        if (this.entries.length > entriesMax) this.entries.pop()
        return
      case 'checkpointCompleted': {
        const { checkpointId, durationMs, rows, bytes } = event
        return this.change(checkpointId, { status: 'completed', durationMs, rows, bytes })
      }
      case 'checkpointCommitted':
        return this.change(event.checkpointId, { status: 'committed' })
      case 'checkpointAborted':
        return this.change(event.checkpointId, { status: 'failed', reason: event.error.message })
    }
  }

  private change(id: number, what: Omit<CheckpointEntry, 'checkpointId'>): void {
    const entry = this.entries.find(({ checkpointId }) => checkpointId === id)
    if (entry !== undefined) Object.assign(entry, what)
  }
}
