/**
 * The sinks at the start of a run: opened, compared with the checkpoint, and brought to where it left them.
 *
 * **Invariants** Nothing is committed or removed before every sink has been opened and none is ahead of the checkpoint.
 *
 * **Fault model** The process may die anywhere: opening, committing and removing can all be done again.
 */
import { option } from 'fp-ts'
import type { CheckpointBody } from './checkpointBody.js'
import type { Clock } from './clock.js'
import { RestoreError } from './errors.js'
import { type Epoch, type JobName, operatorUid } from './identity.js'
import type { SinkWriter } from './ports/transactionalSink.js'
import type { Participant, SinkParticipant } from './run.js'
import { unwrap } from './task.js'

export interface SinkRecoveryHost {
  readonly job: JobName
  readonly epoch: Epoch
  readonly clock: Clock
  readonly participants: ReadonlyMap<string, Participant>
  /** The checkpoint by whose cut sinks are judged; undefined for none. */
  readonly cut: number | undefined
  readonly allowSinkAhead: boolean
  askCheckpoint(): void
  /** Throws where the run is over. */
  goOn(): void
  /** The run closes it, whatever comes. */
  opened(uid: string, writer: SinkWriter<never>): void
}

interface OpenSink {
  readonly uid: string
  readonly sink: SinkParticipant
  readonly writer: SinkWriter<never>
}

/** Opens all sinks. Throws a `RestoreError` `SINK_AHEAD` where one remembers more than the checkpoint knows. */
export async function openSinks(host: SinkRecoveryHost): Promise<readonly OpenSink[]> {
  const sinks: OpenSink[] = []
  for (const [uid, { sink }] of host.participants) {
    if (sink === undefined) continue
    host.goOn()
    const { job, epoch, clock } = host
    const writer = await unwrap(sink.target.open({ job, uid: operatorUid(uid), epoch, clock, askCheckpoint: () => host.askCheckpoint() }))
    host.opened(uid, writer)
    requireNotAhead(option.toUndefined(await unwrap(writer.committedUpTo())), uid, host)
    sinks.push({ uid, sink, writer })
  }
  return sinks
}

function requireNotAhead(
  upTo: { readonly epoch: Epoch; readonly checkpointId: number } | undefined,
  uid: string,
  { cut, epoch, allowSinkAhead }: SinkRecoveryHost,
): void {
  if (upTo === undefined) return
  if (upTo.checkpointId > (cut ?? 0) && !allowSinkAhead)
    throw new RestoreError('SINK_AHEAD', { uid, committed: upTo.checkpointId, restored: cut ?? 'none' })
  // Epochs of one storage only rise, and with another one's a transaction of this run could pass for one that is committed.
  if (upTo.epoch >= epoch)
    throw new RestoreError('SINK_AHEAD', {
      uid,
      committedEpoch: upTo.epoch,
      epoch,
      reason: 'a run over another storage has written to it, so that going on cannot be allowed',
    })
}

/** Commits what was decided, removes what was not. Answers how many transactions were committed. */
export async function settleSinks(sinks: readonly OpenSink[], body: CheckpointBody | undefined, { goOn }: SinkRecoveryHost): Promise<number> {
  let committedAgain = 0
  for (const { uid, sink, writer } of sinks) {
    goOn()
    for (const { handle } of body?.sinks[uid] ?? []) {
      await unwrap(writer.commit(handle))
      committedAgain += 1
    }
    await unwrap(writer.abortOthers())
    sink.attach(writer)
  }
  return committedAgain
}
