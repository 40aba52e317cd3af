import { taskEither as TE } from 'fp-ts'
import { SinkError } from '../../../lib/errors.js'
import type { SinkContext, SinkWriter, TransactionalSink } from '../../../lib/ports/transactionalSink.js'
import { sinkFailure } from '../jsonLinesErrors.js'
import { ownDirectory, ownerName } from '../ownDirectory.js'
import { layout, parsedMark, parsedStaged, stagingFolder } from './fileNames.js'
import { type FileSinkOptions, type FileSinkSettings, fileSinkSettings } from './fileSinkSettings.js'
import { FileSinkWriter } from './fileSinkWriter.js'

/**
 * Writes records into files that roll, in buckets, exactly once.
 *
 * Each bucket is a folder below `path`. Its parts, `part-<epoch>-<number>`, appear there when they are finished, whole and at once, and
 * are never changed; the order of their names is the order of the records. What is not finished stands in the folder `.parts`, which
 * also remembers what was committed: leave it alone.
 *
 * A part ends by size, by age, when nothing was written to it for a while, or with every checkpoint; it becomes visible with the
 * checkpoint behind its end. A part that goes on is in each checkpoint with its length, and a restore takes up what it had there. At
 * the end of all input, and when a job is stopped with `drain`, every part ends; when it is stopped without, they wait for the next run.
 *
 * When writing fails, the checkpoint fails and the records go out with the next one. Where they are no longer all in memory,
 * because of `bufferBytesMax`, the run ends instead (`details.fatal`), and a restart replays them.
 *
 * **When to use** to write few large files where results may be late; `jsonLinesSink` writes one file a checkpoint.
 * **Laws** with `rolling: { onCheckpoint: true }` commit-idempotent · uncommitted-invisible · abort-leaves-no-trace ·
 * commit-survives-reopen · sink-remembers
 *
 * @throws ConfigurationError `OPTION_INVALID`
 * @throws SinkError `BUCKET_INVALID` for a bucket that is no path below the directory; `SINK_SHARED` when the directory belongs to another
 * job, uid or kind of sink, `SINK_FENCED` when a newer run has it, `TRANSACTION_LOST` or `TRANSACTION_DAMAGED` when a file that a
 * checkpoint names is gone or not what was written
 * @example A folder an hour, by event time
 * ```ts
 * const hourly = fileSink('measurements', {
 *   bucket: dateBucket({ pattern: 'yyyy-MM-dd/HH', time: 'event' }),
 *   rolling: { sizeMax: 64 * 1024 * 1024, ageMs: 10 * 60_000 },
 *   encode: encodeCsv((m: { device: string; celsius: number }) => [m.device, m.celsius]),
 *   header: 'device,celsius\n',
 *   suffix: '.csv',
 * })
 * hourly.commits // => 'transactional'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function fileSink<T = unknown>(path: string, options: FileSinkOptions<T> = {}): TransactionalSink<T> {
  const settings = fileSinkSettings(path, options)
  return {
    commits: 'transactional',
    open: (context) =>
      TE.tryCatch(
        () => opened(settings, context),
        (cause) => sinkFailure(path, context.uid, cause),
      ),
  }
}

async function opened<T>(settings: FileSinkSettings<T>, context: SinkContext): Promise<SinkWriter<T>> {
  const { files, path } = settings
  await files.makeDirectory(path)
  await ownDirectory(files, path, ownerName(context.job, context.uid, layout), (name) => name === stagingFolder)
  const folder = `${path}/${stagingFolder}`
  await files.makeDirectory(folder)
  const names = await files.list(folder)
  const newest = names.reduce((epoch, name) => Math.max(epoch, parsedStaged(name)?.file.epoch ?? parsedMark(name)?.epoch ?? 0), 0)
  if (newest > context.epoch) throw new SinkError('SINK_FENCED', { path, uid: context.uid, epoch: context.epoch, found: newest })
  // What this run sees it builds on: names that an earlier run could not sync must not come undone later.
  await files.syncDirectory(folder)
  return new FileSinkWriter(settings, context)
}
