import { atLeast } from '../limits.js'
import { type RestartClock, type RestartPolicy, type RestartStrategy, restarting } from './restartStrategy.js'

/**
 * Starts a job again after the same time, so many times.
 *
 * @param options - `attempts` restarts, then the next failure is the error of the job; `Infinity` for no end
 * @throws ConfigurationError `OPTION_INVALID`
 * @example A step that fails once
 * ```ts
 * let failures = 0
 * const out = memorySink<string>()
 * const job = defineJob('flaky', { storage: memory() }, ({ source, sink }) =>
 *   source('words', memorySource(['to', 'be'])).pipe(
 *     tapValues(() => {
 *       if (failures++ === 0) throw new Error('once')
 *     }),
 *     sink('out', out),
 *   ),
 * )
 * await job.run({ restart: fixedDelay({ attempts: 2, delayMs: 1 }) }).done
 * out.committed // => ['to', 'be']
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function fixedDelay(options: { readonly attempts: number; readonly delayMs: number } & RestartClock): RestartStrategy {
  atLeast('attempts', options.attempts, 0)
  atLeast('delayMs', options.delayMs, 0)
  return restarting(() => fixedDelayPolicy(options), options)
}

export function fixedDelayPolicy({ attempts, delayMs }: { readonly attempts: number; readonly delayMs: number }): RestartPolicy {
  let failures = 0
  return {
    failed() {
      failures += 1
      return true
    },
    canRestart: () => failures <= attempts,
    delayMs: () => delayMs,
  }
}
