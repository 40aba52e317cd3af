import { unreachable } from '../errors.js'
import type { JobEvent } from '../events.js'
import { failureFields } from './failureFields.js'
import type { LogFields, LogLevel } from './logger.js'

/** What is told of one event. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

const line = (level: LogLevel, message: string, fields: LogFields = {}): LogLine => ({ level, message, fields })

/**
 * The line of an event. What comes with every checkpoint is for whoever looks for something (`debug`), what happens once is `info`, what
 * somebody should look at while the job goes on is `warn`.
 */
export function logLine(event: JobEvent): LogLine {
  switch (event.kind) {
    case 'restored': {
      const { checkpointId, rows, committedAgain } = event
      if (checkpointId === undefined) return line('info', 'nothing to restore: the job begins anew')
      return line('info', 'a checkpoint was restored', { checkpointId, rows, committedAgain })
    }
    case 'started':
      return line('info', 'the job has started')
    case 'checkpointStarted':
      return line('debug', 'a checkpoint has begun', { checkpointId: event.checkpointId })
    case 'checkpointCompleted': {
      const { checkpointId, durationMs, rows, bytes, phases } = event
      return line('debug', 'a checkpoint is complete', { checkpointId, durationMs, rows, bytes, ...phases })
    }
    case 'checkpointCommitted':
      return line('debug', 'everything in a checkpoint is committed', { checkpointId: event.checkpointId })
    case 'checkpointAborted':
      return line('warn', 'a checkpoint has failed; the job goes on', { ...failureFields(event.error), checkpointId: event.checkpointId })
    case 'savepointCompleted':
      return line('info', 'a savepoint is complete', { checkpointId: event.checkpointId, rows: event.rows })
    case 'commitRetried': {
      const { checkpointId, uid, attempt, error } = event
      return line('warn', 'a commit has failed and is tried again', { ...failureFields(error), checkpointId, uid, attempt })
    }
    case 'eventTimeHeldBack': {
      const { path, watermark, forMs } = event
      return line('warn', 'a silent input holds event time back', { path, watermark, forMs })
    }
    case 'sourceEnded':
      return line('info', 'a source has ended', { uid: event.uid })
    case 'sideOutputUntapped': {
      const { operator, tag, records } = event
      return line('warn', 'nobody reads a side output', { operator, tag, records })
    }
    case 'recordsDropped': {
      const { operator, reason, records } = event
      return line('warn', 'an operator has dropped records', { operator, reason, records })
    }
    case 'failed':
      return line('error', 'the job has failed; its restart strategy decides', failureFields(event.error))
    case 'stopped':
      return line('info', 'the job has stopped behind its last checkpoint', { drained: event.drained })
    default:
      return unreachable(event)
  }
}
