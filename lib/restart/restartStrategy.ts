import { type Observable, throwError } from 'rxjs'
import { type Clock, systemClock } from '../clock.js'
import { observable } from '../operate.js'

/**
 * Whether a job starts again after a failure, and when: hand it to rxjs, `job.pipe(retry(strategy))`, or to `job.run({ restart: strategy })`.
 *
 * It counts failures from its first one on, so each job is given a strategy of its own.
 */
export interface RestartStrategy {
  /** Emits when the job may start again; passes the error on when it may not. */
  readonly delay: (error: unknown, count: number) => Observable<unknown>
}

/** The decision behind a strategy: it is told of each failure, then asked. */
export interface RestartPolicy {
  /** Whether the failure is an attempt of its own; one that comes before the restart of the one before is part of that. */
  failed(nowMs: number): boolean
  canRestart(nowMs: number): boolean
  /** How long to wait from now on. */
  delayMs(nowMs: number): number
  /** The wait is over. */
  restarted?(): void
}

/** Where the time of a strategy comes from; default the machine's. */
export interface RestartClock {
  readonly clock?: Clock | undefined
}

/** Makes a strategy of a policy, which begins anew with the first failure of each subscription. */
export function restarting(create: () => RestartPolicy, { clock = systemClock }: RestartClock = {}): RestartStrategy {
  let policy = create()
  return {
    delay(error, count) {
      if (count === 1) policy = create()
      const current = policy
      const nowMs = clock.nowMs()
      current.failed(nowMs)
      if (!current.canRestart(nowMs)) return throwError(() => error)
      return observable<void>((subscriber) =>
        clock.callAt(nowMs + current.delayMs(nowMs), () => {
          current.restarted?.()
          subscriber.next()
          subscriber.complete()
        }),
      )
    },
  }
}
