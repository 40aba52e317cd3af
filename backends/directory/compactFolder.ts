/**
 * Merges all segments of the newest checkpoint of a job into one, while no run holds the folder.
 *
 * **Invariants** What the checkpoint holds is the same before and behind it, at every moment: the merged segment is durable before the one
 * step that names it, a slot that is claimed as a run claims one; only behind it is removed what nobody names any more. The epoch is a
 * new one: should a run hold the folder after all, either its next checkpoint was faster, and nothing is done, or it is fenced and starts
 * again from the same state.
 *
 * **Fault model** That of `Folder` and of segments. Whatever fails leaves the folder as it was, or merged; what is left behind of a merge
 * that failed has the epoch of the next run, which removes it.
 */
import { resolve } from 'node:path'
import { systemClock } from '../../lib/clock.js'
import { BackendError, RestoreError, RxweirError } from '../../lib/errors.js'
import { cleanUp } from './cleanUp.js'
import { compact, type Run, timesRead } from './compaction.js'
import { compactionKeysUsual, type DirectoryOptions } from './directory.js'
import { bestEffort, storageFailure } from './failures.js'
import { Folder, randomToken } from './folder.js'
import type { Manifest, Segment } from './manifestFile.js'
import { segmentFile } from './names.js'
import { nodeFiles } from './nodeFiles.js'
import { checkOwnership, resolvedPath } from './ownership.js'
import { isReleased, noteReleased } from './released.js'
import { FileProtection, protectionSettings } from './sealing/fileProtection.js'
import { SegmentWriter } from './segmentFile.js'
import { claimFolder } from './sessions.js'

export interface CompactFolderOptions extends DirectoryOptions {
  /** The last run is known to have ended, though it has not said so: it crashed. */
  readonly stopped?: boolean | undefined
  /** Checkpoints that are older than the newest are given up, and what only they need is removed. */
  readonly newestOnly?: boolean | undefined
  /** So many bytes will be read. */
  starts?(bytes: number): void
  read?(bytes: number): void
}

export interface CompactedFolder {
  readonly checkpointId: number
  /** The checkpoints that can be restored, and those that no longer can. */
  readonly retained: readonly number[]
  readonly dropped: readonly number[]
  readonly segmentsBefore: number
  readonly segmentsAfter: number
  /** Rows as they are written: before the merge those that were written over, too. */
  readonly rowsBefore: number
  readonly rowsAfter: number
  /** Of all files of the job. */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * @throws BackendError `BACKEND_IN_USE` where a run holds the folder, or has not said that it ended; `BACKEND_FENCED` where one began meanwhile
 * @throws RestoreError `SAVEPOINT_MISSING` where there is no checkpoint
 */
export async function compactFolder(path: string, job: string, options: CompactFolderOptions = {}): Promise<CompactedFolder> {
  const { files = nodeFiles, token = randomToken } = options
  const real = files === nodeFiles
  const root = real ? await resolvedPath(resolve(path)) : path
  const at = `${root}/${job}`
  if (real) for (const each of [root, at]) await checkOwnership(each)
  const claim = await claimFolder(at, real ? undefined : files)
  try {
    return await merged(new Folder(files, at, token, new FileProtection(job, protectionSettings(options))), job, options)
  } catch (error) {
    throw error instanceof RxweirError ? error : storageFailure(error, { folder: at })
  } finally {
    claim.closing(Promise.resolve())
  }
}

async function merged(folder: Folder, job: string, options: CompactFolderOptions): Promise<CompactedFolder> {
  const { seq, manifest } = await folder.top()
  if (manifest !== undefined && manifest.job !== job)
    throw new BackendError('BACKEND_NOT_OWNED', { folder: folder.path, expected: job, found: manifest.job })
  if (manifest === undefined || manifest.checkpoint === null)
    throw new RestoreError('SAVEPOINT_MISSING', { path: folder.path, job, reason: 'no checkpoint is complete' })
  const names = await folder.names()
  if (options.stopped !== true && !isReleased(names, manifest.epoch))
    throw new BackendError('BACKEND_IN_USE', {
      folder: folder.path,
      epoch: manifest.epoch,
      reason: 'its last run goes on, or has crashed: --stopped says that it has ended',
    })
  const { checkpoint } = manifest
  const { segments } = checkpoint
  const older = manifest.retained.filter(({ checkpointId }) => checkpointId < checkpoint.checkpointId)
  const kept = options.newestOnly === true ? [] : older
  const run: Run | undefined = needsMerge(segments, folder.protection.keyId) ? { segments, oldest: true } : undefined
  const bytesBefore = await bytesOf(folder)
  const told = (chain: readonly Segment[], dropped: readonly number[], bytesAfter: number): CompactedFolder => ({
    checkpointId: checkpoint.checkpointId,
    retained: [...older.map(({ checkpointId }) => checkpointId).filter((id) => !dropped.includes(id)), checkpoint.checkpointId],
    dropped,
    segmentsBefore: segments.length,
    segmentsAfter: chain.length,
    rowsBefore: rowsOf(segments),
    rowsAfter: rowsOf(chain),
    bytesBefore,
    bytesAfter,
  })
  if (run === undefined && kept.length === older.length) return told(segments, [], bytesBefore)

  const epoch = manifest.epoch + 1
  const claimed = (chain: readonly Segment[]): Manifest => ({
    ...manifest,
    seq: seq + 1,
    parent: seq,
    epoch,
    checkpoint: { ...checkpoint, segments: [...chain] },
    retained: [...kept, { seq: seq + 1, checkpointId: checkpoint.checkpointId, segments: chain.map(({ file }) => file) }],
  })
  const next = claimed(run === undefined ? segments : [await mergedSegment(folder, run, epoch, checkpoint.checkpointId, options)])
  try {
    await folder.claim(next, () => undefined)
  } catch (error) {
    // Where the slot may have been there, a run may have begun with it: its segment stays.
    const failure = storageFailure(error, { folder: folder.path })
    if (run !== undefined && failure.details['fatal'] !== true) await removed(folder, next)
    throw failure
  }
  await cleanUp(folder, () => next)
  await noteReleased(folder, epoch)
  return told(
    next.checkpoint?.segments ?? [],
    older.filter((each) => !kept.includes(each)).map(({ checkpointId }) => checkpointId),
    await bytesOf(folder),
  )
}

/** Several segments, or one that another key than the current one sealed. */
const needsMerge = (segments: readonly Segment[], keyId: string | undefined): boolean =>
  segments.length > 1 || (keyId !== undefined && segments.some(({ key }) => key !== keyId))

async function mergedSegment(folder: Folder, run: Run, epoch: number, checkpointId: number, options: CompactFolderOptions): Promise<Segment> {
  const { clock = systemClock, compactionKeysMax = compactionKeysUsual } = options
  options.starts?.(timesRead(run, compactionKeysMax) * run.segments.reduce((sum, { bytes }) => sum + bytes, 0))
  const failuresBefore = folder.syncFailures
  const writer = await SegmentWriter.create(folder, segmentFile({ epoch, checkpointId, counter: 1, token: folder.token() }))
  try {
    await compact(run, writer, { folder, clock, compactionKeysMax, goOn: (bytes) => options.read?.(bytes) })
    const segment = await writer.finish()
    await folder.sync()
    folder.requireSynced(failuresBefore)
    return segment
  } catch (error) {
    await writer.discard()
    throw error
  }
}

async function removed({ files, path }: Folder, { checkpoint }: Manifest): Promise<void> {
  for (const { file } of checkpoint?.segments ?? []) await bestEffort(() => files.unlink(`${path}/${file}`))
}

const rowsOf = (segments: readonly Segment[]): number => segments.reduce((sum, { rows }) => sum + rows, 0)

async function bytesOf(folder: Folder): Promise<number> {
  let bytes = 0
  for (const name of await folder.names()) bytes += (await folder.files.identify(`${folder.path}/${name}`))?.bytes ?? 0
  return bytes
}
