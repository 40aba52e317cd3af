import { option as O, taskEither as TE } from 'fp-ts'
import { RestoreError, SourceError } from '../../lib/errors.js'
import { atLeast } from '../../lib/limits.js'
import type { ReplayableSource, SourceContext, SourceOffset, SourceRead, SourceReader } from '../../lib/ports/replayableSource.js'

export interface MemorySourceOptions {
  /** Ends behind the last value. Otherwise it waits there for `push` and `end`. Default true. */
  readonly bounded?: boolean
  /** Hands over at most so many values at once, whatever is asked for. Default: as many as asked for. */
  readonly batchMax?: number
  /** What to do when the values at the offset were discarded or never existed. Default `'fail'`. */
  readonly onOffsetGone?: 'fail' | 'earliest'
}

export interface MemorySource<T> extends ReplayableSource<T> {
  /** Adds values to a source that is not bounded. */
  push(...values: readonly T[]): void
  /** No more values will come. Idempotent. */
  end(): void
  /** Forgets all values before `offset`, as a queue does when they are too old: reading from before it is an error then. */
  discardBefore(offset: number): void
}

/**
 * Reads values from memory, from any of them on.
 *
 * The offset of a value is its index. The values live as long as this object: hand the same one to every run.
 *
 * **When to use** in tests, and for values that the program has anyway.
 * **Laws** replay-equivalence · offset-monotone · every-offset-resumes · gone-is-an-error
 *
 * @throws ConfigurationError `OPTION_INVALID` when `batchMax` is below 1
 * @throws TypeError from `push` when the source has ended
 * @category sources and sinks
 * @since 0.1.0
 */
export function memorySource<T>(values: Iterable<T>, options: MemorySourceOptions = {}): MemorySource<T> {
  const { bounded = true, batchMax = Number.POSITIVE_INFINITY, onOffsetGone = 'fail' } = options
  atLeast('batchMax', batchMax, 1)
  const held: T[] = [...values]
  /** The index of the first value that is held. */
  let first = 0
  let ended = bounded
  let waiting: (() => void)[] = []
  const wakeAll = (): void => {
    const waiters = waiting
    waiting = []
    for (const wake of waiters) wake()
  }
  const end = (): number => first + held.length

  const startOf = ({ from }: SourceContext): number => {
    if (O.isNone(from)) return first
    const offset = from.value
    if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
      throw new RestoreError('STATE_KIND_CHANGED', { reason: 'the stored offset is not one of a memory source' })
    if (offset >= first && offset <= end()) return offset
    if (onOffsetGone === 'earliest') return first
    throw new RestoreError(offset < first ? 'SOURCE_OFFSET_GONE' : 'SOURCE_OFFSET_AHEAD', { offset, first, end: end() })
  }

  const readerFrom = (start: number): SourceReader<T> => {
    let position = start
    let closed = false
    const read = async (recordsMax: number): Promise<SourceRead<T>> => {
      while (!closed && position === end() && !ended) await new Promise<void>((resolve) => waiting.push(resolve))
      if (closed) throw new SourceError('SOURCE_IO', { reason: 'the reader was closed' })
      if (position < first) throw new SourceError('SOURCE_IO', { reason: 'the values were discarded before they were read', position, first })
      if (position === end()) return { kind: 'end' }
      const from = position
      const batch = held.slice(from - first, from - first + Math.min(recordsMax, batchMax))
      position += batch.length
      const offsetAfter = (index: number): SourceOffset => {
        if (!(index >= 0 && index < batch.length)) throw new RangeError(`a batch of ${batch.length} records has no index ${index}`)
        return from + index + 1
      }
      return { kind: 'batch', batch: { values: batch, offsetAfter } }
    }
    return {
      start,
      read: (recordsMax) => TE.tryCatch(() => read(recordsMax), asSourceError),
      close: () => async () => {
        closed = true
        wakeAll()
      },
    }
  }

  return {
    offsets: 'replayable',
    open: (context) => TE.tryCatch(async () => readerFrom(startOf(context)), asRestoreError),
    push(...more) {
      if (ended) throw new TypeError('a memory source that has ended takes no more values. Hint: pass { bounded: false }')
      for (const value of more) held.push(value)
      wakeAll()
    },
    end() {
      ended = true
      wakeAll()
    },
    discardBefore(offset) {
      const count = Math.min(Math.max(0, offset - first), held.length)
      held.splice(0, count)
      first += count
    },
  }
}

/** Nothing but our own errors can come out of memory: anything else is a mistake and stays a rejection. */
function asSourceError(cause: unknown): SourceError {
  if (cause instanceof SourceError) return cause
  throw cause
}

function asRestoreError(cause: unknown): RestoreError {
  if (cause instanceof RestoreError) return cause
  throw cause
}
