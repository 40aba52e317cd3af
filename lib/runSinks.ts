/**
 * The sinks of one run: opened and brought to where the checkpoint left them, asked whether they are full, and closed.
 *
 * **Invariants** A writer that was opened is closed, whatever comes; its transactions before it.
 */
import type { CheckpointBody } from './checkpointBody.js'
import type { Clock } from './clock.js'
import { CommitQueue } from './commitQueue.js'
import { Commits } from './commits.js'
import type { JobEvent } from './events.js'
import type { SinkMetrics } from './metrics.js'
import type { SinkWriter } from './ports/transactionalSink.js'
import type { Participant } from './run.js'
import { openSinks, type SinkRecoveryHost, settleSinks } from './sinkRecovery.js'

export interface SinksHost {
  readonly clock: Clock
  readonly participants: ReadonlyMap<string, Participant>
  commitConfirmed(): void
  report(event: JobEvent): void
  fail(error: unknown): void
}

type Opening = Omit<SinkRecoveryHost, 'clock' | 'participants' | 'opened'>

/** Sinks that are open and not yet brought to where the checkpoint left them. */
export interface OpenedSinks {
  /** Whether one of them keeps nothing that a later run could find. */
  readonly forget: boolean
  /** Commits what was decided, and removes what was not. Answers how many transactions were committed. */
  settle(body: CheckpointBody | undefined): Promise<number>
}

export class RunSinks {
  readonly commits = new Commits()
  private readonly writers = new Map<string, SinkWriter<never>>()

  constructor(private readonly host: SinksHost) {}

  /** Opens all of them. Nothing is committed yet: the checkpoint may have to be written anew first. */
  async open(opening: Opening): Promise<OpenedSinks> {
    const { clock, participants } = this.host
    const host: SinkRecoveryHost = { ...opening, clock, participants, opened: (uid, writer) => this.writers.set(uid, writer) }
    const sinks = await openSinks(host)
    return {
      forget: sinks.some(({ sink }) => sink.target.forgets === true),
      settle: async (body) => {
        const committedAgain = await settleSinks(sinks, body, host)
        for (const { uid, writer } of sinks) this.commits.set(uid, this.commitQueue(uid, writer))
        return committedAgain
      },
    }
  }

  /** A sink that takes no more for now. */
  full(): SinkWriter<never> | undefined {
    for (const writer of this.writers.values()) if (writer.full()) return writer
    return undefined
  }

  metrics(): readonly SinkMetrics[] {
    return [...this.host.participants.values()].flatMap(({ uid, sink }) =>
      sink === undefined
        ? []
        : {
            uid,
            records: sink.records,
            unconfirmedCommits: this.commits.get(uid)?.unconfirmed ?? 0,
            full: this.writers.get(uid)?.full() === true,
          },
    )
  }

  /** Lets go of the transactions: what was decided is committed by the next run. One function each, for one may throw. */
  closeCommits(): readonly (() => Promise<unknown>)[] {
    return [...this.commits.values()].map((queue) => () => queue.close())
  }

  closeWriters(): readonly (() => Promise<unknown>)[] {
    return [...this.writers.values()].map((writer) => () => writer.close()())
  }

  private commitQueue(uid: string, writer: SinkWriter<never>): CommitQueue {
    return new CommitQueue(uid, writer, {
      clock: this.host.clock,
      retried: (id, attempt, error) => this.host.report({ kind: 'commitRetried', checkpointId: id, uid, attempt, error }),
      confirmed: () => this.host.commitConfirmed(),
      fail: (error) => this.host.fail(error),
    })
  }
}
