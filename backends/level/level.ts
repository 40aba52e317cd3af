import type { AbstractLevel } from 'abstract-level'
import { type Clock, systemClock } from '../../lib/clock.js'
import { ConfigurationError } from '../../lib/errors.js'
import { attempt } from '../../lib/keyValue/attempt.js'
import { KeyValueSession } from '../../lib/keyValue/keyValueSession.js'
import { claim, type OpenSessions, openSessions } from '../../lib/keyValue/openSessions.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { webPrimitives } from '../../lib/sealing/primitives.js'
import { sealedSession } from '../../lib/sealing/sealedSession.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { ValueCipher } from '../../lib/sealing/valueCipher.js'
import { LevelStore } from './levelStore.js'

export interface LevelOptions {
  /** The part of the database that is ours: each job has one of its own below it. Default `rxweir`. */
  readonly sublevel?: string
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** Seals values, keys, offsets and the journal with AES-256-GCM. Not done unless told; what is there has to be sealed, or not, alike. */
  readonly encryption?: SealingKeys
  /** Makes what has 1 KiB or more shorter, before it is sealed. `none` unless told. What is there is read either way. */
  readonly compression?: 'none' | 'zlib'
  /** Where much work lets others have their turn; the machine's unless told. */
  readonly clock?: Clock
}

/**
 * Keeps checkpoints and a journal in a database of `abstract-level`, such as `classic-level` or `browser-level`.
 *
 * A checkpoint writes the rows that changed and what they replace, in one batch that the database syncs. The database may have other
 * things in it, and several jobs. It is yours: open until the job has ended, and closed by you.
 *
 * **When to use** where a program has such a database anyway, or wants one. Whether checkpoints survive the process is the database's matter:
 * those of `memory-level` do not.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · monotone-completion
 *
 * A database is for one process, which most of them see to. Where two have one, as two tabs with `browser-level`, nobody is fenced:
 * there, use `indexeddb`.
 *
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range, and for a database whose keys are not bytes
 * @example Checkpoints beside other things
 * ```ts
 * import { MemoryLevel } from 'memory-level'
 * import { level } from 'rxweir/backends/level'
 *
 * const database = new MemoryLevel()
 * const storage = level(database, { sublevel: 'state' })
 * storage.manifest.durable // => false
 * ```
 * @category backends
 * @since 0.2.0
 */
export const level = <Format, K, V>(database: AbstractLevel<Format, K, V>, options: LevelOptions = {}): CheckpointStorage =>
  levelIn(openSessions(), database, options)

/** Sessions that do not know of each other. */
export function levelIn<Format, K, V>(sessions: OpenSessions, database: AbstractLevel<Format, K, V>, options: LevelOptions): CheckpointStorage {
  const { sublevel = 'rxweir', retainedCheckpoints = 2, clock = systemClock } = options
  if (!Number.isInteger(retainedCheckpoints) || retainedCheckpoints < 1 || retainedCheckpoints > 1_000)
    throw new ConfigurationError('OPTION_INVALID', { option: 'retainedCheckpoints', found: retainedCheckpoints, least: 1, most: 1_000 })
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(sublevel))
    throw new ConfigurationError('OPTION_INVALID', { option: 'sublevel', found: sublevel, expected: '1 to 100 of A-Z, a-z, 0-9, ".", "_" and "-"' })
  const { encodings, permanence } = database.supports
  if (encodings?.['view'] !== true && encodings?.['buffer'] !== true)
    throw new ConfigurationError('OPTION_INVALID', { option: 'database', reason: 'its keys and values are not bytes' })
  const cipher = new ValueCipher(options, [portableZlib], webPrimitives)
  return {
    manifest: { name: 'level', durable: permanence === true, incremental: true, fencesProcesses: false, journals: true, discards: true },
    open: (job, { readOnly = false } = {}) =>
      attempt(async () => {
        const closing = readOnly ? () => undefined : await claim(sessions, database, `${sublevel}/${job}`)
        const store = new LevelStore(database, [sublevel, job])
        return sealedSession(new KeyValueSession(store, { job, retainedCheckpoints, clock, readOnly, closing }), { job, cipher, tellsWriters: false })
      }),
  }
}
