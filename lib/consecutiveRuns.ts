import type { JobRun } from './jobRun.js'

/** The runs of one pipeline, one after the other: a new one waits until those that have ended are quiet. */
export class ConsecutiveRuns {
  /** Runs of which something may still be under way. */
  private readonly unquiet = new Set<JobRun>()

  /** Starts a run as soon as it may. One that is still going on is not waited for: the storage refuses the second. */
  begin(run: JobRun): void {
    // A run that was given up while it waited is quiet before the one that it waited for.
    const ended = [...this.unquiet].filter((each) => each.ended).map((each) => each.quiet)
    this.unquiet.add(run)
    void run.quiet.then(() => this.unquiet.delete(run))
    void Promise.all(ended).then(() => run.start())
  }
}
