import { option } from 'fp-ts'
import { fileSink as filesOf } from '../../../backends/directory/rolling/fileSink.js'
import type { RollingOptions } from '../../../backends/directory/rolling/rollingPolicy.js'
import { CrashFs } from '../../../laws/crashFs.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../../lib/identity.js'
import type { SinkWriter, TransactionHandle } from '../../../lib/ports/transactionalSink.js'
import { unwrap } from '../../../lib/task.js'
import { HandClock } from '../harness.js'
import { type Case, type Fields, Unsupported, unknown } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** A sink of files that roll, with a look at the files that it makes. */
export async function fileSink(golden: Case): Promise<void> {
  if (golden.input.some(({ op }) => op === 'mergeWithOtherRestoredBucket'))
    throw new Unsupported('a part in progress can always be gone on with, and one run has all buckets: none are merged')
  const files = new CrashFs()
  const clock = new HandClock()
  const sink = filesOf<readonly [string, number]>('/out', {
    files,
    rolling: rollingOf(golden.config['rolling']),
    bucket: ([bucket]) => bucket,
    encode: ([bucket, number]) => `${bucket}@${number}\n`,
  })
  let runs = 0
  const open = async (from?: TransactionHandle): Promise<SinkWriter<readonly [string, number]>> => {
    runs += 1
    const opened = await unwrap(sink.open({ job: jobName('job'), uid: operatorUid('sink'), epoch: epoch(runs), clock }))
    await unwrap(opened.committedUpTo())
    if (from !== undefined) await unwrap(opened.commit(from))
    await unwrap(opened.abortOthers())
    return opened
  }
  let writer = await open()
  let handle: TransactionHandle | undefined
  const handles = new Map<unknown, TransactionHandle | undefined>()
  const preCommit = async (id: number): Promise<void> => {
    handle = option.toUndefined(await unwrap(writer.preCommit(checkpointId(id))))
    handles.set(id, handle)
  }
  let prepared = 0
  await play(golden, {
    async apply({ op, value, ts, time, to, checkpointId: id, from, ref }) {
      switch (op) {
        case 'processingTime':
          clock.time = to
          clock.fire(to)
          break
        case 'element':
          writer.write(value, ts, undefined)
          break
        case 'write':
          clock.time = time
          writer.write(['bucket', time], undefined, undefined)
          break
        case 'prepareCommit':
          prepared += 1
          await preCommit(prepared)
          break
        case 'snapshot':
          // A bucket alone was prepared before: what a checkpoint keeps of it is in its handle. Ids of checkpoints begin with 1 here.
          if (prepared === 0) await preCommit(id + 1)
          handles.set(ref, handle)
          break
        case 'checkpointComplete': {
          const decided = handles.get(id + 1)
          if (decided !== undefined) await unwrap(writer.commit(decided))
          break
        }
        case 'restore':
          await writer.close()()
          writer = await open(handles.get(from))
          break
        case 'close':
          await writer.close()()
          break
        default:
          throw unknown('operation of a sink of files', op)
      }
      await new Promise((resolve) => setImmediate(resolve))
    },
    answer: (expected) => asked(expected, { ...seen(files), ...kept(handle), inProgressPart: files.openFiles > 0 }),
  })
  await writer.close()()
}

function rollingOf(rolling: unknown): RollingOptions {
  const never = Number.POSITIVE_INFINITY
  if (rolling === 'default') return {}
  if (rolling === 'onCheckpoint') return { onCheckpoint: true, sizeMax: never, ageMs: never, inactivityMs: never }
  if (typeof rolling !== 'object' || rolling === null) throw unknown('rolling policy', rolling)
  const names: { readonly [theirs: string]: keyof RollingOptions } = {
    maxPartSize: 'sizeMax',
    rolloverInterval: 'ageMs',
    inactivityInterval: 'inactivityMs',
  }
  return Object.fromEntries(
    Object.entries(rolling).flatMap(([theirs, value]) => {
      const ours = names[theirs]
      if (ours === undefined && theirs !== 'rule') throw unknown('option of a rolling policy', theirs)
      return ours === undefined ? [] : [[ours, value]]
    }),
  )
}

function seen(files: CrashFs): Fields {
  const names = [...files.contents().keys()]
  return {
    inProgressOrPending: names.filter((name) => /\/\.part-[^/]+$/.test(name)).length,
    finished: names.filter((name) => /\/part-[^/]+$/.test(name)).length,
  }
}

/** What the newest checkpoint keeps. A handle is no secret to a test. */
function kept(handle: TransactionHandle | undefined): Fields {
  const { finished = [], open = [] } = (handle ?? {}) as { readonly finished?: readonly unknown[]; readonly open?: readonly unknown[] }
  return { pendingCommittables: finished.length, cleanupCommittables: 0, inProgressRecoverable: open.length > 0 }
}
