import { memory } from '../../backends/memory/memoryStorage.js'
import type { JobEvent } from '../../lib/events.js'
import { defineJob, type Job, type JobRunHandle, type JobScope } from '../../lib/job.js'
import type { JobOptions } from '../../lib/jobOptions.js'
import { type ManualClock, manualClock, settled } from './manualClock.js'

export interface TestJob {
  readonly job: Job
  readonly clock: ManualClock
}

/** A job over memory, whose time stands still and whose checkpoints come when they are asked for. */
export function testJob(
  build: (scope: JobScope) => ReturnType<Parameters<typeof defineJob>[2]>,
  options: Partial<JobOptions> & { readonly clock?: ManualClock } = {},
): TestJob {
  const clock = options.clock ?? manualClock()
  const job = defineJob(
    'job',
    { storage: memory(), ...options, clock, checkpoints: { intervalMs: Number.POSITIVE_INFINITY, ...options.checkpoints } },
    build,
  )
  return { job, clock }
}

export interface Watched extends JobRunHandle {
  readonly events: readonly JobEvent[]
  /** The kinds of what has happened so far. */
  readonly kinds: () => readonly string[]
  of<K extends JobEvent['kind']>(kind: K): readonly Extract<JobEvent, { kind: K }>[]
}

/** Runs a job and notes what happens. */
export function watched(job: Job, options?: Parameters<Job['run']>[0]): Watched {
  const run = job.run(options)
  const events: JobEvent[] = []
  run.events$.subscribe({ next: (event) => events.push(event), error: () => undefined })
  return Object.assign(run, {
    events,
    kinds: () => events.map(({ kind }) => kind),
    of: <K extends JobEvent['kind']>(kind: K) => events.filter((event): event is Extract<JobEvent, { kind: K }> => event.kind === kind),
  })
}

/** Runs a job to its end, and yields what happened. */
export async function ran(job: Job): Promise<readonly JobEvent[]> {
  const run = watched(job)
  await run.done
  return run.events
}

/** The error with which a job ends. */
export async function failed(job: Job): Promise<unknown> {
  const run = job.run()
  return run.done.then(
    () => {
      throw new Error('expected the job to fail, and it completed')
    },
    (error: unknown) => error,
  )
}

export { settled }
