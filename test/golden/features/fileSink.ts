import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { option } from 'fp-ts'
import { jsonLinesSink } from '../../../backends/directory/jsonLinesSink.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../../lib/identity.js'
import { unwrap } from '../../../lib/task.js'
import { HandClock } from '../harness.js'
import { type Case, Unsupported, unknown } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** A sink of files. A part here ends with its checkpoint: cases that roll otherwise have no meaning. */
export async function fileSink(golden: Case): Promise<void> {
  if (golden.config['rolling'] !== 'onCheckpoint')
    throw new Unsupported('sinks of files have no buckets and no rolling by size or age: a part is what stands between two checkpoints')
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-'))
  try {
    const clock = new HandClock()
    const writer = await unwrap(jsonLinesSink(folder).open({ job: jobName('job'), uid: operatorUid('sink'), epoch: epoch(1), clock }))
    await unwrap(writer.committedUpTo())
    await unwrap(writer.abortOthers())
    let id = 0
    let pending = 0
    let open = false
    await play(golden, {
      async apply({ op }) {
        switch (op) {
          case 'write':
            open = true
            return writer.write('line', undefined, undefined)
          case 'prepareCommit':
            id += 1
            if (option.isSome(await unwrap(writer.preCommit(checkpointId(id))))) pending += 1
            open = false
            return
          // What a checkpoint keeps of a sink are its transactions: the barrier has ended the one before.
          case 'snapshot':
            return
          default:
            throw unknown('operation of a sink of files', op)
        }
      },
      answer: (expected) =>
        asked(expected, { pendingCommittables: pending, cleanupCommittables: 0, inProgressRecoverable: open, inProgressPart: open }),
    })
    await writer.close()()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
