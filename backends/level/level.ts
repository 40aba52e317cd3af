import type { AbstractLevel } from 'abstract-level'
import { type Clock, systemClock } from '../../lib/clock.js'
import { ConfigurationError } from '../../lib/errors.js'
import { attempt } from '../../lib/keyValue/attempt.js'
import { LiveSession } from '../../lib/keyValue/liveSession.js'
import { claim, type OpenSessions, openSessions } from '../../lib/keyValue/openSessions.js'
import { memoryLimits } from '../../lib/paged/memoryLimits.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { StateBackend } from '../../lib/ports/stateBackend.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { platformPrimitives } from '../../lib/sealing/platform.js'
import { sealedSession } from '../../lib/sealing/sealedSession.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { ValueCipher } from '../../lib/sealing/valueCipher.js'
import { LevelStore } from './levelStore.js'
import { LiveTables } from './liveTables.js'

export interface LevelOptions {
  /** The part of the database that is ours: each job has one of its own below it. Default `rxweir`. */
  readonly sublevel?: string
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** Seals values, keys, offsets and the journal with AES-256-GCM. Not done unless told; what is there has to be sealed, or not, alike. */
  readonly encryption?: SealingKeys
  /** Makes what has 1 KiB or more shorter, before it is sealed. `none` unless told. What is there is read either way. */
  readonly compression?: 'none' | 'zlib'
  /** Of live rows: about how much memory may take what is as it is in the database, and was used last. 1 MiB or more; 64 MiB unless told. */
  readonly cacheBytesMax?: number
  /**
   * Of live rows: about how much memory may take what changed since the last barrier. More asks for a checkpoint at once, and twice as much, with
   * what that one has not written yet, lets the sources wait. 1 MiB or more; 32 MiB unless told.
   */
  readonly dirtyBytesMax?: number
  /** Where much work lets others have their turn; the machine's unless told. */
  readonly clock?: Clock
}

/** A storage of checkpoints and a journal, which keeps live rows, too, where its database can be read at once: give a job `{ ...level(database) }`. */
export interface LevelBackend extends CheckpointStorage {
  /** Throws a `ConfigurationError` `STATE_NOT_SYNCHRONOUS` for a database that cannot keep live rows. */
  readonly state: StateBackend
  readonly storage: CheckpointStorage
}

/**
 * Keeps checkpoints and a journal, and live rows, in a database of `abstract-level`.
 *
 * A checkpoint writes the rows that changed and what they replace, in one batch that the database syncs. The database may have other
 * things in it, and several jobs. It is yours: open until the job has ended, and closed by you.
 *
 * With `encryption` values are sealed, and a keyed digest stands for each key; with `compression` long ones are shorter. Live rows cannot be.
 *
 * **When to use** where a program has such a database anyway, or wants one: `storage: level(database)`. Whether checkpoints survive the process is
 * the database's matter: those of `memory-level` do not.
 * **State** with `{ ...level(database) }` live rows stay in the database, too, more than memory holds, and a start copies nothing. That takes
 * synchronous reads: `classic-level` and `memory-level` have them (`supports.getSync`), `browser-level` has not. Any other database of
 * abstract-level 3 that says so does without a change here: one over RocksDB, say, of which no package was found to say so yet.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · monotone-completion · read-your-writes · capture-isolation
 *
 * A database is for one process, which most of them see to. Where two have one, as two tabs with `browser-level`, nobody is fenced:
 * there, use `indexeddb`.
 *
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range, and for a database whose keys are not bytes; `STATE_NOT_SYNCHRONOUS` when
 *   live rows are asked for that the database cannot keep; `STATE_STORED_ELSEWHERE`, when a job starts with its rows and its checkpoints of two calls
 * @example Checkpoints beside other things
 * ```ts
 * import { MemoryLevel } from 'memory-level'
 * import { level } from 'rxweir/backends/level'
 *
 * const database = new MemoryLevel()
 * const storage = level(database, { sublevel: 'state' })
 * storage.manifest.durable // => false
 * const both = { ...level(database) }
 * both.state.manifest.largerThanMemory // => true
 * ```
 * @category backends
 * @since 0.2.0
 */
export const level = <Format, K, V>(database: AbstractLevel<Format, K, V>, options: LevelOptions = {}): LevelBackend =>
  levelIn(openSessions(), database, options)

/** Sessions that do not know of each other. */
export function levelIn<Format, K, V>(sessions: OpenSessions, database: AbstractLevel<Format, K, V>, options: LevelOptions): LevelBackend {
  const { sublevel = 'rxweir', retainedCheckpoints = 2, clock = systemClock } = options
  if (!Number.isInteger(retainedCheckpoints) || retainedCheckpoints < 1 || retainedCheckpoints > 1_000)
    throw new ConfigurationError('OPTION_INVALID', { option: 'retainedCheckpoints', found: retainedCheckpoints, least: 1, most: 1_000 })
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(sublevel))
    throw new ConfigurationError('OPTION_INVALID', { option: 'sublevel', found: sublevel, expected: '1 to 100 of A-Z, a-z, 0-9, ".", "_" and "-"' })
  const { encodings, permanence } = database.supports
  if (encodings?.['view'] !== true && encodings?.['buffer'] !== true)
    throw new ConfigurationError('OPTION_INVALID', { option: 'database', reason: 'its keys and values are not bytes' })
  const cipher = new ValueCipher(options, [portableZlib], platformPrimitives)
  const live = new LiveTables({ sublevel, ...memoryLimits(options) })
  const storage: CheckpointStorage = {
    manifest: {
      name: 'level',
      durable: permanence === true,
      incremental: true,
      fencesProcesses: false,
      journals: true,
      discards: true,
      concurrentWriters: true,
    },
    open: (job, { readOnly = false } = {}) =>
      attempt(async () => {
        const closing = readOnly ? () => undefined : await claim(sessions, database, `${sublevel}/${job}`)
        const store = new LevelStore(database, [sublevel, job])
        const isIndexed = readOnly ? () => false : live.tablesOf(job)
        const session = new LiveSession(store, store.look, { job, retainedCheckpoints, clock, readOnly, closing, isIndexed })
        return live.opened(sealedSession(session, { job, cipher, tellsWriters: false, breathe: () => clock.yield() }), session)
      }),
  }
  const backend = {
    get state(): StateBackend {
      if ((database.supports as { readonly getSync?: boolean }).getSync !== true)
        throw new ConfigurationError('STATE_NOT_SYNCHRONOUS', { sublevel, reason: 'the database does not support getSync' })
      if (cipher.seals || cipher.packs)
        throw new ConfigurationError('STATE_NOT_SYNCHRONOUS', { sublevel, reason: 'rows that are sealed or compressed are not opened at once' })
      return live.state
    },
    storage,
  }
  // It is the storage itself, too; what a job is given by `{ ...level(database) }` is state and storage, and nothing else.
  return Object.defineProperties(backend, { manifest: { value: storage.manifest }, open: { value: storage.open } }) as LevelBackend
}
