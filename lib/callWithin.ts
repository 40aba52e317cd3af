import type { Clock } from './clock.js'

export interface CallLimits {
  readonly clock: Clock
  /** `Infinity` for ever. */
  readonly timeoutMs: number
  /** Gives the call up when it aborts. */
  readonly signal: AbortSignal
}

/** A call was not waited for any longer. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

/**
 * Makes a call that is given up after a time, or when the signal aborts. The call's own signal aborts then, and the answer is a
 * rejection at once: a call that does not listen keeps nobody waiting, and what becomes of it is ignored.
 */
export function callWithin<A>({ clock, timeoutMs, signal }: CallLimits, call: (signal: AbortSignal) => A | PromiseLike<A>): Promise<A> {
  const controller = new AbortController()
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel?.()
      signal.removeEventListener('abort', closed)
    }
    const giveUp = (reason: string): void => {
      end()
      const error = new GivenUp(reason)
      controller.abort(error)
      reject(error)
    }
    const closed = (): void => giveUp('it was given up')
    if (signal.aborted) return closed()
    signal.addEventListener('abort', closed)
    const cancel =
      timeoutMs === Number.POSITIVE_INFINITY ? undefined : clock.callAt(clock.nowMs() + timeoutMs, () => giveUp(`no answer within ${timeoutMs} ms`))
    // A call that throws at once rejects as any other.
    const answer = new Promise<A>((answered) => answered(call(controller.signal)))
    answer.then(resolve, reject).finally(end)
  })
}
