import type { JobEvent } from '../events.js'
import { failureFields } from './failureFields.js'
import type { LogFields, Logger, LogLevel } from './logger.js'
import { logLine } from './logLine.js'

/** What is logged: the handle that `job.run()` answers. */
export interface LoggedRun {
  readonly job: string
  readonly events$: {
    subscribe(observer: { next(event: JobEvent): void; error(error: unknown): void; complete(): void }): { unsubscribe(): void }
  }
}

/**
 * Writes what happens to a run into a logger: a line for each event, with the name of the job and the epoch of the run.
 *
 * No line has anything of a record or of a key, and of an error none has the message, which may quote one: its class, its codes and those of
 * its causes are told. A logger that throws is not heard of again, and the job goes on.
 *
 * **When to use** to have a job in the log of the process around it. {@link Logger} is what pino has; for winston there is
 * {@link messageFirst}. Of `checkpointed(...)`, hand its `events` to {@link logEvents}.
 *
 * @param fields - said in every line, such as where the process runs
 * @returns a function that ends it
 * @example The lines of a short life
 * ```ts
 * const lines: string[] = []
 * const note = (level: string) => ({ job, epoch }: LogFields, message: string) => lines.push(`${level} ${job} ${epoch} ${message}`)
 * const logger = { debug() {}, info: note('info'), warn: note('warn'), error: note('error') }
 * const run = defineJob('sums', { storage: memory() }, ({ source, sink }) =>
 *   source('numbers', memorySource([1, 2])).pipe(sink('out', memorySink<number>())),
 * ).run()
 * logRun(run, logger)
 * await run.done
 * lines.slice(0, 2) // => ['info sums 1 nothing to restore: the job begins anew', 'info sums 1 the job has started']
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function logRun(run: LoggedRun, logger: Logger, fields: LogFields = {}): () => void {
  const events = logEvents(logger, { ...fields, job: run.job })
  const { tell } = events
  let stopped = false
  const subscription = run.events$.subscribe({
    next(event) {
      stopped ||= event.kind === 'stopped'
      events(event)
    },
    error: (error) => tell('error', 'the job has ended with an error', failureFields(error)),
    complete() {
      if (!stopped) tell('info', 'the job was cancelled', {})
    },
  })
  return () => subscription.unsubscribe()
}

/** Takes the events of one run after another, and says them to a logger. */
export interface EventLog {
  (event: JobEvent): void
  /** A line that is of no event. */
  tell(level: LogLevel, message: string, fields: LogFields): void
}

/**
 * What {@link logRun} does with each event, for whoever has the events and no handle.
 *
 * @param fields - said in every line
 * @example Logging a pipeline between Observables
 * ```ts
 * const messages: string[] = []
 * const note = (_fields: LogFields, message: string) => messages.push(message)
 * const logger = { debug() {}, info: note, warn: note, error: note }
 * const doubled = checkpointed('doubled', { storage: memory(), events: logEvents(logger, { job: 'doubled' }) }, (numbers) =>
 *   numbers.pipe(mapValues((n: number) => 2 * n)))
 * await lastValueFrom(of(1, 2).pipe(doubled))
 * messages.at(-1) // => 'the job has stopped behind its last checkpoint'
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function logEvents(logger: Logger, fields: LogFields = {}): EventLog {
  let epoch: number | undefined
  const tell = (level: LogLevel, message: string, own: LogFields): void =>
    say(logger, level, { ...fields, ...(epoch === undefined ? {} : { epoch }), ...own }, message)
  const log = (event: JobEvent): void => {
    if (event.kind === 'restored') epoch = event.epoch
    const { level, message, fields: own } = logLine(event)
    tell(level, message, { event: event.kind, ...own })
  }
  return Object.assign(log, { tell })
}

/** Who logs is a guest: what goes wrong there, at once or later, is not the job's. */
function say(logger: Logger, level: LogLevel, fields: LogFields, message: string): void {
  try {
    const answer: unknown = logger[level](fields, message)
    if (answer instanceof Promise) answer.catch(() => undefined)
  } catch {
    // There is nobody else to tell.
  }
}
