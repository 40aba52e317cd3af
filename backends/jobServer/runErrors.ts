import { RxweirError } from '../../lib/errors.js'
import type { JobEvent } from '../../lib/events.js'

/** So many of the last are kept, and so much of what each says. */
const errorsMax = 20
const reasonChars = 500

/** What went wrong: a run failed, a checkpoint was given up, or a commit has to be tried again. */
interface RunError {
  readonly of: 'run' | 'checkpoint' | 'commit'
  readonly code?: string
  readonly reason: string
  readonly checkpointId?: number
  readonly uid?: string
}

/** The last errors of a job, newest first. */
export class RunErrors {
  private readonly entries: RunError[] = []
  private lastFailure: unknown

  get errors(): readonly RunError[] {
    return this.entries
  }

  note(event: JobEvent): void {
    if (event.kind === 'failed') this.failed(event.error)
    else if (event.kind === 'checkpointAborted') this.add('checkpoint', event.error, { checkpointId: event.checkpointId })
    else if (event.kind === 'commitRetried') this.add('commit', event.error, { checkpointId: event.checkpointId, uid: event.uid })
  }

  /** The run has failed. The last failure of a job that is not started again is told twice, by its events and as their end. */
  failed(error: unknown): void {
    if (error === this.lastFailure) return
    this.lastFailure = error
    this.add('run', error)
  }

  private add(of: RunError['of'], error: unknown, where: Pick<RunError, 'checkpointId' | 'uid'> = {}): void {
    const code = error instanceof RxweirError ? { code: error.code } : {}
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, reasonChars)
    this.entries.unshift({ of, ...code, reason, ...where })
    if (this.entries.length > errorsMax) this.entries.pop()
  }
}
