/**
 * A sink, what was done with it, and what it should look like now. The laws of sinks run histories on it.
 */
import fc from 'fast-check'
import { type CheckpointId, checkpointId, type Epoch, epoch, jobName, operatorUid } from '../lib/identity.js'
import type { SinkWriter, TransactionalSink, TransactionHandle } from '../lib/ports/transactionalSink.js'
import { unwrap } from '../lib/task.js'
import { shortOrLong } from './arbitraries/shortOrLong.js'
import { eagerClock } from './eagerClock.js'

/** A target of a sink, in the hands of a law. */
export interface SinkFixture<T> {
  /** The sink as the next run opens it, maybe in another process. */
  sink(): TransactionalSink<T>
  /** What a reader of committed records sees, in order. */
  committed(): Promise<readonly T[]>
  /** Names of what is at the target and not committed, if one can look. */
  uncommitted?(): Promise<readonly string[]>
  dispose(): Promise<void>
}

/** One thing that happens to a sink. */
export type SinkStep<T> =
  | { readonly kind: 'write'; readonly value: T }
  | { readonly kind: 'preCommit' }
  /** Commits the oldest transaction that waits. */
  | { readonly kind: 'commit' }
  /** The run ends, in order or not; the next one commits the `decided` oldest transactions that wait and aborts the others. */
  | { readonly kind: 'restart'; readonly closed: boolean; readonly decided: number }

export const sinkSteps = <T>(records: fc.Arbitrary<T>): fc.Arbitrary<readonly SinkStep<T>[]> =>
  shortOrLong(
    fc.oneof<fc.WeightedArbitrary<SinkStep<T>>[]>(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), value: records }) },
      { weight: 3, arbitrary: fc.constant({ kind: 'preCommit' as const }) },
      { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), closed: fc.boolean(), decided: fc.nat({ max: 3 }) }) },
    ),
    { maxLength: 30 },
  )

interface Transaction<T> {
  readonly epoch: Epoch
  readonly checkpointId: CheckpointId
  readonly handle: TransactionHandle
  readonly values: readonly T[]
}

export class SinkHistory<T> {
  /** Confirmed commits, in order. */
  readonly committed: Transaction<T>[] = []
  readonly waiting: Transaction<T>[] = []
  readonly aborted: Transaction<T>[] = []
  private readonly abandoned: SinkWriter<T>[] = []
  private writing: T[] = []
  private fresh = true
  private runs = 0
  private checkpoints = 0
  private current: SinkWriter<T> | undefined

  constructor(readonly fixture: SinkFixture<T>) {}

  get writer(): SinkWriter<T> {
    if (this.current === undefined) throw new Error('the history has not begun')
    return this.current
  }

  /** Whether the run has only just been opened: nothing of its own is under way. */
  get isFresh(): boolean {
    return this.fresh
  }

  /** Opens the first run. */
  async begin(): Promise<void> {
    await this.open(0)
  }

  async take(step: SinkStep<T>): Promise<void> {
    this.fresh = step.kind === 'restart'
    switch (step.kind) {
      case 'write':
        this.writer.write(step.value, undefined, undefined)
        this.writing.push(step.value)
        if (this.writer.full()) await this.writer.drained()
        return
      case 'preCommit':
        return this.preCommit()
      case 'commit':
        return this.commitOldest()
      case 'restart':
        if (step.closed) await this.writer.close()()
        else this.abandoned.push(this.writer)
        return this.open(step.decided)
    }
  }

  async end(): Promise<void> {
    // A run that died held things that a law has to give back to the process.
    for (const writer of [...this.abandoned, ...(this.current === undefined ? [] : [this.current])]) await writer.close()()
    await this.fixture.dispose()
  }

  private async open(decided: number): Promise<void> {
    this.runs += 1
    this.writing = []
    this.current = await unwrap(
      this.fixture.sink().open({ job: jobName('job'), uid: operatorUid('sink'), epoch: epoch(this.runs), clock: eagerClock() }),
    )
    for (let count = 0; count < decided; count += 1) await this.commitOldest()
    await unwrap(this.writer.abortOthers())
    this.aborted.push(...this.waiting.splice(0))
  }

  private async preCommit(): Promise<void> {
    this.checkpoints += 1
    const id = checkpointId(this.checkpoints)
    const values = this.writing
    this.writing = []
    const handle = await unwrap(this.writer.preCommit(id))
    if ((handle._tag === 'Some') !== values.length > 0) throw new Error(`a transaction of ${values.length} records answered ${handle._tag}`)
    if (handle._tag === 'Some')
      this.waiting.push({ epoch: epoch(this.runs), checkpointId: id, handle: JSON.parse(JSON.stringify(handle.value)), values })
  }

  private async commitOldest(): Promise<void> {
    const transaction = this.waiting[0]
    if (transaction === undefined) return
    await unwrap(this.writer.commit(transaction.handle))
    this.waiting.shift()
    this.committed.push(transaction)
  }
}
