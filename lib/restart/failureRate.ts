import { atLeast } from '../limits.js'
import { type RestartClock, type RestartPolicy, type RestartStrategy, restarting } from './restartStrategy.js'

export interface FailureRateOptions {
  /** So many failures within `perMs` are borne; one more is the error of the job. */
  readonly failuresMax: number
  readonly perMs: number
  readonly delayMs: number
}

/**
 * Starts a job again unless it fails too often within a time.
 *
 * **When to use** for a job that runs for ever: a failure now and then is borne without end, and a series of them is not.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category checkpoints
 * @since 0.2.0
 */
export function failureRate(options: FailureRateOptions & RestartClock): RestartStrategy {
  atLeast('failuresMax', options.failuresMax, 1)
  atLeast('perMs', options.perMs, 1)
  atLeast('delayMs', options.delayMs, 0)
  return restarting(() => failureRatePolicy(options), options)
}

export function failureRatePolicy({ failuresMax, perMs, delayMs }: FailureRateOptions): RestartPolicy {
  /** The times of the last failures, one more than are borne. */
  const times: number[] = []
  return {
    failed(nowMs) {
      times.push(nowMs)
      if (times.length > failuresMax + 1) times.shift()
      return true
    },
    canRestart: (nowMs) => times.length <= failuresMax || nowMs - (times[0] as number) > perMs,
    delayMs: () => delayMs,
  }
}
