import { ConfigurationError, invariant } from '../errors.js'
import { atLeast } from '../limits.js'
import { type RestartClock, type RestartPolicy, type RestartStrategy, restarting } from './restartStrategy.js'

export interface ExponentialDelayOptions {
  /** After the first failure. Default 1,000. */
  readonly initialMs?: number
  /** No wait is longer. Default 60,000. */
  readonly maxMs?: number
  /** Each wait is so many times the one before. Default 1.5. */
  readonly multiplier?: number
  /** Each wait is up to this part of itself longer or shorter. Default 0.1 where `random` is given, none otherwise. */
  readonly jitter?: number
  /** From 0 up to 1, as `Math.random` is: chance is handed in. */
  readonly random?: () => number
  /** A run that holds out for so long after its restart lets the counting begin anew. Default one hour. */
  readonly resetAfterMs?: number
  /** So many failures in a row are borne. Default `Infinity`. */
  readonly attempts?: number
}

/**
 * Starts a job again after a time that grows with each failure.
 *
 * What Flink does unless it is told otherwise. Jitter keeps many jobs that failed for one reason from coming back all at once.
 *
 * **When to use** unless something speaks for another strategy: it neither gives up nor storms what is down.
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @category checkpoints
 * @since 0.2.0
 */
export function exponentialDelay(options: ExponentialDelayOptions & RestartClock = {}): RestartStrategy {
  const checked = withDefaults(options)
  return restarting(() => new ExponentialDelay(checked), options)
}

type Checked = Required<ExponentialDelayOptions>

/** Fills in what is left out, and refuses what makes no sense. */
function withDefaults({
  initialMs = 1_000,
  maxMs = 60_000,
  multiplier = 1.5,
  random,
  jitter = random === undefined ? 0 : 0.1,
  resetAfterMs = 3_600_000,
  attempts = Number.POSITIVE_INFINITY,
}: ExponentialDelayOptions): Checked {
  atLeast('initialMs', initialMs, 1)
  atLeast('maxMs', maxMs, initialMs)
  if (!(multiplier >= 1 && multiplier < Number.POSITIVE_INFINITY))
    throw new ConfigurationError('OPTION_INVALID', { option: 'multiplier', found: multiplier, expected: 'a number from 1' })
  if (!(jitter >= 0 && jitter <= 1))
    throw new ConfigurationError('OPTION_INVALID', { option: 'jitter', found: jitter, expected: 'a number from 0 to 1' })
  if (jitter > 0 && random === undefined)
    throw new ConfigurationError('OPTION_INVALID', { option: 'random', found: undefined, expected: 'with jitter, a function such as Math.random' })
  atLeast('resetAfterMs', resetAfterMs, 1)
  atLeast('attempts', attempts, 0)
  return { initialMs, maxMs, multiplier, jitter, random: random ?? (() => 0), resetAfterMs, attempts }
}

/** The policy: the wait follows from the exact power, and is bounded behind the jitter. */
export class ExponentialDelay implements RestartPolicy {
  private failures = 0
  private plannedMs = 0
  private waiting = false

  constructor(private readonly options: Checked) {}

  failed(nowMs: number): boolean {
    if (this.waiting && nowMs <= this.plannedMs) return false
    if (this.failures > 0 && nowMs - this.plannedMs >= this.options.resetAfterMs) this.failures = 0
    this.failures += 1
    this.plannedMs = nowMs + this.wait()
    this.waiting = true
    return true
  }

  canRestart(): boolean {
    return this.failures <= this.options.attempts
  }

  delayMs(nowMs: number): number {
    invariant(this.failures > 0, 'a wait follows a failure')
    return Math.max(0, this.plannedMs - nowMs)
  }

  restarted(): void {
    this.waiting = false
  }

  private wait(): number {
    const { initialMs, maxMs, multiplier, jitter, random } = this.options
    const exactMs = Math.min(Math.floor(initialMs * multiplier ** (this.failures - 1)), Number.MAX_SAFE_INTEGER)
    const offMs = Math.floor(exactMs * jitter)
    const jitterMs = offMs === 0 ? 0 : Math.floor(random() * (2 * offMs + 1)) - offMs
    return Math.max(initialMs, Math.min(exactMs + jitterMs, maxMs))
  }
}
