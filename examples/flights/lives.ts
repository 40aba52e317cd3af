import type { Kill } from './kills.js'
import { type Life, life } from './life.js'
import type { Orders } from './news.js'
import type { Progress } from './progress.js'

export interface Lived extends Progress {
  readonly whileRecovering: number
}

/** Why the proof could not be made. */
export class NotProved extends Error {}

/** One process after the other: each is killed, and the next goes on; the last one may finish. */
export class Lives {
  private current: Life | undefined
  private flights = 0
  private killed = 0
  private whileRecovering = 0
  private checkpoints = 0
  private recoveryMs = 20

  constructor(
    private readonly orders: Orders,
    private readonly show: (progress: Progress) => void,
  ) {}

  async live(plan: readonly Kill[]): Promise<Lived> {
    for (const kill of [...plan, undefined]) {
      const end = await this.one(kill)
      if (end.kind === 'failed') throw new NotProved(`the job failed: ${end.message}`)
      if (end.kind === 'killed') {
        this.killed += 1
        if (end.when === 'recovering') this.whileRecovering += 1
      } else if (kill !== undefined)
        throw new NotProved(`the job ended after ${this.killed} of ${plan.length} kills. Hint: a smaller --per-second makes it last longer`)
    }
    return this.lived()
  }

  /** For somebody who wants to leave now. */
  kill(): void {
    this.current?.kill()
  }

  private one(kill: Kill | undefined): Life['end'] {
    let startingMs = 0
    this.current = life({
      orders: this.orders,
      kill,
      recoveryMs: this.recoveryMs,
      heard: (news) => {
        if (news.kind === 'starting') startingMs = performance.now()
        if (news.kind === 'started') this.recoveryMs = performance.now() - startingMs
        if (news.kind === 'checkpoint') this.checkpoints += 1
        if (news.kind === 'arrived') this.flights = Math.max(this.flights, news.flight)
        this.show(this.lived())
      },
    })
    return this.current.end
  }

  private lived(): Lived {
    return { flights: this.flights, kills: this.killed, checkpoints: this.checkpoints, whileRecovering: this.whileRecovering }
  }
}
