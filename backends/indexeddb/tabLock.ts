import type { Clock } from '../../lib/clock.js'
import { BackendError } from '../../lib/errors.js'

type Unlock = () => Promise<void>
type Locks = Pick<LockManager, 'request'>

/**
 * Keeps other tabs from what has this name, until what is answered is called; that resolves when they may have it.
 *
 * The browser lets go of it when the tab ends, however it ends. Whoever takes a lock by force is fenced by the epoch, as everybody is.
 */
export async function lockedBy(locks: Locks | undefined, name: string, waitMs: number, clock: Clock): Promise<Unlock> {
  if (locks === undefined) return async () => undefined
  const waiting = new AbortController()
  let cancel = (): void => undefined
  try {
    const atOnce = await given(locks, name, { ifAvailable: true })
    if (atOnce !== undefined) return atOnce
    cancel = clock.callAt(clock.nowMs() + waitMs, () => waiting.abort())
    const later = await given(locks, name, { signal: waiting.signal })
    if (later !== undefined) return later
  } catch (cause) {
    if (!waiting.signal.aborted) throw new BackendError('BACKEND_IO', { name, reason: 'the browser gives no lock' }, { cause })
  } finally {
    cancel()
  }
  throw new BackendError('BACKEND_IN_USE', { name, reason: 'another tab has it', waitedMs: waitMs })
}

/** Answers when the lock is given; undefined where it is not available. */
function given(locks: Locks, name: string, options: LockOptions): Promise<Unlock | undefined> {
  return new Promise((resolve, reject) => {
    const gone = Promise.resolve(
      locks.request(name, options, (lock) => {
        if (lock === null) return resolve(undefined)
        return new Promise<void>((release) => {
          resolve(() => {
            release()
            return gone
          })
        })
      }),
    ).then(
      () => undefined,
      (error: unknown) => reject(error),
    )
  })
}
