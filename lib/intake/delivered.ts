/**
 * Results that are handed out when the checkpoint that holds them is complete.
 *
 * **Invariants** A result is in the manifest, with its number, before anybody sees it; so it never gets another one. It is handed out
 * again, with the same number, until the next manifest no longer names it: at least once across a crash, once by its id.
 */
import { carriedSink } from '../carriedSink.js'
import { BackendError, SinkError } from '../errors.js'
import type { Machine } from '../machine.js'
import type { TransactionalSink } from '../ports/transactionalSink.js'
import type { StateCodec } from '../stateCodec.js'

/** A result with the id that it keeps for ever. */
export interface Delivered<out T> {
  /** Unique over all results of all pipelines: their name and `sequence`. */
  readonly id: string
  /** Counts the results of the pipeline from 0, along its life and over restarts. Results come in this order. */
  readonly sequence: number
  readonly value: T
}

export interface Numbered<out T> {
  readonly sequence: number
  readonly value: T
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

export interface DeliveryOptions<T> {
  readonly name: string
  readonly codec: StateCodec<T>
  /** Results that wait for a checkpoint; while there are so many the sources pause. */
  readonly undeliveredMax: number
  /** Nobody listens any more where it answers false. */
  deliver(result: Delivered<T>): boolean
}

const numberedForm = /^(\d+) /

/** A sink that hands out to a subscriber. Its transactions live in the manifest alone. */
export const toSubscriber = <T>({ name, codec, undeliveredMax, deliver }: DeliveryOptions<T>): TransactionalSink<Numbered<T>> =>
  carriedSink<Numbered<T>, Numbered<T>>({
    recordsMax: undeliveredMax,
    form: () => ({
      version: codec.version,
      toText: ({ sequence, value }) => `${sequence} ${codec.toText(value)}`,
      fromText(text, version) {
        const sequence = numberedForm.exec(text)
        if (sequence === null) throw new BackendError('SNAPSHOT_CORRUPT', { what: 'a result in the checkpoint', reason: 'it has no number' })
        return { sequence: Number(sequence[1]), value: codec.fromText(text.slice(sequence[0].length), version) }
      },
    }),
    open: () => ({
      async deliver(deliveries, confirmed) {
        for (const [index, { value: result }] of deliveries.entries()) {
          if (!deliver({ id: `${name}:${result.sequence}`, ...result }))
            throw new SinkError('SINK_IO', { sequence: result.sequence, reason: 'nobody listens any more' })
          confirmed(index + 1)
        }
      },
    }),
  })
