/**
 * Reads an iterable, a batch at a time.
 *
 * **Invariants** `next()` is called when the one before has settled, and not before a read asks: an item ahead at most. An item
 * that was pulled is handed on or kept for the next read. What came before an error is handed on before the error.
 */
import { taskEither as TE, type task, type taskEither } from 'fp-ts'
import type { Clock } from './clock.js'
import { ConfigurationError, type ErrorDetails, InvariantViolation, SourceError } from './errors.js'
import { kindOf } from './kindOf.js'
import type { DeadLetter, SourceBatch, SourceOffset, SourceRead, SourceReader } from './ports/replayableSource.js'
import type { PulledOffsets } from './pulledOffsets.js'
import { settledWithin } from './settledWithin.js'
import { storedOffset } from './storedOffset.js'

export interface PulledReading<I, T> {
  readonly uid: string
  readonly clock: Clock
  readonly closeMs: number
  readonly offsets: PulledOffsets<I>
  readonly recordIn: (item: I) => T
  readonly letterOf?: (item: I) => DeadLetter | undefined
}

/** One call of `next()`. */
interface Pull<I> {
  outcome: { readonly result: IteratorResult<I, unknown> } | { readonly error: unknown } | undefined
  readonly settled: Promise<void>
}

/** An item that is there arrives within so many microtasks; a batch does not wait for one that is not. */
const hopsMax = 8

export class PulledReader<I, T> implements SourceReader<T> {
  readonly #reading: PulledReading<I, T>
  readonly #iterator: AsyncIterator<I> | Iterator<I>
  readonly #controller: AbortController
  /** Items that were handed on or passed over. */
  #count = 0
  #pull: Pull<I> | undefined
  #wake: (() => void) | undefined
  #closed = false

  constructor(
    reading: PulledReading<I, T>,
    iterable: AsyncIterable<I> | Iterable<I>,
    readonly start: SourceOffset,
    controller: AbortController,
  ) {
    this.#reading = reading
    this.#iterator = iteratorOf(iterable)
    this.#controller = controller
  }

  /** Passes over the first items; tells what is found where there are fewer. */
  async skip(count: number, stallMs: number): Promise<ErrorDetails | undefined> {
    while (this.#count < count) {
      const pull = this.#pulled()
      if (!(await this.#soon(pull)) && !(await settledWithin(this.#reading.clock, pull.settled, stallMs)))
        return { found: this.#count, reason: `no more came for ${stallMs} ms` }
      const result = resultOf(pull)
      if (result.done === true) return { found: this.#count }
      this.#pull = undefined
      this.#count += 1
    }
    return undefined
  }

  read(recordsMax: number): taskEither.TaskEither<SourceError, SourceRead<T>> {
    return TE.tryCatch(
      () => this.#read(recordsMax),
      (cause) => {
        if (cause instanceof SourceError) return cause
        if (cause instanceof InvariantViolation) throw cause
        return new SourceError('SOURCE_IO', { uid: this.#reading.uid }, { cause })
      },
    )
  }

  close(): task.Task<void> {
    return async () => {
      if (this.#closed) return
      this.#closed = true
      this.#controller.abort()
      this.#wake?.()
      await settledWithin(this.#reading.clock, this.#returned(), this.#reading.closeMs)
    }
  }

  /** How the end of reading goes changes nothing: every record that was handed on has been read. */
  async #returned(): Promise<void> {
    try {
      await this.#iterator.return?.()
    } catch {
      return
    }
  }

  async #read(recordsMax: number): Promise<SourceRead<T>> {
    const items: I[] = []
    while (items.length < recordsMax) {
      const pull = this.#pulled()
      if (!(await this.#soon(pull))) {
        if (items.length > 0) break
        await new Promise<void>((resolve) => {
          this.#wake = resolve
          void pull.settled.then(resolve)
        })
      }
      if (this.#closed) throw new SourceError('SOURCE_IO', { uid: this.#reading.uid, reason: 'the reader was closed' })
      // An error, or the end, is kept until the items before it are on their way.
      if (items.length > 0 && (pull.outcome === undefined || 'error' in pull.outcome || pull.outcome.result.done === true)) break
      const result = resultOf(pull)
      if (result.done === true) return { kind: 'end' }
      this.#pull = undefined
      items.push(result.value)
    }
    return { kind: 'batch', batch: this.#batch(items) }
  }

  #batch(items: readonly I[]): SourceBatch<T> {
    const { uid, offsets, recordIn, letterOf } = this.#reading
    const before = this.#count
    this.#count += items.length
    const offsetAfter = (index: number): SourceOffset => {
      if (!(index >= 0 && index < items.length)) throw new RangeError(`a batch of ${items.length} records has no index ${index}`)
      return offsets.kind === 'counted' ? before + index + 1 : storedOffset(offsets.offsetOf(items[index] as I), uid)
    }
    let malformed: Map<number, DeadLetter> | undefined
    if (letterOf !== undefined)
      items.forEach((item, index) => {
        const letter = letterOf(item)
        if (letter !== undefined) (malformed ??= new Map()).set(index, letter)
      })
    const values = items.map(recordIn)
    return malformed === undefined ? { values, offsetAfter } : { values, malformed, offsetAfter }
  }

  #pulled(): Pull<I> {
    if (this.#pull !== undefined) return this.#pull
    let next: Promise<IteratorResult<I, unknown>>
    try {
      next = Promise.resolve(this.#iterator.next())
    } catch (error) {
      next = Promise.reject(error)
    }
    const pull: { -readonly [K in keyof Pull<I>]: Pull<I>[K] } = { outcome: undefined, settled: Promise.resolve() }
    pull.settled = next.then(
      (result) => {
        pull.outcome = { result }
      },
      (error: unknown) => {
        pull.outcome = { error }
      },
    )
    this.#pull = pull
    return pull
  }

  async #soon(pull: Pull<I>): Promise<boolean> {
    for (let hop = 0; hop < hopsMax && pull.outcome === undefined; hop += 1) await undefined
    return pull.outcome !== undefined
  }
}

function resultOf<I>({ outcome }: Pull<I>): IteratorResult<I, unknown> {
  if (outcome === undefined) throw new InvariantViolation('a pull is asked for its result when it has settled')
  if ('error' in outcome) throw outcome.error
  return outcome.result
}

function iteratorOf<I>(iterable: AsyncIterable<I> | Iterable<I>): AsyncIterator<I> | Iterator<I> {
  const found = iterable as Partial<AsyncIterable<I> & Iterable<I>> | null | undefined
  const iterator = found?.[Symbol.asyncIterator]?.() ?? found?.[Symbol.iterator]?.()
  if (iterator !== undefined) return iterator
  throw new ConfigurationError('OPTION_INVALID', { option: 'open', found: kindOf(iterable), expected: 'a function that returns an iterable' })
}
