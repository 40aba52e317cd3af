import type { StateRun } from '../ports/stateBackend.js'

/**
 * Rows that changed and are not in a checkpoint yet have to stay in memory: this bounds how much that is.
 *
 * More than `dirtyBytesMax` since the last barrier asks for a checkpoint at once. More than twice as much, with what that checkpoint
 * has not written yet, lets the sources wait until it has.
 */
export class DirtyLimit {
  private changedBytes = 0
  private capturedBytes = 0
  private asked = false
  private goOn: (() => void) | undefined

  constructor(
    private readonly dirtyBytesMax: number,
    private readonly run: StateRun,
  ) {}

  add(bytes: number): void {
    this.changedBytes += bytes
    if (this.changedBytes > this.dirtyBytesMax) this.full()
  }

  /** What a table had changed was captured. */
  captured(bytes: number): void {
    this.changedBytes -= bytes
    this.capturedBytes += bytes
    this.asked = false
  }

  /** What a table had captured is durable, or counts as changed again. */
  ended(bytes: number): void {
    this.capturedBytes -= bytes
    if (this.changedBytes + this.capturedBytes <= 2 * this.dirtyBytesMax) this.release()
  }

  /** The checkpoint that was asked for may be one that was aborted, also before its barrier came here: what changed waits for another one. */
  aborted(): void {
    this.asked = false
    if (this.changedBytes > this.dirtyBytesMax) this.full()
  }

  release(): void {
    this.goOn?.()
    this.goOn = undefined
  }

  private full(): void {
    if (!this.asked) {
      this.asked = true
      this.run.askCheckpoint()
    }
    if (this.changedBytes + this.capturedBytes > 2 * this.dirtyBytesMax) this.goOn ??= this.run.pause()
  }
}
