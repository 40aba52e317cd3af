import { either, option, type taskEither } from 'fp-ts'
import { expect, it } from 'vitest'
import { CommitQueue } from '../../lib/commitQueue.js'
import { SinkError } from '../../lib/errors.js'
import { checkpointId, epoch } from '../../lib/identity.js'
import type { SinkWriter, TransactionHandle } from '../../lib/ports/transactionalSink.js'
import { manualClock, settled } from '../support/manualClock.js'

/** A queue, and the handles that its sink was told to commit. */
function queue(): { readonly queue: CommitQueue; readonly committed: TransactionHandle[] } {
  const committed: TransactionHandle[] = []
  const writer = {
    commit: (handle: TransactionHandle) => async () => {
      committed.push(handle)
      return either.right(undefined)
    },
  } as unknown as SinkWriter<never>
  const fail = (error: unknown): void => {
    throw error
  }
  return { queue: new CommitQueue('out', writer, { clock: manualClock(), retried() {}, confirmed() {}, fail }), committed }
}

type Prepared = taskEither.TaskEither<Error, option.Option<TransactionHandle>>
const wrote =
  (handle: string): Prepared =>
  async () =>
    either.right(option.some(handle))
const wroteNothing: Prepared = async () => either.right(option.none)
const failed: Prepared = async () => either.left(new SinkError('SINK_IO'))

it('goes on with commits after a checkpoint in which nothing was written', async () => {
  const { queue: commits, committed } = queue()
  commits.preCommitted(checkpointId(1), epoch(1), wroteNothing)
  await commits.prepared(checkpointId(1))
  commits.decide(checkpointId(1))
  commits.preCommitted(checkpointId(2), epoch(1), wrote('two'))
  await commits.prepared(checkpointId(2))
  commits.decide(checkpointId(2))
  await settled()
  expect(committed).toEqual(['two'])
  expect(commits.unconfirmed).toBe(0)
})

it('tells that a transaction failed, also when it is asked long after', async () => {
  const { queue: commits } = queue()
  commits.preCommitted(checkpointId(1), epoch(1), failed)
  await settled()
  await expect(commits.prepared(checkpointId(1))).rejects.toMatchObject({ code: 'SINK_IO' })
  expect(commits.pending(checkpointId(1))).toEqual([])
})

it('passes over a transaction that failed, whose records the sink has put into the next', async () => {
  const { queue: commits, committed } = queue()
  commits.preCommitted(checkpointId(1), epoch(1), failed)
  await settled()
  commits.preCommitted(checkpointId(2), epoch(1), wrote('both'))
  await commits.prepared(checkpointId(2))
  expect(commits.pending(checkpointId(2)).map(({ handle }) => handle)).toEqual(['both'])
  commits.decide(checkpointId(2))
  await settled()
  expect(committed).toEqual(['both'])
  expect(commits.unconfirmed).toBe(0)
})
