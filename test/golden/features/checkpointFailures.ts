import { Coordinator, type CoordinatorHost } from '../../../lib/coordinator.js'
import { CheckpointError } from '../../../lib/errors.js'
import { type CheckpointId, checkpointId, epoch } from '../../../lib/identity.js'
import { InstanceShare } from '../../../lib/instanceShare.js'
import type { Participant } from '../../../lib/run.js'
import { HandClock } from '../harness.js'
import { type Case, unknown } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** Reasons that are failures of a checkpoint. Others end something else here: a run has no parts that fail by themselves. */
const counted = ['IO_EXCEPTION', 'CHECKPOINT_ASYNC_EXCEPTION', 'CHECKPOINT_DECLINED', 'CHECKPOINT_EXPIRED', 'FINALIZE_CHECKPOINT_FAILURE']

/** How many checkpoints may fail before the run does. */
export function checkpointFailures(golden: Case): Promise<void> {
  let failures = 0
  let started: CheckpointId | undefined
  const ids = new Map<number, CheckpointId>()
  const host: CoordinatorHost = {
    clock: new HandClock(),
    session: undefined as never,
    epoch: epoch(1),
    share: InstanceShare.alone(),
    restored: undefined,
    unconfirmedCommitsMax: 1,
    sources: [],
    participants: new Map<string, Participant>([['slow', { uid: 'slow', checkpointAborted() {} } as unknown as Participant]]),
    commits: new Map(),
    post: (work) => void work(),
    completed() {},
    report(event) {
      if (event.kind === 'checkpointStarted') started = checkpointId(event.checkpointId)
    },
    fail: () => void (failures += 1),
  }
  const coordinator = new Coordinator(host, { intervalMs: Number.POSITIVE_INFINITY, tolerableFailures: golden.config['tolerableFailures'] }, 0)
  return play(golden, {
    apply({ op, id, reason }) {
      if (op !== 'checkpointFailed') throw unknown('operation of failing checkpoints', op)
      if (!counted.includes(reason)) return
      if (!ids.has(id)) {
        coordinator.checkpoint().catch(() => {})
        ids.set(id, started as CheckpointId)
      }
      const failed = ids.get(id) as CheckpointId
      coordinator.abort(failed, new CheckpointError('CHECKPOINT_DECLINED', { checkpointId: failed }))
    },
    answer: (expected) => asked(expected, { jobFailures: failures }),
  })
}
