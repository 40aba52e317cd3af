import { either as E, type taskEither } from 'fp-ts'
import { BackendError, invariant } from '../../lib/errors.js'
import type { Journal } from '../../lib/ports/journal.js'

/** The entries of one job, as long as the store that holds it lives. */
export class MemoryLog {
  first = 0
  bytes = 0
  readonly entries: string[] = []
}

/**
 * A journal in the memory of this process: it survives what the store survives.
 *
 * @param requireWriter - throws once a newer session has taken over, or this one is closed
 */
export function memoryJournal(log: MemoryLog, requireWriter: () => void): Journal {
  let closed = false
  const task =
    <A>(work: () => A): taskEither.TaskEither<BackendError, A> =>
    async () => {
      try {
        if (closed) throw new BackendError('BACKEND_NOT_OPEN', { reason: 'the journal is closed' })
        requireWriter()
        return E.right(work())
      } catch (error) {
        if (error instanceof BackendError) return E.left(error)
        throw error
      }
    }
  return {
    get first() {
      return log.first
    },
    get end() {
      return log.first + log.entries.length
    },
    get bytes() {
      return log.bytes
    },
    append: (entries) =>
      task(() => {
        for (const entry of entries) {
          log.entries.push(entry)
          log.bytes += 2 * entry.length
        }
      }),
    read: (from, entriesMax) =>
      task(() => {
        invariant(from >= log.first, 'what is read is kept')
        return log.entries.slice(from - log.first, from - log.first + entriesMax)
      }),
    trim: (before) =>
      task(() => {
        const count = Math.min(Math.max(0, before - log.first), log.entries.length)
        for (const entry of log.entries.splice(0, count)) log.bytes -= 2 * entry.length
        log.first += count
      }),
    close: () => async () => {
      closed = true
    },
  }
}
