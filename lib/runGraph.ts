/**
 * The graph of one run: assembled, subscribed from its sinks, started at its sources, and watched until the end has come through every branch.
 *
 * **Invariants** Sinks are subscribed before a source starts. When the handshake is over every operator of the graph has registered, and no
 * other will.
 */
import type { Observable } from 'rxjs'
import { assemble } from './assembly.js'
import { hopsMax } from './coordinator.js'
import type { Downstream } from './downstream.js'
import { ConfigurationError } from './errors.js'
import type { Participants } from './participants.js'
import type { RunContext } from './run.js'
import type { RunSource } from './runSource.js'
import { connect } from './stage.js'

/** What a graph function made. */
export interface Graph {
  readonly sources: readonly RunSource<unknown>[]
  readonly sinks: readonly Observable<unknown>[]
}

export interface GraphHost {
  readonly job: string
  readonly participants: Participants
  /** The run is over. */
  readonly ended: boolean
  fail(error: unknown): void
  onRelease(release: () => void): void
  /** The end has come through the last branch. */
  branchesEnded(): void
}

export class RunGraph {
  readonly sources: readonly RunSource<unknown>[]
  private readonly sinks: readonly Observable<unknown>[]
  private readonly uids: ReadonlySet<string>
  /** Branches that the end of all input has not reached. */
  private openBranches: number

  constructor(
    build: () => Graph,
    private readonly host: GraphHost,
  ) {
    const { result, uids } = assemble(build)
    if (result.sinks.length === 0) throw new ConfigurationError('JOB_WITHOUT_SINK', { job: host.job })
    this.sources = result.sources
    this.sinks = result.sinks
    this.uids = uids
    this.openBranches = result.sinks.length
  }

  /** The end has come through every branch. */
  get hasEnded(): boolean {
    return this.openBranches === 0
  }

  get sourceUids(): ReadonlySet<string> {
    return new Set(this.sources.map(({ uid }) => uid))
  }

  /** Subscribes the sinks, and so all that leads to them. */
  subscribe(): void {
    const leaf: Downstream = {
      start() {},
      receiver: () => ({ processRecord() {} }),
      watermark() {},
      status() {},
      barrier() {},
      end: () => this.branchEnded(),
      complete() {},
      error: (error) => this.host.fail(error),
    }
    for (const sink of this.sinks) {
      connect(sink, {
        operator: this.host.job,
        into: { ...leaf },
        fail: (error) => this.host.fail(error),
        onRelease: (release) => this.host.onRelease(release),
      })
    }
  }

  /** Starts the stream and waits until every operator has seen it. */
  async start(run: RunContext): Promise<void> {
    const { participants } = this.host
    for (const source of this.sources)
      if (source.unused) throw new ConfigurationError('OPERATOR_NOT_STARTED', { uids: [source.uid], reason: 'nothing reads the source' })
    for (const source of this.sources) source.start(run)
    const known = this.sourceUids
    const missing = (): string[] => [...this.uids].filter((uid) => !known.has(uid) && !participants.has(uid))
    for (let hop = 0; hop < hopsMax && missing().length > 0 && !this.host.ended; hop++) await undefined
    participants.complete()
    if (missing().length > 0 && !this.host.ended) throw new ConfigurationError('OPERATOR_NOT_STARTED', { uids: missing() })
  }

  private branchEnded(): void {
    this.openBranches -= 1
    if (this.openBranches === 0) this.host.branchesEnded()
  }
}
