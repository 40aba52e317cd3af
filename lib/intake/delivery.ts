/**
 * Results that are handed out when the checkpoint that holds them is complete.
 *
 * **Invariants** A result is in the manifest, with its number, before anybody sees it; so it never gets another one. It is handed out
 * again, with the same number, until the next manifest no longer names it: at least once across a crash, once by its id.
 */
import { either as E, option as O, type task, type taskEither } from 'fp-ts'
import * as t from 'io-ts'
import { SinkError } from '../errors.js'
import type { Machine } from '../machine.js'
import type { CommittedUpTo, SinkWriter, TransactionalSink, TransactionHandle } from '../ports/transactionalSink.js'
import type { StateCodec } from '../stateCodec.js'

/** A result with the id that it keeps for ever. */
export interface Delivered<out T> {
  /** Unique over all results of all pipelines: their name and `sequence`. */
  readonly id: string
  /** Counts the results of the pipeline from 0, along its life and over restarts. Results come in this order. */
  readonly sequence: number
  readonly value: T
}

export interface DeliveryOptions<T> {
  readonly name: string
  readonly codec: StateCodec<T>
  /** Results that wait for a checkpoint; while there are so many the sources pause. */
  readonly undeliveredMax: number
  /** Nobody listens any more where it answers false. */
  deliver(result: Delivered<T>): boolean
}

const Handle = t.type({ first: t.number, version: t.number, values: t.array(t.string) })

/** A sink that hands out to a subscriber. Its transactions live in the manifest alone. */
export const delivery = <T>(options: DeliveryOptions<T>): TransactionalSink<Numbered<T>> => ({
  commits: 'transactional',
  forgets: true,
  open:
    ({ askCheckpoint }) =>
    async () =>
      E.right(new DeliveryWriter<T>(options, askCheckpoint)),
})

export interface Numbered<out T> {
  readonly sequence: number
  readonly value: T
}

interface Written<T> extends Numbered<T> {
  readonly text: string
}

/** Numbers results along the life of the pipeline: the next number is state. */
export function numbering<T>(emit: (result: Numbered<T>, timestamp: number | undefined) => void): Machine<T> {
  let sequence = 0
  return {
    processRecord(value, timestamp) {
      emit({ sequence, value }, timestamp)
      sequence += 1
    },
    snapshotState: () => sequence,
    restoreState(stored) {
      sequence = stored as number
    },
  }
}

class DeliveryWriter<T> implements SinkWriter<Numbered<T>> {
  private current: Written<T>[] = []
  /** Results of this run that were not handed out yet, by the number of the first of their transaction. */
  private readonly prepared = new Map<number, readonly Numbered<T>[]>()
  private drainers: (() => void)[] = []
  private closed = false

  constructor(
    private readonly options: DeliveryOptions<T>,
    private readonly askCheckpoint: () => void = () => undefined,
  ) {}

  committedUpTo(): taskEither.TaskEither<SinkError, O.Option<CommittedUpTo>> {
    return async () => E.right(O.none)
  }

  abortOthers(): taskEither.TaskEither<SinkError, void> {
    return async () => E.right(undefined)
  }

  write(result: Numbered<T>): void {
    // What cannot be written must not wait for the barrier: here it ends the run before anything was taken for done.
    this.current.push({ ...result, text: this.options.codec.toText(result.value) })
    if (this.current.length === this.options.undeliveredMax) this.askCheckpoint()
  }

  full(): boolean {
    return this.current.length >= this.options.undeliveredMax
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.full() && !this.closed) this.drainers.push(resolve)
      else resolve()
    })
  }

  preCommit(): taskEither.TaskEither<SinkError, O.Option<TransactionHandle>> {
    const results = this.current
    this.current = []
    this.release()
    const [first] = results
    if (first === undefined) return async () => E.right(O.none)
    const { codec } = this.options
    this.prepared.set(first.sequence, results)
    return async () => E.right(O.some({ first: first.sequence, version: codec.version, values: results.map(({ text }) => text) }))
  }

  commit(handle: TransactionHandle): taskEither.TaskEither<SinkError, void> {
    return async () => {
      const results = this.resultsOf(handle)
      for (const { sequence, value } of results) {
        const delivered = !this.closed && this.options.deliver({ id: `${this.options.name}:${sequence}`, sequence, value })
        if (!delivered) return E.left(new SinkError('SINK_IO', { sequence, reason: 'nobody listens any more' }))
      }
      const [first] = results
      if (first !== undefined) this.prepared.delete(first.sequence)
      return E.right(undefined)
    }
  }

  close(): task.Task<void> {
    return async () => {
      this.closed = true
      this.release()
    }
  }

  private resultsOf(handle: TransactionHandle): readonly Numbered<T>[] {
    const decoded = Handle.decode(handle)
    if (E.isLeft(decoded)) throw new SinkError('TRANSACTION_DAMAGED', { reason: 'the results of a checkpoint have another form' })
    const { first, version, values } = decoded.right
    const known = this.prepared.get(first)
    if (known !== undefined) return known
    return values.map((text, index) => ({ sequence: first + index, value: this.options.codec.fromText(text, version) }))
  }

  private release(): void {
    for (const resolve of this.drainers.splice(0)) resolve()
  }
}
