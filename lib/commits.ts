import type { CommitQueue } from './commitQueue.js'
import type { CheckpointId } from './identity.js'

/** The transactions of a run, by the uid of their sink, and whoever waits until they are confirmed. */
export class Commits extends Map<string, CommitQueue> {
  private waiting: (() => void)[] = []

  /** Nothing that was decided waits for its sink. */
  get areConfirmed(): boolean {
    return this.unconfirmed.length === 0
  }

  /** Sinks that have not confirmed what was decided. */
  get unconfirmed(): readonly string[] {
    return [...this.values()].filter(({ unconfirmed }) => unconfirmed > 0).map(({ uid }) => uid)
  }

  /** Whether all up to a checkpoint are committed. */
  areCommitted(upTo: CheckpointId): boolean {
    return [...this.values()].every((queue) => queue.isCommitted(upTo))
  }

  /** Resolves when a sink has confirmed something, or when whoever waits is to look again. */
  next(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** Whoever waits looks again. */
  changed(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
