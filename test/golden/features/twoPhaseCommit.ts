import { memorySink } from '../../../backends/memory/memorySink.js'
import { CommitQueue } from '../../../lib/commitQueue.js'
import { checkpointId, epoch, jobName, operatorUid } from '../../../lib/identity.js'
import type { SinkWriter, TransactionHandle } from '../../../lib/ports/transactionalSink.js'
import { unwrap } from '../../../lib/task.js'
import { HandClock } from '../harness.js'
import { type Case, type Fields, plainValue, Unsupported, unknown } from '../model.js'
import { play } from '../play.js'
import { asked } from './watermarkValve.js'

/** A sink of transactions, and the queue that commits them in order. Ids of checkpoints begin with 1 here. */
export async function twoPhaseCommit(golden: Case): Promise<void> {
  if (golden.input.some((event) => event['transactionTimeout'] !== undefined))
    throw new Unsupported(
      'transactions have no time limit here: a commit that was decided is tried until it succeeds, and its failure is never only logged',
    )
  const sink = memorySink<unknown>()
  const clock = new HandClock()
  const idOf = (event: Fields) => checkpointId(event['checkpointId'] + 1)
  let run = 0
  let aborted = 0
  let writer!: SinkWriter<unknown>
  let queue!: CommitQueue
  const kept = new Map<string, readonly TransactionHandle[]>()
  const begin = async (handles: readonly TransactionHandle[]): Promise<void> => {
    run += 1
    const uid = operatorUid('sink')
    writer = await unwrap(sink.open({ job: jobName('job'), uid, epoch: epoch(run), clock }))
    for (const handle of handles) await unwrap(writer.commit(handle))
    const pending = sink.pending.length
    await unwrap(writer.abortOthers())
    aborted += pending - sink.pending.length
    queue = new CommitQueue(uid, writer as SinkWriter<never>, {
      clock,
      retried() {},
      confirmed() {},
      fail(error) {
        throw error
      },
    })
  }
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await begin([])
  await play(golden, {
    async apply(event) {
      switch (event['op']) {
        case 'element':
          return writer.write(plainValue(event['value']), undefined, undefined)
        case 'snapshot': {
          const id = idOf(event)
          queue.preCommitted(id, epoch(run), writer.preCommit(id))
          await queue.prepared(id)
          if (event['ref'] !== undefined)
            kept.set(event['ref'], JSON.parse(JSON.stringify(queue.pending(id).map(({ handle }) => handle))) as TransactionHandle[])
          return
        }
        case 'checkpointComplete':
          queue.decide(idOf(event))
          return settled()
        case 'finish':
        case 'endInput':
          return
        case 'restart':
        case 'close':
          await queue.close()
          return writer.close()()
        case 'restore': {
          const handles = kept.get(event['from'])
          if (handles === undefined) throw unknown('snapshot', event['from'])
          return begin(handles)
        }
        default:
          throw unknown('operation of a sink', event['op'])
      }
    },
    answer: (expected) =>
      expected['kind'] === 'error'
        ? undefined
        : asked(expected, { committed: sink.committed, openOrPendingTransactions: sink.pending.length + 1, abortedTransactions: aborted }),
  })
}
