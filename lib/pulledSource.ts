import { either as E, option as O, taskEither as TE } from 'fp-ts'
import { decodeWith } from './codec.js'
import { ConfigurationError, RestoreError, SourceError } from './errors.js'
import { kindOf } from './kindOf.js'
import { atLeast } from './limits.js'
import type { DeadLetter, ReplayableSource, SourceContext, SourceOffset, SourceReader } from './ports/replayableSource.js'
import type { PulledOffsets } from './pulledOffsets.js'
import { PulledReader } from './pulledReader.js'
import type { SideOutput } from './sideOutput.js'

/** What all sources have in common that are pulled out of an iterable. */
export interface PulledSourceOptions {
  /** What to do when the iterable no longer has what the checkpoint read: fail, or start over from its beginning. Default `'fail'`. */
  readonly onOffsetGone?: 'fail' | 'earliest'
  /** Items before the offset are passed over; where none comes for so long, the data is taken for shorter than it was. Default 30,000. */
  readonly skipStallMs?: number
  /** How long closing waits for an iterable that does not listen to its signal. Default 5,000. */
  readonly closeMs?: number
}

export interface PulledSource<I, T> extends PulledSourceOptions {
  readonly offsets: PulledOffsets<I>
  readonly recordIn: (item: I) => T
  /** Why an item is no record, if so. */
  readonly letterOf?: (item: I) => DeadLetter | undefined
  readonly deadLetters?: SideOutput<DeadLetter> | undefined
}

/** A replayable source over something that is iterated: it is pulled when the run asks, an item ahead at most. */
export function pulledSource<I, T>(source: PulledSource<I, T>): ReplayableSource<T> {
  const { offsets, onOffsetGone = 'fail', skipStallMs = 30_000, closeMs = 5_000 } = source
  atLeast('skipStallMs', skipStallMs, 1)
  atLeast('closeMs', closeMs, 0)
  if (typeof offsets.open !== 'function')
    throw new ConfigurationError('OPTION_INVALID', { option: 'open', found: kindOf(offsets.open), expected: 'a function' })
  const decode = offsets.kind === 'told' ? decodeWith(offsets.offset) : undefined

  /** Offsets come from a checkpoint: they are checked like any input. */
  const startOf = ({ from, uid }: SourceContext): SourceOffset | undefined => {
    if (O.isNone(from)) return undefined
    const offset = from.value
    if (decode === undefined) {
      if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return offset
      throw new RestoreError('STATE_KIND_CHANGED', { uid, reason: 'the stored offset is not a count of items' })
    }
    // Nothing had been read when the checkpoint was taken.
    if (offset === null) return undefined
    const decoded = decode(offset)
    if (E.isRight(decoded)) return offset
    throw new RestoreError('CODEC_MISMATCH', { uid, what: 'offset', reason: decoded.left })
  }

  const opened = async (context: SourceContext, start: SourceOffset | undefined): Promise<SourceReader<T>> => {
    const reading = { ...source, closeMs, uid: context.uid, clock: context.clock }
    const controller = new AbortController()
    const { signal } = controller
    if (offsets.kind === 'told') {
      const iterable = await offsets.open(start, signal)
      return new PulledReader(reading, iterable, start ?? null, controller)
    }
    const count = (start ?? 0) as number
    const reader = new PulledReader<I, T>(reading, await offsets.open(signal), count, controller)
    try {
      const found = await reader.skip(count, skipStallMs)
      if (found !== undefined) throw new RestoreError('SOURCE_OFFSET_AHEAD', { uid: context.uid, offset: count, ...found })
    } catch (error) {
      await reader.close()()
      throw error
    }
    return reader
  }

  const openedOrEarliest = async (context: SourceContext): Promise<SourceReader<T>> => {
    const start = startOf(context)
    try {
      return await opened(context, start)
    } catch (error) {
      const isGone = error instanceof RestoreError && (error.code === 'SOURCE_OFFSET_AHEAD' || error.code === 'SOURCE_OFFSET_GONE')
      if (!isGone || onOffsetGone === 'fail') throw error
      return opened(context, undefined)
    }
  }

  return {
    offsets: 'replayable',
    deadLetters: source.deadLetters,
    open: (context) =>
      TE.tryCatch(
        () => openedOrEarliest(context),
        (cause) => openFailure(cause, context.uid),
      ),
  }
}

function openFailure(cause: unknown, uid: string): SourceError | RestoreError {
  if (cause instanceof SourceError || cause instanceof RestoreError) return cause
  if (cause instanceof ConfigurationError) throw cause
  return new SourceError('SOURCE_IO', { uid }, { cause })
}
