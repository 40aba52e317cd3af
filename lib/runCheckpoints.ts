/**
 * The checkpoints of a run that somebody waits for: savepoints, the last one, and none where all are discarded.
 *
 * **Invariants** A savepoint is copied only when everything in it is committed. All checkpoints are discarded only when nothing is published
 * any more and everything that was decided is committed: then nobody needs the manifests that name it.
 *
 * **Fault model** Any checkpoint may fail, any sink may not answer, and the run may end at any moment.
 */
import { readBody, withoutTransactions } from './checkpointBody.js'
import type { Clock } from './clock.js'
import type { Commits } from './commits.js'
import type { Coordinator } from './coordinator.js'
import { CheckpointError, hasCode } from './errors.js'
import type { JobEvent } from './events.js'
import type { HeldCheckpoints } from './heldCheckpoints.js'
import type { CheckpointId, JobName } from './identity.js'
import type { CheckpointSession, CheckpointStorage } from './ports/checkpointStorage.js'
import { writeSavepoint } from './restore/savepoint.js'
import { unwrap } from './task.js'

export interface RunCheckpointsHost {
  readonly job: JobName
  readonly clock: Clock
  readonly session: CheckpointSession
  readonly coordinator: Coordinator
  readonly commits: Commits
  readonly held: HeldCheckpoints
  /** Some sink cannot tell what it has committed. */
  readonly forgetful: boolean
  isOver(): boolean
  /** Throws where the run is over. */
  goOn(): void
  report(event: JobEvent): void
  fail(error: unknown): void
}

/** A sink that does not confirm what was decided keeps the checkpoints that name it, when so much time has gone by. */
const confirmMs = 10_000

export class RunCheckpoints {
  constructor(private readonly host: RunCheckpointsHost) {}

  /** A checkpoint now and, once everything in it is committed, a copy of it that belongs to whoever asked for it. */
  async savepoint(target: CheckpointStorage): Promise<CheckpointId> {
    for (;;) {
      this.host.goOn()
      const id = await this.host.coordinator.checkpoint({ aligned: true, counts: false })
      if (await this.copy(id, target)) return id
      // Others have been completed since, and the storage retains few: once more.
    }
  }

  /** The last checkpoint, with all of its commits confirmed and, with a target, a copy there. */
  async last(copyTo: () => CheckpointStorage | undefined): Promise<void> {
    const { coordinator, commits, forgetful } = this.host
    const isOver = (): boolean => this.host.isOver()
    coordinator.askedOnly()
    let last = await this.lastCheckpoint()
    while (!isOver() && !commits.areConfirmed) await commits.next()
    // What a sink that forgets has committed would be committed again: the next manifest does not name it any more.
    if (!isOver() && forgetful) last = (await coordinator.checkpoint({ aligned: true }).catch(() => undefined)) ?? last
    // Somebody may have asked for another one since, which is the same cut, and few are retained.
    for (let target = copyTo(); !isOver() && last !== undefined && target !== undefined && !(await this.copyLast(last, target)); target = copyTo())
      last = await this.lastCheckpoint()
  }

  /**
   * Discards all checkpoints.
   *
   * @throws CheckpointError `CHECKPOINTS_KEPT` where a sink does not confirm what was decided, or the storage fails
   */
  async discard(): Promise<void> {
    const { coordinator, commits, session, clock } = this.host
    let late = false
    let expire = (): void => {}
    const expired = new Promise<void>((resolve) => {
      expire = resolve
    })
    const cancel = clock.callAt(clock.nowMs() + confirmMs, () => {
      late = true
      expire()
      commits.changed()
    })
    // What is being published when the run ends may still become a checkpoint, and its transactions be decided.
    await Promise.race([coordinator.close().then(() => coordinator.persisted), expired])
    while (!late && !commits.areConfirmed) await commits.next()
    cancel()
    if (late) throw new CheckpointError('CHECKPOINTS_KEPT', { uids: commits.unconfirmed, reason: 'what was decided was not confirmed in time' })
    if (session.discard === undefined) throw new CheckpointError('CHECKPOINTS_KEPT', { reason: 'the storage cannot discard, though it says so' })
    try {
      await unwrap(session.discard())
    } catch (cause) {
      throw new CheckpointError('CHECKPOINTS_KEPT', { reason: 'the storage has failed' }, { cause })
    }
  }

  /** False where the checkpoint is not retained any more. */
  private async copy(id: CheckpointId, target: CheckpointStorage): Promise<boolean> {
    const { held, commits, job } = this.host
    const stored = await held.hold(id)
    if (stored === undefined) return false
    try {
      while (!this.host.isOver() && !commits.areCommitted(id)) await commits.next()
      this.host.goOn()
      const rows = await writeSavepoint(target, job, stored, withoutTransactions(readBody(stored.body)))
      this.host.report({ kind: 'savepointCompleted', checkpointId: id, rows })
      return true
    } finally {
      held.letGo(id)
    }
  }

  /** Tries until there is one; undefined where the run is over before. */
  private async lastCheckpoint(): Promise<CheckpointId | undefined> {
    const { coordinator, commits, clock } = this.host
    while (!this.host.isOver()) {
      try {
        return await coordinator.checkpoint({ aligned: true })
      } catch (error) {
        if (this.host.isOver()) return undefined
        // The answer may have come since it was refused: then nobody would tell of another one.
        if (!commits.areConfirmed && hasCode(error, 'UNCONFIRMED_COMMITS_FULL')) await commits.next()
        // Where it fails at once, again and again, everybody else still has a turn.
        else await clock.yield()
      }
    }
    return undefined
  }

  /** False where it is not retained any more. A run that cannot write the savepoint ends with the error; its own storage has everything. */
  private async copyLast(last: CheckpointId, target: CheckpointStorage): Promise<boolean> {
    try {
      return await this.copy(last, target)
    } catch (error) {
      this.host.fail(error)
      return false
    }
  }
}
