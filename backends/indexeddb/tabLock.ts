import type { Clock } from '../../lib/clock.js'
import { BackendError } from '../../lib/errors.js'

/**
 * Keeps other tabs from what has this name, until what is answered is called; it resolves when they may have it.
 *
 * The browser lets go of it when the tab ends, however it ends.
 */
export async function lockedBy(
  locks: Pick<LockManager, 'request'> | undefined,
  name: string,
  waitMs: number,
  clock: Clock,
): Promise<() => Promise<void>> {
  if (locks === undefined) return async () => undefined
  const given = new AbortController()
  const cancel = clock.callAt(clock.nowMs() + waitMs, () => given.abort())
  let unlock = (): void => undefined
  let gone: Promise<void> = Promise.resolve()
  try {
    await new Promise<void>((resolve, reject) => {
      const request = locks.request(name, { signal: given.signal }, () => {
        resolve()
        return new Promise<void>((release) => {
          unlock = release
        })
      })
      // Whoever takes a lock by force is fenced by the epoch, as everybody is.
      gone = Promise.resolve(request).then(
        () => undefined,
        () => undefined,
      )
      Promise.resolve(request).catch(reject)
    })
  } catch (cause) {
    if (given.signal.aborted) throw new BackendError('BACKEND_IN_USE', { name, reason: 'another tab has it', waitedMs: waitMs }, { cause })
    throw new BackendError('BACKEND_IO', { name, reason: 'the browser gives no lock' }, { cause })
  } finally {
    cancel()
  }
  return () => {
    unlock()
    return gone
  }
}
