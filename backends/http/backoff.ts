import type { Clock } from '../../lib/clock.js'
import type { ErrorDetails } from '../../lib/errors.js'
import { wait } from '../../lib/wait.js'

/** Why another attempt is made. */
export interface Failure {
  readonly reason: string
  readonly status?: number
  /** The time that the server asked for. */
  readonly afterMs?: number | undefined
  readonly cause?: unknown
}

export interface BackoffOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly attemptsMax: number
  readonly retryAfterMsMax: number
  /** The error when there have been enough attempts. */
  giveUp(details: ErrorDetails, cause: unknown): Error
}

const firstMs = 200
const lastMs = 30_000

/** Waits between attempts, longer each time, and gives up after so many failures in a row. */
export class Backoff {
  #failures = 0

  constructor(private readonly options: BackoffOptions) {}

  succeeded(): void {
    this.#failures = 0
  }

  async failed({ reason, status, afterMs, cause }: Failure): Promise<void> {
    const { clock, signal, attemptsMax, retryAfterMsMax, giveUp } = this.options
    this.#failures += 1
    if (this.#failures >= attemptsMax) throw giveUp({ reason, ...(status === undefined ? {} : { status }), attempts: this.#failures }, cause)
    const ms = afterMs === undefined ? Math.min(lastMs, firstMs * 2 ** (this.#failures - 1)) : Math.min(retryAfterMsMax, afterMs)
    await wait(clock, ms, signal)
  }
}
