import { taskEither as TE } from 'fp-ts'
import { SinkError } from '../../lib/errors.js'
import { atLeast } from '../../lib/limits.js'
import type { FileLayer } from '../../lib/ports/fileLayer.js'
import type { SinkContext, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { sinkFailure } from './jsonLinesErrors.js'
import { JsonLinesWriter, type PartWriting } from './jsonLinesWriter.js'
import { nodeFiles } from './nodeFiles.js'
import { ownDirectory, ownerName } from './ownDirectory.js'
import { partFile } from './partFiles.js'

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
  const names = await ownDirectory(files, path, ownerName(context.job, context.uid), (name) => partFile(name) !== undefined)
  const newest = names.reduce((epoch, name) => Math.max(epoch, partFile(name)?.epoch ?? 0), 0)
  if (newest > context.epoch) throw new SinkError('SINK_FENCED', { path, uid: context.uid, epoch: context.epoch, found: newest })
  // What this run sees it builds on: a rename that an earlier run could not sync must not come undone later.
  await files.syncDirectory(path)
  return new JsonLinesWriter(writing, context)
}
