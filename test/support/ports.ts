import { either, option, type taskEither } from 'fp-ts'
import { onTestFinished } from 'vitest'
import type { RxweirError } from '../../lib/errors.js'
import { epoch, jobName, operatorUid } from '../../lib/identity.js'
import type { ReplayableSource, SourceContext, SourceOffset, SourceReader } from '../../lib/ports/replayableSource.js'
import type { SinkContext } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { manualClock } from './manualClock.js'

/** The error of a task that has to fail. */
export async function failureOf<E extends RxweirError>(task: taskEither.TaskEither<E, unknown>): Promise<E> {
  const result = await task()
  if (either.isRight(result)) throw new Error(`expected a failure, found ${JSON.stringify(result.right)}`)
  return result.left
}

export const sourceContext = (from?: SourceOffset, clock = manualClock()): SourceContext => ({
  uid: operatorUid('source'),
  from: option.fromNullable(from),
  clock,
})

export const sinkContext = (number = 1, job = 'job', uid = 'sink'): SinkContext => ({
  job: jobName(job),
  uid: operatorUid(uid),
  epoch: epoch(number),
  clock: manualClock(),
})

/** A reader that is closed at the end of the test. */
export async function openedReader<T>(source: ReplayableSource<T>, context = sourceContext()): Promise<SourceReader<T>> {
  const reader = await unwrap(source.open(context))
  onTestFinished(reader.close())
  return reader
}

/** What a reader has left, with the offset behind each record. */
export async function drain<T>(reader: SourceReader<T>, recordsMax = 1_000): Promise<{ values: T[]; offsets: SourceOffset[] }> {
  const values: T[] = []
  const offsets: SourceOffset[] = []
  for (;;) {
    const read = await unwrap(reader.read(recordsMax))
    if (read.kind === 'end') return { values, offsets }
    for (const [index, value] of read.batch.values.entries()) {
      if (!read.batch.malformed?.has(index)) values.push(value)
      offsets.push(read.batch.offsetAfter(index))
    }
  }
}

/** All that a source yields from an offset on. */
export async function readAll<T>(
  source: ReplayableSource<T>,
  from?: SourceOffset,
  recordsMax?: number,
): Promise<{ values: T[]; offsets: SourceOffset[] }> {
  const reader = await unwrap(source.open(sourceContext(from)))
  try {
    return await drain(reader, recordsMax)
  } finally {
    await reader.close()()
  }
}
