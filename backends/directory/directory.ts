import { resolve } from 'node:path'
import { type Clock, systemClock } from '../../lib/clock.js'
import { ConfigurationError } from '../../lib/errors.js'
import type { CheckpointStorage } from '../../lib/ports/checkpointStorage.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import { DirectorySession } from './directorySession.js'
import { attempt } from './failures.js'
import { Folder, randomToken, type Token } from './folder.js'
import { nodeFiles } from './nodeFiles.js'
import { checkOwnership, resolvedPath } from './ownership.js'
import type { Compression } from './sealing/compression.js'
import type { EncryptionOptions } from './sealing/encryptionOptions.js'
import { FileProtection, protectionSettings } from './sealing/fileProtection.js'
import { claimFolder } from './sessions.js'

export const compactionKeysUsual = 500_000

export interface DirectoryOptions {
  /** How many of the newest complete checkpoints stay restorable: 1 to 1,000; 2 unless told. */
  readonly retainedCheckpoints?: number
  /** Segments are merged when a checkpoint is built of more than this many: 2 to 10,000; 8 unless told. */
  readonly compactAfterSegments?: number
  /** Keys that a merge holds in memory at a time; 500,000 unless told. */
  readonly compactionKeysMax?: number
  /** Seals every file of checkpoints and journals with AES-256-GCM. Not done unless told. */
  readonly encryption?: EncryptionOptions
  /** Makes new files shorter, before they are sealed; `zstd` needs Node 22.15. `none` unless told. What is there is read either way. */
  readonly compression?: Compression
  /** The file system; the machine's unless told. */
  readonly files?: FileLayer
  /** Where merges let others run; the machine's unless told. */
  readonly clock?: Clock
  /** 8 hex digits of chance for file names; drawn by the machine unless told. */
  readonly token?: Token
}

/**
 * Keeps checkpoints in a directory of the local file system.
 *
 * Each job has a folder of its own below `path`. A checkpoint writes what changed, and is complete when its manifest has its
 * name, after every byte and every name before it was synced. A second process that takes over fences the first.
 *
 * **When to use** for every job of one machine whose state should survive a crash and a power cut.
 * **Laws** read-your-snapshot · snapshot-isolation · crash-atomicity · monotone-completion · fencing
 *
 * With `encryption` everything that it stores is sealed, and opens nowhere else; with `compression` it is shorter.
 *
 * On Windows directories can not be synced: there a power cut may take the newest checkpoint back to the one before it.
 *
 * @param path - made, for this user only, when the first run takes over
 * @throws ConfigurationError `OPTION_INVALID` for an option outside its range
 * @category backends
 * @since 0.1.0
 */
export function directory(path: string, options: DirectoryOptions = {}): CheckpointStorage {
  const retainedCheckpoints = inRange('retainedCheckpoints', options.retainedCheckpoints ?? 2, 1, 1_000)
  const compactAfterSegments = inRange('compactAfterSegments', options.compactAfterSegments ?? 8, 2, 10_000)
  const compactionKeysMax = inRange('compactionKeysMax', options.compactionKeysMax ?? compactionKeysUsual, 1, 16_000_000)
  const protection = protectionSettings(options)
  const { files = nodeFiles, clock = systemClock, token = randomToken } = options
  const real = files === nodeFiles
  return {
    manifest: {
      name: 'directory',
      durable: true,
      incremental: true,
      fencesProcesses: true,
      leavesOutExpired: true,
      journals: true,
      discards: true,
      concurrentWriters: true,
    },
    open: (job, { readOnly = false } = {}) =>
      attempt({ path }, async () => {
        const root = real ? await resolvedPath(resolve(path)) : path
        const folder = `${root}/${job}`
        const check = async (): Promise<void> => {
          if (!real) return
          await checkOwnership(root)
          await checkOwnership(folder)
        }
        await check()
        const claim = readOnly ? undefined : await claimFolder(folder, real ? undefined : files)
        const prepare = async (): Promise<void> => {
          await files.makeDirectory(folder)
          await check()
        }
        return new DirectorySession(
          new Folder(files, folder, token, new FileProtection(job, protection)),
          { job, clock, retainedCheckpoints, compactAfterSegments, compactionKeysMax, prepare },
          claim,
        )
      }),
  }
}

function inRange(option: string, found: number, least: number, most: number): number {
  if (!Number.isInteger(found) || found < least || found > most) throw new ConfigurationError('OPTION_INVALID', { option, found, least, most })
  return found
}
