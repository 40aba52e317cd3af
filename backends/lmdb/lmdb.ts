import { resolve } from 'node:path'
import { either as E } from 'fp-ts'
import { type Clock, systemClock } from '../../lib/clock.js'
import type { JobName } from '../../lib/identity.js'
import { atLeastOneMebibyte, mebibyte, memoryLimits } from '../../lib/paged/memoryLimits.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import type { ValueCompression } from '../../lib/sealing/valueCipher.js'
import { attempt } from './failures.js'
import { LmdbSession } from './lmdbSession.js'
import { lmdbTables } from './lmdbTables.js'
import { RowSealing } from './rowSealing.js'
import { claim, type Registry, sessionsOfProcess } from './sessions.js'

export interface LmdbOptions {
  /** About how much memory rows may take that are as they are in the store: those used last. 1 MiB or more; 64 MiB unless told. */
  readonly cacheBytesMax?: number
  /**
   * About how much memory rows may take that changed since the last barrier: more asks for a checkpoint at once, and twice as much, with
   * what that one has not written yet, lets the sources wait. 1 MiB or more; 32 MiB unless told.
   */
  readonly dirtyBytesMax?: number
  /** A checkpoint fails with `BACKEND_FULL` while the file is larger than this. 1 MiB or more; 1 TiB unless told. */
  readonly fileBytesMax?: number
  /** Seals values, offsets and names with AES-256-GCM; keys stay readable. Not done unless told; what is there has to be sealed, or not, alike. */
  readonly encryption?: SealingKeys
  /** Makes what has 1 KiB or more shorter, before it is sealed; `zstd` needs Node 22.15. `none` unless told. What is there is read either way. */
  readonly compression?: ValueCompression
  /** Where reading a whole checkpoint lets others have their turn; the machine's unless told. */
  readonly clock?: Clock
}

/** Live rows and checkpoints in one store: give a job both. */
export interface LmdbBackend {
  readonly state: StateBackend
  readonly storage: CheckpointStorage
}

/**
 * Keeps state in an embedded store on the local disk, more than memory holds.
 *
 * Each job has a file of its own below `path`. Rows that were used last are in memory, rows that changed stay there until the next
 * checkpoint, and all others are read when they are asked for. A checkpoint is one transaction of the rows that changed, the offsets and
 * the manifest: so the store is the newest complete checkpoint, always, and a start copies nothing.
 *
 * With `encryption` values, offsets and names are sealed, and opened while a record waits; keys stay readable. With `compression` long values
 * are shorter.
 *
 * **When to use** for state that outgrows memory, or that is too large to be read at each start. Needs the package `lmdb`.
 * **State** in memory remain rows for which something is due at a time: timers, windows, and a time to live that cleans up by its index.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · fencing · read-your-writes · capture-isolation
 *
 * The store keeps one checkpoint, the newest; a copy of it is a savepoint. A file system that several machines share is no place for it.
 *
 * @param path - made, for this user only, when the first run takes over
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range; `STATE_STORED_ELSEWHERE`, when a job starts with its rows
 *   in one store and its checkpoints in another
 * @example A job whose state need not fit into memory
 * ```ts
 * const { state, storage } = lmdb('./state', { cacheBytesMax: 256 * 1024 * 1024 })
 * state.manifest.largerThanMemory // => true
 * storage.manifest.durable // => true
 * ```
 * @category backends
 * @since 0.2.0
 */
export const lmdb = (path: string, options: LmdbOptions = {}): LmdbBackend => lmdbIn(sessionsOfProcess(), path, options)

/** Sessions that do not know of each other behave as those of several processes. */
export function lmdbIn(sessions: Registry, path: string, options: LmdbOptions = {}): LmdbBackend {
  const { clock = systemClock } = options
  const limits = memoryLimits(options)
  const fileBytesMax = atLeastOneMebibyte('fileBytesMax', options.fileBytesMax ?? mebibyte * mebibyte)
  const sealing = new RowSealing(options)
  const fileOf = (job: JobName): string => `${resolve(path)}/${job}/store.mdb`
  return {
    state: {
      manifest: { name: 'lmdb', largerThanMemory: true },
      open: (job, run) => async () => E.right(lmdbTables({ file: fileOf(job), ...limits }, run)),
    },
    storage: {
      manifest: { name: 'lmdb', durable: true, incremental: true, fencesProcesses: true, discards: true, concurrentWriters: true },
      open: (job, { readOnly = false } = {}) =>
        attempt(fileOf(job), async () => {
          const file = fileOf(job)
          const closing = readOnly ? () => {} : await claim(sessions, file)
          return new LmdbSession({ job, file, fileBytesMax, clock, sealing, readOnly, closing })
        }),
    },
  }
}
