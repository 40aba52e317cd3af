import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'

type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/** A scheduler in virtual time that goes on a millisecond at a time. The `VirtualTimeScheduler` of RxJS sorts at each call, which is no peer. */
export class TickingScheduler implements SchedulerLike {
  private nowMs = 0
  private readonly due = new Map<number, Action<unknown>[]>()

  now(): number {
    return this.nowMs
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    return new Action<T>(this, work).schedule(state, delay)
  }

  add(action: Action<unknown>, delay: number): void {
    const atMs = this.nowMs + Math.max(1, delay)
    const there = this.due.get(atMs)
    if (there === undefined) this.due.set(atMs, [action])
    else there.push(action)
  }

  /** A millisecond goes by. */
  tick(): void {
    this.nowMs += 1
    const actions = this.due.get(this.nowMs)
    if (actions === undefined) return
    this.due.delete(this.nowMs)
    for (const action of actions) action.run()
  }
}

class Action<T> extends Subscription implements SchedulerAction<T> {
  private state: T | undefined
  private pending = false

  constructor(
    private readonly scheduler: TickingScheduler,
    private readonly work: Work<T>,
  ) {
    super()
  }

  schedule(state?: T, delay = 0): Subscription {
    this.state = state
    this.pending = true
    this.scheduler.add(this as Action<unknown>, delay)
    return this
  }

  run(): void {
    if (this.closed) return
    this.pending = false
    this.work.call(this, this.state)
    if (!this.pending) this.unsubscribe()
  }
}
