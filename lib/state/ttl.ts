import { ConfigurationError } from '../errors.js'
import { atLeast } from '../limits.js'

/**
 * When state expires. Each value, each element of a list and each entry of a map by itself; an accumulator as a whole.
 *
 * An entry is expired when `afterMs` or more have passed since it was touched.
 */
export interface Ttl {
  readonly afterMs: number
  /** What touches it: writing (default), or reading too. */
  readonly refresh?: 'onWrite' | 'onReadAndWrite'
  /** What is expired but still there: `hidden` (default), or readable until it is removed. Either way a read removes it. */
  readonly expired?: 'hidden' | 'untilRemoved'
  /** By which time: the machine's (default), or event time, which a replay repeats. */
  readonly time?: 'processing' | 'event'
  /**
   * `index` (default) removes what is expired although its key never comes again; `onRead` removes only what is read;
   * `{ rowsPerAccess }` looks at so many further rows at each access, as Flink does on the heap, and with `runForEveryRecord` at
   * each record, too.
   */
  readonly cleanup?: 'index' | 'onRead' | { readonly rowsPerAccess: number; readonly runForEveryRecord?: boolean }
  /**
   * What has expired at a barrier is left out of the checkpoint, and gone after a restore; live state is not touched. A checkpoint
   * writes what changed, so what did not change since an earlier one stays there. Default no.
   */
  readonly cleanupFullSnapshot?: boolean
  /**
   * The storage leaves out, when it merges earlier checkpoints, what had expired at the newest; live state is not touched. It has an
   * effect where the storage's manifest has `leavesOutExpired`. Default no.
   */
  readonly cleanupInCompactFilter?: boolean
}

export type CheckedTtl = Required<Ttl>

export function checkedTtl(ttl: Ttl): CheckedTtl {
  atLeast('ttl.afterMs', ttl.afterMs, 1)
  const { refresh = 'onWrite', expired = 'hidden', time = 'processing', cleanup = 'index' } = ttl
  const { cleanupFullSnapshot = false, cleanupInCompactFilter = false } = ttl
  const known: Record<string, readonly string[]> = {
    refresh: ['onWrite', 'onReadAndWrite'],
    expired: ['hidden', 'untilRemoved'],
    time: ['processing', 'event'],
  }
  if (typeof cleanup === 'object') atLeast('ttl.cleanup.rowsPerAccess', cleanup.rowsPerAccess, 1)
  else known.cleanup = ['index', 'onRead']
  for (const [option, value] of Object.entries({ refresh, expired, time, ...(typeof cleanup === 'object' ? {} : { cleanup }) }))
    if (!known[option]?.includes(value))
      throw new ConfigurationError('OPTION_INVALID', { option: `ttl.${option}`, found: value, expected: known[option] })
  return { afterMs: ttl.afterMs, refresh, expired, time, cleanup, cleanupFullSnapshot, cleanupInCompactFilter }
}
