/**
 * Drives a sink as the core does, with a list of records as its source and manifests that never get lost: what is to be
 * shown is that nothing is lost or doubled at the sink, whatever happens there.
 */
import { option } from 'fp-ts'
import { checkpointId } from '../../lib/identity.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { unwrap } from '../../lib/task.js'
import { sinkContext } from './ports.js'

/** A complete checkpoint. */
export interface Manifest {
  readonly epoch: number
  readonly id: number
  /** Records before this one have been written. */
  readonly offset: number
  readonly handles: readonly TransactionHandle[]
}

export const noManifest: Manifest = { epoch: 0, id: 0, offset: 0, handles: [] }

/** What the driver tells, at the moment when it holds. */
export interface DriverEvents {
  published(manifest: Manifest): void
  /** The transactions with the records before `offset` are acknowledged as committed. */
  confirmed(offset: number): void
}

const recordsPerCheckpoint = 2
/** A checkpoint or a commit may fail this often in a row before the run gives up. */
const failuresMax = 3

/** One run: restores, writes the rest with a checkpoint every few records, and ends when everything is committed. */
export async function drive(sink: TransactionalSink<unknown>, records: readonly unknown[], from: Manifest, events: DriverEvents): Promise<void> {
  const writer = await unwrap(sink.open(sinkContext(from.epoch + 1)))
  try {
    await unwrap(writer.committedUpTo())
    for (const handle of from.handles) await committed(writer, handle)
    events.confirmed(from.offset)
    await unwrap(writer.abortOthers())
    await rest(writer, records, from, events)
  } finally {
    await writer.close()()
  }
}

async function rest(writer: SinkWriter<unknown>, records: readonly unknown[], from: Manifest, events: DriverEvents): Promise<void> {
  let { id, offset } = from
  let failures = 0
  for (let published = offset; published < records.length; ) {
    for (const end = Math.min(records.length, offset + recordsPerCheckpoint); offset < end; offset += 1) {
      writer.write(records[offset], undefined, undefined)
      if (writer.full()) await writer.drained()
    }
    if (offset === records.length) writer.endOfInput?.()
    id += 1
    const prepared = await writer.preCommit(checkpointId(id))()
    if (prepared._tag === 'Left') {
      failures += 1
      if (prepared.left.details['fatal'] === true || failures > failuresMax) throw prepared.left
      continue
    }
    const handles = option.isSome(prepared.right) ? [JSON.parse(JSON.stringify(prepared.right.value)) as TransactionHandle] : []
    published = offset
    events.published({ epoch: from.epoch + 1, id, offset, handles })
    for (const handle of handles) await committed(writer, handle)
    events.confirmed(offset)
  }
}

/** A commit that was decided is tried again. */
async function committed(writer: SinkWriter<unknown>, handle: TransactionHandle): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    const result = await writer.commit(handle)()
    if (result._tag === 'Right') return
    if (failures === failuresMax || result.left.code !== 'SINK_IO') throw result.left
  }
}
