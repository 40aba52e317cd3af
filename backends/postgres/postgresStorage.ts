import { type Clock, systemClock } from '../../lib/clock.js'
import { BackendError, ConfigurationError } from '../../lib/errors.js'
import type { JobName } from '../../lib/identity.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import { portableZlib } from '../../lib/sealing/packing.js'
import { platformPrimitives } from '../../lib/sealing/platform.js'
import { sealedSession } from '../../lib/sealing/sealedSession.js'
import type { SealingKeys } from '../../lib/sealing/sealingKeys.js'
import { ValueCipher, type ValueCompression } from '../../lib/sealing/valueCipher.js'
import { type ConnectionOptions, connectingOf } from './connection.js'
import { attempt } from './failures.js'
import { PostgresSession } from './postgresSession.js'
import { tablesIn } from './tables.js'
import { zstd } from './zstd.js'

export interface PostgresStorageOptions extends ConnectionOptions {
  /** The schema of our tables, for nothing else. Default `rxweir`. */
  readonly schema?: string
  /** Makes the tables where they are missing; otherwise somebody runs what `postgresTables()` returns. Default true. */
  readonly createTables?: boolean
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** Seals values, keys and what stands beside them with AES-256-GCM. Not done unless told; what is there has to be sealed, or not, alike. */
  readonly encryption?: SealingKeys
  /** Makes what has 1 KiB or more shorter, before it is sealed; `zstd` needs Node 22.15. `none` unless told. What is there is read either way. */
  readonly compression?: ValueCompression
  /** Where pauses between attempts come from; the machine's unless told. */
  readonly clock?: Clock
}

/** Checkpoints in a database. A `postgresSink` that is given it writes in the same transactions. */
export interface PostgresStorage extends CheckpointStorage {
  readonly schema: string
}

/** What is open of one job. */
interface Opened {
  readonly session: PostgresSession
  quiet: Promise<void> | undefined
}

const openedBy = new WeakMap<CheckpointStorage, Map<JobName, Opened>>()

/** The run that has a job open, for sinks that write along. */
export const sessionOf = (storage: CheckpointStorage, job: JobName): PostgresSession | undefined => {
  const opened = openedBy.get(storage)?.get(job)
  return opened?.quiet === undefined ? opened?.session : undefined
}

/**
 * Keeps checkpoints in a Postgres database.
 *
 * A checkpoint writes the rows that changed, and is complete when its one transaction is committed. A second process that takes over
 * fences the first. A connection that ends is made anew; where it ended behind a COMMIT, the outcome is read, never guessed.
 *
 * With `encryption` values are sealed, and a keyed digest stands for each key, before they leave the process; with `compression` long ones
 * are shorter. Names of jobs, operators and tables stay readable.
 *
 * Needs Postgres 13 or later, and the package `pg`, which you install. Connections are made when a run opens, two of them at a time.
 *
 * **When to use** where state should survive the machine, or be in one transaction with the results: see `postgresSink`.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · monotone-completion · fencing
 *
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range; `PACKAGE_MISSING` when a run opens without `pg`
 * @throws BackendError `BACKEND_REFUSED` when a run opens and there is no such database, role, right or table
 * @example Naming a database
 * ```ts
 * const storage = postgresStorage({ connection: 'postgres://worker@db.example.org/shop' })
 * storage.manifest.fencesProcesses // => true
 * ```
 * @category backends
 * @since 0.2.0
 */
export function postgresStorage(options: PostgresStorageOptions): PostgresStorage {
  const { schema = 'rxweir', createTables = true, retainedCheckpoints = 2, clock = systemClock } = options
  if (!Number.isInteger(retainedCheckpoints) || retainedCheckpoints < 1 || retainedCheckpoints > 1_000)
    throw new ConfigurationError('OPTION_INVALID', { option: 'retainedCheckpoints', found: retainedCheckpoints, least: 1, most: 1_000 })
  const tables = tablesIn(schema)
  const cipher = new ValueCipher(options, [portableZlib, zstd], platformPrimitives)
  const opened = new Map<JobName, Opened>()
  const storage: PostgresStorage = {
    schema,
    manifest: { name: 'postgres', durable: true, incremental: true, fencesProcesses: true, discards: true, concurrentWriters: true },
    open: (job, { readOnly = false } = {}) =>
      attempt({ job }, async () => {
        const connecting = connectingOf(options, `rxweir ${job}`)
        const settings = { job, tables, connecting, clock, retainedCheckpoints, createTables, readOnly, tellsWriters: cipher.seals }
        const sealing = (session: PostgresSession) => sealedSession(session, { job, cipher, tellsWriters: true, breathe: () => clock.yield() })
        if (readOnly) return sealing(new PostgresSession(settings, () => undefined))
        for (let other = opened.get(job); other !== undefined; other = opened.get(job)) {
          if (other.quiet === undefined) throw new BackendError('BACKEND_IN_USE', { job, schema })
          await other.quiet
        }
        const session = new PostgresSession(settings, (quiet) => {
          own.quiet = quiet.then(() => {
            opened.delete(job)
          })
        })
        const own: Opened = { session, quiet: undefined }
        opened.set(job, own)
        return sealing(session)
      }),
  }
  connectingOf(options, '')
  openedBy.set(storage, opened)
  return storage
}
