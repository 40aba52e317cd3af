import { option } from 'fp-ts'
import type { CheckpointId } from './identity.js'
import type { CheckpointSession, StoredCheckpoint } from './ports/checkpointStorage.js'
import { unwrap } from './task.js'

/** The checkpoints that somebody in the run reads. A session lets one go when the last of them has done so. */
export class HeldCheckpoints {
  private readonly holders = new Map<CheckpointId, number>()

  constructor(private readonly session: CheckpointSession) {}

  /** One of the checkpoints that are kept, or none; who got it lets it go. */
  async hold(id: CheckpointId): Promise<StoredCheckpoint | undefined> {
    this.holders.set(id, (this.holders.get(id) ?? 0) + 1)
    try {
      const held = option.toUndefined(await unwrap(this.session.hold(id)))
      if (held === undefined) this.letGo(id)
      return held
    } catch (error) {
      this.letGo(id)
      throw error
    }
  }

  letGo(id: CheckpointId): void {
    const others = (this.holders.get(id) ?? 0) - 1
    if (others > 0) this.holders.set(id, others)
    else {
      this.holders.delete(id)
      this.session.letGo(id)
    }
  }

  /** The newest complete checkpoint; undefined where there is none. */
  async holdNewest(): Promise<StoredCheckpoint | undefined> {
    for (;;) {
      const id = this.session.retained().at(-1)
      if (id === undefined) return undefined
      const held = await this.hold(id)
      // Others may have been completed since.
      if (held !== undefined || this.session.retained().at(-1) === id) return held
    }
  }
}
