/**
 * A transactional sink in an object, strict about the order of calls: the sink that laws run jobs on unless told another one.
 *
 * **Invariants** A transaction that could not be made durable goes on in the next one: its records are the sink's from `write` on.
 */
import { either as E, option as O, type taskEither } from 'fp-ts'
import { invariant, SinkError } from '../../lib/errors.js'
import type { CheckpointId, Epoch } from '../../lib/identity.js'
import type { CommittedUpTo, SinkContext, SinkWriter, TransactionalSink } from '../../lib/ports/transactionalSink.js'
import type { Seen } from './surface.js'

interface Transaction {
  readonly epoch: Epoch
  readonly checkpointId: CheckpointId
  readonly records: readonly Seen[]
}

/** What outlives the processes. */
export class PlainTarget {
  readonly pending = new Map<string, Transaction>()
  readonly committed: Seen[] = []
  readonly done = new Set<string>()
  newest: CommittedUpTo | undefined
  epoch = 0
}

export interface PlainSinkOptions {
  seen(value: unknown, key: unknown): Seen
  /** Whether making a transaction durable fails now. */
  fails(): boolean
  /** Whether the sink has more than it can take. */
  full(): boolean
  drained(): Promise<void>
}

/** The sink as one process sees it. */
export const plainSink = (target: PlainTarget, options: PlainSinkOptions): TransactionalSink<unknown> => ({
  commits: 'transactional',
  open: (context) => async () => {
    if (context.epoch < target.epoch) return E.left(new SinkError('SINK_FENCED', { epoch: context.epoch, found: target.epoch }))
    target.epoch = context.epoch
    return E.right(writer(target, context, options))
  },
})

const isLater = (a: CommittedUpTo, b: CommittedUpTo): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.checkpointId > b.checkpointId)

function writer(target: PlainTarget, { epoch }: SinkContext, { seen, fails, full, drained }: PlainSinkOptions): SinkWriter<unknown> {
  let records: Seen[] = []
  /** Records of transactions that failed, and everything that is still being made durable. */
  let kept: readonly Seen[] = []
  let before: Promise<void> = Promise.resolve()
  let writing = false
  let closed = false
  const check = (): void => {
    if (closed) throw new SinkError('SINK_IO', { reason: 'the writer was closed' })
    if (target.epoch > epoch) throw new SinkError('SINK_FENCED', { epoch, found: target.epoch })
  }
  const task =
    <A>(work: () => A): taskEither.TaskEither<SinkError, A> =>
    async () => {
      try {
        check()
        return E.right(work())
      } catch (error) {
        if (error instanceof SinkError) return E.left(error)
        throw error
      }
    }
  return {
    committedUpTo: () => task(() => O.fromNullable(target.newest)),
    abortOthers: () =>
      task(() => {
        invariant(!writing, 'other transactions are aborted before the first record is written')
        target.pending.clear()
      }),
    write(value, _timestamp, key) {
      check()
      writing = true
      records.push(seen(value, key))
    },
    full: () => !closed && full(),
    drained,
    preCommit(checkpointId) {
      const own = records
      records = []
      writing = true
      const earlier = before
      let settle = (): void => {}
      before = new Promise((resolve) => {
        settle = resolve
      })
      const prepare = task(() => {
        const all = [...kept, ...own]
        kept = all
        if (fails()) throw new SinkError('SINK_IO', { injected: true })
        kept = []
        if (all.length === 0) return O.none
        const name = `${epoch}-${checkpointId}`
        target.pending.set(name, { epoch, checkpointId, records: all })
        return O.some(name)
      })
      return async () => {
        await earlier
        const made = await prepare()
        settle()
        return made
      }
    },
    commit: (handle) =>
      task(() => {
        const name = handle as string
        if (target.done.has(name)) return
        const transaction = target.pending.get(name)
        if (transaction === undefined) throw new SinkError('TRANSACTION_LOST', { transaction: name })
        invariant(target.newest === undefined || isLater(transaction, target.newest), 'transactions are committed in the order of their checkpoints')
        target.pending.delete(name)
        target.done.add(name)
        for (const record of transaction.records) target.committed.push(record)
        target.newest = { epoch: transaction.epoch, checkpointId: transaction.checkpointId }
      }),
    close: () => async () => {
      closed = true
    },
  }
}
