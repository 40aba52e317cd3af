import { taskEither as TE } from 'fp-ts'
import { SinkError } from '../../lib/errors.js'
import { atLeast } from '../../lib/limits.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import type { SinkContext, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { systemCodeOf } from './failures.js'
import { sinkFailure } from './jsonLinesErrors.js'
import { JsonLinesWriter, type PartWriting } from './jsonLinesWriter.js'
import { nodeFiles } from './nodeFiles.js'
import { isOwnerName, ownerName, partFile } from './partFiles.js'

export interface JsonLinesSinkOptions<T> {
  /** What is written of a value: `JSON.stringify` of what this returns. Default: the value. */
  readonly encode?: (value: T) => unknown
  /**
   * A transaction of up to so many bytes stays in memory until it is durable; the run pauses while more than that waits to be
   * written. Default 8 MiB.
   */
  readonly bufferBytesMax?: number
  /** The file system. Default: that of the machine. */
  readonly files?: FileLayer
}

/**
 * Writes records as lines of JSON, exactly once.
 *
 * `path` is a directory. Each checkpoint adds one file, `part-<epoch>-<checkpoint>.jsonl`; the order of the names is the order of
 * the records. A reader of `part-*.jsonl` sees whole committed transactions only, each at once. What is under way has a name that
 * begins with a dot. The newest parts are the sink's memory of what it has
 * committed, and a restart may look for the newest two: remove older ones only.
 *
 * Lines are what `JSON.stringify` makes, for others to read: `NaN` becomes `null`, a `Map` becomes `{}`. Give an `encode` where
 * that is not enough.
 *
 * When writing fails, the checkpoint fails and the records go out with the next one. Where they are no longer all in memory,
 * because the transaction was larger than `bufferBytesMax`, the run ends instead (`details.fatal`), and a restart replays them.
 *
 * **Laws** commit-idempotent · uncommitted-invisible · abort-leaves-no-trace · commit-survives-reopen · sink-remembers
 *
 * @throws SinkError `SINK_SHARED` when the directory belongs to another job or uid, `SINK_FENCED` when a newer run has it,
 * `TRANSACTION_LOST` or `TRANSACTION_DAMAGED` when a decided transaction is gone or not what was written
 * @category sources and sinks
 * @since 0.1.0
 */
export function jsonLinesSink<T = unknown>(path: string, options: JsonLinesSinkOptions<T> = {}): TransactionalSink<T> {
  const { files = nodeFiles, encode = (value) => value, bufferBytesMax = 8 * 1024 * 1024 } = options
  atLeast('bufferBytesMax', bufferBytesMax, 1)
  return {
    commits: 'transactional',
    open: (context) =>
      TE.tryCatch(
        () => opened({ path, files, encode, bufferBytesMax }, context),
        (cause) => sinkFailure(path, context.uid, cause),
      ),
  }
}

async function opened<T>(writing: PartWriting<T>, context: SinkContext): Promise<SinkWriter<T>> {
  const { files, path } = writing
  await files.makeDirectory(path)
  const names = await owned(files, path, ownerName(context.job, context.uid))
  const newest = names.reduce((epoch, name) => Math.max(epoch, partFile(name)?.epoch ?? 0), 0)
  if (newest > context.epoch) throw new SinkError('SINK_FENCED', { path, uid: context.uid, epoch: context.epoch, found: newest })
  // What this run sees it builds on: a rename that an earlier run could not sync must not come undone later.
  await files.syncDirectory(path)
  return new JsonLinesWriter(writing, context)
}

/** Takes the directory for the owner named, durably, before anything else is written there. Answers the names in it. */
async function owned(files: FileLayer, path: string, owner: string): Promise<readonly string[]> {
  const refuseOthers = (names: readonly string[]): readonly string[] => {
    const other = names.find((name) => isOwnerName(name) && name !== owner)
    if (other !== undefined) throw new SinkError('SINK_SHARED', { path, found: other, expected: owner })
    return names
  }
  const names = refuseOthers(await files.list(path))
  if (names.includes(owner)) return names
  // The owner's name is durable before the first part, so parts without one were put here by somebody else.
  const stray = names.find((name) => partFile(name) !== undefined)
  if (stray !== undefined) throw new SinkError('SINK_SHARED', { path, found: stray, expected: owner, reason: 'there are parts but no owner' })
  try {
    await (await files.create(`${path}/${owner}`)).close()
  } catch (cause) {
    if (systemCodeOf(cause) !== 'EEXIST') throw cause
    // Another run of ours was faster, or the file system takes another owner's name for the same: the list tells.
    if (!refuseOthers(await files.list(path)).includes(owner)) throw cause
  }
  try {
    const now = refuseOthers(await files.list(path))
    await files.syncDirectory(path)
    return now
  } catch (cause) {
    // Two owners came at once: both step back, so that the next one to try is alone. Or the sync failed: no later one would make
    // this name durable, so it must not be found by the next run either.
    await files.unlink(`${path}/${owner}`)
    throw cause
  }
}
