import { type Clock, systemClock } from '../../lib/clock.js'
import { ConfigurationError } from '../../lib/errors.js'
import { attempt } from '../../lib/keyValue/attempt.js'
import { KeyValueSession } from '../../lib/keyValue/keyValueSession.js'
import { claim, type OpenSessions, openSessions } from '../../lib/keyValue/openSessions.js'
import { atLeast } from '../../lib/limits.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { platformPrimitives } from '../../lib/sealing/platform.js'
import { sealedSession } from '../../lib/sealing/sealedSession.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { ValueCipher } from '../../lib/sealing/valueCipher.js'
import { type BrowserParts, browserParts } from './browserParts.js'
import { DatabaseStore } from './databaseStore.js'
import { lockedBy } from './tabLock.js'

export interface IndexeddbOptions {
  /** What the databases are called, each with the name of its job behind it. Default `rxweir`. */
  readonly name?: string
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** Seals values, keys, offsets and the journal with AES-256-GCM. Not done unless told; what is there has to be sealed, or not, alike. */
  readonly encryption?: SealingKeys
  /** Makes what has 1 KiB or more shorter, before it is sealed. `none` unless told. What is there is read either way. */
  readonly compression?: 'none' | 'zlib'
  /** A run that finds another tab at work waits so long for it to go, as one that is being reloaded does. Default 1,000. */
  readonly otherTabMs?: number
  /** What the browser has; that of the page or worker unless told. */
  readonly browser?: BrowserParts
  /** Where waiting and turns come from; the machine's unless told. */
  readonly clock?: Clock
}

/**
 * Keeps checkpoints and a journal in the browser.
 *
 * They survive a reload, a crash of the tab and one of the browser. A checkpoint writes the rows that changed, in one transaction that is on
 * the disk when it is complete. Of several tabs one runs a job: the others are refused with `BACKEND_IN_USE` and may try again.
 *
 * With `encryption` values are sealed by `crypto.subtle`, and a keyed digest stands for each key; with `compression` long ones are shorter.
 *
 * **When to use** for state in a page or a worker. A browser that is short of room may remove what a site has stored, unless the site asked
 * it not to: `navigator.storage.persist()`.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · monotone-completion · fencing
 *
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range, and where there is no IndexedDB, or none of
 *   `crypto.subtle` to seal with
 * @throws BackendError `BACKEND_IN_USE` when a run opens while another tab has one; `BACKEND_FULL` when the browser grants no more room;
 *   `BACKEND_IO` that ends the run when the database is deleted under it
 * @example In a test, without a browser
 * ```ts
 * import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
 * import { indexeddb } from 'rxweir/backends/indexeddb'
 *
 * const storage = indexeddb({ browser: { indexedDB: new IDBFactory(), IDBKeyRange } })
 * storage.manifest.durable // => true
 * ```
 * @category backends
 * @since 0.2.0
 */
export const indexeddb = (options: IndexeddbOptions = {}): CheckpointStorage => indexeddbIn(openSessions(), options)

/** Sessions that do not know of each other behave as those of several tabs. */
export function indexeddbIn(sessions: OpenSessions, options: IndexeddbOptions): CheckpointStorage {
  const { name = 'rxweir', retainedCheckpoints = 2, otherTabMs = 1_000, clock = systemClock } = options
  if (!Number.isInteger(retainedCheckpoints) || retainedCheckpoints < 1 || retainedCheckpoints > 1_000)
    throw new ConfigurationError('OPTION_INVALID', { option: 'retainedCheckpoints', found: retainedCheckpoints, least: 1, most: 1_000 })
  atLeast('otherTabMs', otherTabMs, 0)
  const browser = browserParts(options.browser)
  const cipher = new ValueCipher(options, [portableZlib], platformPrimitives)
  return {
    manifest: { name: 'indexeddb', durable: true, incremental: true, fencesProcesses: true, journals: true, discards: true, concurrentWriters: true },
    open: (job, { readOnly = false } = {}) =>
      attempt(async () => {
        const database = `${name}/${job}`
        const open = (closing: (quiet: Promise<void>) => void) => {
          const session = new KeyValueSession(new DatabaseStore(browser, database), { job, retainedCheckpoints, clock, readOnly, closing })
          return sealedSession(session, { job, cipher, tellsWriters: false, breathe: () => clock.yield() })
        }
        if (readOnly) return open(() => undefined)
        const left = await claim(sessions, browser.indexedDB, database)
        try {
          const unlock = await lockedBy(browser.locks, database, otherTabMs, clock)
          return open((quiet) => left(quiet.then(unlock)))
        } catch (error) {
          left(Promise.resolve())
          throw error
        }
      }),
  }
}
