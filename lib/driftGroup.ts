/**
 * Streams whose event times stay together: one that runs ahead of the slowest by more than it may lets its sources pause.
 *
 * Flink's watermark alignment. Without it a fast source fills the state of joins and windows while a slow one catches up.
 */
export interface DriftMember {
  /** Event time has advanced. `Infinity` when the stream has ended. */
  advance(watermarkMs: number): void
  /** An idle stream holds nobody back. */
  idle(idle: boolean): void
  leave(): void
}

interface Member {
  watermarkMs: number
  idle: boolean
  readonly maxDriftMs: number
  pause(): () => void
  resume: (() => void) | undefined
}

export class DriftGroup {
  private readonly members = new Set<Member>()

  join(maxDriftMs: number, pause: () => () => void): DriftMember {
    const member: Member = { watermarkMs: Number.NEGATIVE_INFINITY, idle: false, maxDriftMs, pause, resume: undefined }
    this.members.add(member)
    return {
      advance: (watermarkMs) => {
        member.watermarkMs = watermarkMs
        this.balance()
      },
      idle: (idle) => {
        member.idle = idle
        this.balance()
      },
      leave: () => {
        this.members.delete(member)
        member.resume?.()
        this.balance()
      },
    }
  }

  private balance(): void {
    let slowestMs = Number.POSITIVE_INFINITY
    for (const { idle, watermarkMs } of this.members) if (!idle && watermarkMs < slowestMs) slowestMs = watermarkMs
    for (const member of this.members) {
      const ahead = member.watermarkMs !== Number.POSITIVE_INFINITY && member.watermarkMs > slowestMs + member.maxDriftMs
      if (ahead) member.resume ??= member.pause()
      else {
        member.resume?.()
        member.resume = undefined
      }
    }
  }
}
