import { option } from 'fp-ts'
import { onTestFinished } from 'vitest'
import { fileSink } from '../../backends/directory/rolling/fileSink.js'
import type { FileSinkOptions } from '../../backends/directory/rolling/fileSinkSettings.js'
import { checkpointId } from '../../lib/identity.js'
import type { SinkContext, SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { type ManualClock, manualClock } from './manualClock.js'
import { sinkContext } from './ports.js'

interface Opening<T> extends FileSinkOptions<T> {
  readonly epoch?: number
  readonly clock?: ManualClock
  /** What the restored checkpoint has of the sink. */
  readonly from?: readonly TransactionHandle[]
  readonly askCheckpoint?: () => void
}

const never = Number.POSITIVE_INFINITY
/** Nothing ends a part. */
export const never3 = { sizeMax: never, ageMs: never, inactivityMs: never } as const

/** A sink as a run has it behind its recovery. Parts end only as `rolling` says. */
export async function openedFileSink<T = unknown>(
  path: string,
  { epoch = 1, clock = manualClock(), from = [], askCheckpoint, ...options }: Opening<T> = {},
): Promise<SinkWriter<T>> {
  const context: SinkContext = { ...sinkContext(epoch), clock, ...(askCheckpoint === undefined ? {} : { askCheckpoint }) }
  const writer = await unwrap(fileSink<T>(path, { ...options, rolling: { ...never3, ...options.rolling } }).open(context))
  onTestFinished(writer.close())
  await unwrap(writer.committedUpTo())
  for (const handle of from) await unwrap(writer.commit(handle))
  await unwrap(writer.abortOthers())
  return writer
}

export const write = <T>(writer: SinkWriter<T>, ...values: readonly T[]): void => {
  for (const value of values) writer.write(value, undefined, undefined)
}

/** Ends a transaction; its handle as it comes out of a checkpoint. */
export async function preCommitted(writer: SinkWriter<never>, id: number): Promise<TransactionHandle> {
  const handle = await unwrap(writer.preCommit(checkpointId(id)))
  if (option.isNone(handle)) throw new Error('expected a handle')
  return JSON.parse(JSON.stringify(handle.value))
}

/** A whole checkpoint. */
export async function checkpoint(writer: SinkWriter<never>, id: number): Promise<TransactionHandle> {
  const handle = await preCommitted(writer, id)
  await unwrap(writer.commit(handle))
  return handle
}
