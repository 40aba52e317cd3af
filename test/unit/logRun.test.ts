import { describe, expect, test } from 'vitest'
import { jobServer } from '../../backends/jobServer/index.js'
import { memorySink } from '../../backends/memory/memorySink.js'
import { memorySource } from '../../backends/memory/memorySource.js'
import { meterRun } from '../../backends/openTelemetry/index.js'
import {
  BackendError,
  CheckpointError,
  fixedDelay,
  type JobEvent,
  type LogFields,
  type Logger,
  logEvents,
  logRun,
  messageFirst,
  SinkError,
} from '../../lib/index.js'
import { keyBy } from '../../operators/keyBy.js'
import { mapValues } from '../../operators/mapValues.js'
import { settled, testJob } from '../support/jobs.js'

interface Line extends LogFields {
  readonly level: string
  readonly message: string
}

function noting(): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = []
  const note =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ level, message, ...fields })
  return { lines, logger: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') } }
}

const phases = { barrierMs: 1, encodeMs: 2, preCommitMs: 3, publishMs: 4 }
const full = new BackendError('BACKEND_FULL', { secret: 'of ada' }, { cause: Object.assign(new Error('ada'), { code: 'ENOSPC' }) })

/** Each kind of event, and the line that it has. */
const told: { readonly [K in JobEvent['kind']]: readonly [Extract<JobEvent, { kind: K }>, string, LogFields] } = {
  restored: [
    { kind: 'restored', checkpointId: 4, epoch: 2, rows: 7, committedAgain: 1 },
    'info a checkpoint was restored',
    { checkpointId: 4, rows: 7, committedAgain: 1 },
  ],
  started: [{ kind: 'started', epoch: 2 }, 'info the job has started', {}],
  checkpointStarted: [{ kind: 'checkpointStarted', checkpointId: 5 }, 'debug a checkpoint has begun', { checkpointId: 5 }],
  checkpointCompleted: [
    { kind: 'checkpointCompleted', checkpointId: 5, durationMs: 10, rows: 2, bytes: 30, phases },
    'debug a checkpoint is complete',
    { checkpointId: 5, durationMs: 10, rows: 2, bytes: 30, ...phases },
  ],
  checkpointCommitted: [{ kind: 'checkpointCommitted', checkpointId: 5 }, 'debug everything in a checkpoint is committed', { checkpointId: 5 }],
  checkpointAborted: [
    { kind: 'checkpointAborted', checkpointId: 6, error: new CheckpointError('CHECKPOINT_DECLINED', { uid: 'out' }, { cause: full }) },
    'warn a checkpoint has failed; the job goes on',
    { checkpointId: 6, uid: 'out', error: 'CheckpointError', code: 'CHECKPOINT_DECLINED', causes: ['BACKEND_FULL', 'ENOSPC'] },
  ],
  savepointCompleted: [{ kind: 'savepointCompleted', checkpointId: 5, rows: 9 }, 'info a savepoint is complete', { checkpointId: 5, rows: 9 }],
  commitRetried: [
    { kind: 'commitRetried', checkpointId: 5, uid: 'out', attempt: 2, error: new SinkError('SINK_IO', {}) },
    'warn a commit has failed and is tried again',
    { checkpointId: 5, uid: 'out', attempt: 2, code: 'SINK_IO' },
  ],
  eventTimeHeldBack: [
    { kind: 'eventTimeHeldBack', path: 'a > b', watermark: 3, forMs: 60_000 },
    'warn a silent input holds event time back',
    { path: 'a > b', watermark: 3, forMs: 60_000 },
  ],
  sourceEnded: [{ kind: 'sourceEnded', uid: 'numbers' }, 'info a source has ended', { uid: 'numbers' }],
  sideOutputUntapped: [
    { kind: 'sideOutputUntapped', operator: 'window', tag: 'late', records: 3 },
    'warn nobody reads a side output',
    { operator: 'window', tag: 'late', records: 3 },
  ],
  recordsDropped: [
    { kind: 'recordsDropped', operator: 'window', reason: 'windowEnded', records: 3 },
    'warn an operator has dropped records',
    { operator: 'window', reason: 'windowEnded', records: 3 },
  ],
  failed: [
    { kind: 'failed', error: new TypeError('ada is no number') },
    'error the job has failed; its restart strategy decides',
    { error: 'TypeError' },
  ],
  stopped: [{ kind: 'stopped', drained: true }, 'info the job has stopped behind its last checkpoint', { drained: true }],
}

describe('the log of a run', () => {
  test.each(Object.values(told))('has a line for $kind', (event, said, fields) => {
    const { logger, lines } = noting()
    const log = logEvents(logger, { job: 'orders' })
    log({ kind: 'restored', checkpointId: 4, epoch: 2, rows: 7, committedAgain: 1 })
    log(event)
    const line = lines.at(-1) as Line
    expect(`${line.level} ${line.message}`).toBe(said)
    expect(line).toMatchObject({ job: 'orders', epoch: 2, event: event.kind, ...fields })
    expect(JSON.stringify(line)).not.toContain('ada')
  })

  test('tells a first start from a restore', () => {
    const { logger, lines } = noting()
    logEvents(logger)({ kind: 'restored', checkpointId: undefined, epoch: 1, rows: 0, committedAgain: 0 })
    expect(lines).toMatchObject([{ message: 'nothing to restore: the job begins anew', epoch: 1 }])
  })

  test('has nothing of a record, of a key or of the message of an error', async () => {
    const { logger, lines } = noting()
    const refuse = (name: string): string => {
      throw Object.assign(new RangeError(`no place for ${name}`), { code: `for ${name}`, name: `Error of ${name}` })
    }
    const { job } = testJob(({ source, sink }) =>
      source('names', memorySource(['ada'])).pipe(
        keyBy((name) => name),
        mapValues(refuse),
        sink('out', memorySink<string>()),
      ),
    )
    const run = job.run()
    logRun(run, logger, { host: 'here' })
    await expect(run.done).rejects.toThrow('no place for ada')
    expect(lines.at(-1)).toEqual({ level: 'error', message: 'the job has ended with an error', job: 'job', host: 'here', epoch: 1, error: 'Error' })
    expect(JSON.stringify(lines)).not.toContain('ada')
  })

  test('has each failure behind which the job starts again, with the epoch of the run that failed', async () => {
    let lives = 0
    const { job, clock } = testJob(({ source, sink }) => {
      lives += 1
      const fails = lives === 1
      return source('numbers', memorySource([1])).pipe(
        mapValues((n) => {
          if (fails) throw new Error('once')
          return n
        }),
        sink('out', memorySink<number>()),
      )
    })
    const { logger, lines } = noting()
    const run = job.run({ restart: fixedDelay({ attempts: 1, delayMs: 10, clock }) })
    logRun(run, logger)
    await settled()
    clock.advance(10)
    await run.done
    const messages = lines.filter(({ level }) => level !== 'debug').map(({ message, epoch }) => `${epoch} ${message}`)
    expect(messages).toEqual([
      '1 nothing to restore: the job begins anew',
      '1 the job has started',
      '1 the job has failed; its restart strategy decides',
      '2 nothing to restore: the job begins anew',
      '2 the job has started',
      '2 a source has ended',
      '2 the job has stopped behind its last checkpoint',
    ])
  })

  test('says that a job was cancelled, and goes quiet where it is ended', async () => {
    const { logger, lines } = noting()
    const begin = async () => {
      const { job } = testJob(({ source, sink }) => source('numbers', memorySource([1], { bounded: false })).pipe(sink('out', memorySink<number>())))
      const run = job.run()
      const end = logRun(run, logger)
      await settled()
      return { run, end }
    }
    const { run } = await begin()
    run.cancel()
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'the job was cancelled', epoch: 1 })
    const other = await begin()
    other.end()
    const before = lines.length
    await other.run.stop()
    expect(lines).toHaveLength(before)
  })

  test('does not harm the job where the logger throws, at once or later', async () => {
    for (const fail of [
      () => {
        throw new Error('the disk of the log is full')
      },
      () => Promise.reject(new Error('nobody listens')),
    ]) {
      const out = memorySink<number>()
      const { job } = testJob(({ source, sink }) => source('numbers', memorySource([1, 2])).pipe(sink('out', out)))
      const run = job.run()
      logRun(run, { debug: fail, info: fail, warn: fail, error: fail })
      await run.done
      expect(out.committed).toEqual([1, 2])
    }
  })

  test('takes console as it is, and loggers that want the message first', () => {
    const both: Logger[] = [console, messageFirst(console)]
    expect(both).toHaveLength(2)
    const said: unknown[] = []
    const say = (...args: unknown[]): void => void said.push(args)
    const logger = messageFirst({ debug: say, info: say, warn: say, error: say })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({ uid: level }, 'message')
    expect(said).toEqual(['debug', 'info', 'warn', 'error'].map((uid) => ['message', { uid }]))
  })

  test('tells a cause that is its own cause once in a while, not for ever', () => {
    const { logger, lines } = noting()
    const error = new Error('round')
    error.cause = error
    logEvents(logger)({ kind: 'failed', error })
    expect(lines[0]?.['causes']).toHaveLength(5)
    logEvents(logger)({ kind: 'failed', error: 'a text' })
    expect(lines[1]).toMatchObject({ error: 'string' })
  })
})

test('a run that fails does not end the process for having a meter or a server', async () => {
  const unheard: unknown[] = []
  const note = (error: unknown): void => void unheard.push(error)
  process.on('uncaughtException', note)
  try {
    const { job } = testJob(({ source, sink }) =>
      source('numbers', memorySource([1])).pipe(
        mapValues((): number => {
          throw new Error('refused')
        }),
        sink('out', memorySink<number>()),
      ),
    )
    const run = job.run()
    const instrument = () => ({ addCallback() {}, removeCallback() {} })
    meterRun(run, { createObservableGauge: instrument, createObservableCounter: instrument, createHistogram: () => ({ record() {} }) })
    const server = await jobServer(run, { token: '0123456789abcdef' })
    await expect(run.done).rejects.toThrow('refused')
    // rxjs throws what nobody hears behind a timer of no time; timers of one length fire in their order.
    await new Promise((resolve) => setTimeout(resolve, 0))
    await server.close()
    expect(unheard).toEqual([])
  } finally {
    process.off('uncaughtException', note)
  }
})
