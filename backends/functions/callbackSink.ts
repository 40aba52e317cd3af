import { callWithin } from '../../lib/callWithin.js'
import type { CarriedSinkOptions } from '../../lib/carriedOptions.js'
import { carriedSink } from '../../lib/carriedSink.js'
import { type CodecOf, json, stateCodec } from '../../lib/codec.js'
import type { Delivery } from '../../lib/delivery.js'
import { ConfigurationError } from '../../lib/errors.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'

interface CallbackOptions<T> extends CarriedSinkOptions {
  /** How a record is kept in the checkpoint until it is delivered. Default: plain data, as it is. */
  readonly codec?: CodecOf<T>
  /** A call that takes longer has failed: its signal aborts, and it is made again. Default 60,000; `Infinity` for ever. */
  readonly timeoutMs?: number
}

export interface RecordCallbackOptions<T> extends CallbackOptions<T> {
  /** Called for each record, one after the other. The record is delivered when this has resolved. */
  readonly deliver: (delivery: Delivery<T>, signal: AbortSignal) => unknown
}

export interface BatchCallbackOptions<T> extends CallbackOptions<T> {
  /** Called for some records of one checkpoint at a time. All of them are delivered when this has resolved. */
  readonly deliverBatch: (deliveries: readonly Delivery<T>[], signal: AbortSignal) => unknown
  /** At most so many. Default 100. */
  readonly batchMax?: number
}

/**
 * Hands records to a function of yours, behind the checkpoint.
 *
 * The function is called when the checkpoint that holds the record is complete, in the order of the records, and again until it
 * resolves. Records wait in the checkpoint, so a crash in between loses none: the next run calls again, with the same `key`. So it
 * is at least once across a crash, and once by key: let the target ignore a key that it knows.
 *
 * Whatever the function throws is reported and tried again, later each time, as long as the job runs; a job that is only starting
 * ends with `SINK_IO`, to be restarted. Throw `new SinkError('SINK_REFUSED')` to end the run for good.
 *
 * **When to use** for a target that has no transactions: a mail, a queue, a map that is drawn.
 * **State** the records that are not delivered, in the checkpoint, up to `recordsMax` and `charactersMax`.
 * **Laws** commit-idempotent, uncommitted-invisible and commit-survives-reopen, counted by key; sink-remembers with `committedUpTo`
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range, `CODEC_INVALID` for what is no codec
 * @throws StreamError `VALUE_NOT_ENCODABLE` at a record that a checkpoint cannot hold
 * @example Delivering each record once its checkpoint is complete
 * ```ts
 * const sent = new Map<string, number>()
 * const mails = callbackSink<number>({ deliver: async ({ key, value }) => sent.set(key, value) })
 * await defineJob('bills', { storage: memory() }, ({ source, sink }) => source('sums', memorySource([7, 8])).pipe(sink('mails', mails))).run().done
 * ;[...sent] // => [['bills/mails/1-1/0', 7], ['bills/mails/1-1/1', 8]]
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function callbackSink<T = unknown>(options: RecordCallbackOptions<T> | BatchCallbackOptions<T>): TransactionalSink<T> {
  const { codec = json<T>(), timeoutMs = 60_000 } = options
  const { most, call } = calling(options)
  atLeast('batchMax', most, 1)
  atLeast('timeoutMs', timeoutMs, 1)
  return carriedSink<T, T>({
    ...options,
    form: (where) => stateCodec(codec, where),
    open: ({ clock }) => ({
      async deliver(deliveries, confirmed, signal) {
        for (let from = 0; from < deliveries.length; ) {
          const batch = deliveries.slice(from, from + most)
          await callWithin({ clock, timeoutMs, signal }, (own) => call(batch, own))
          from += batch.length
          confirmed(from)
        }
      },
    }),
  })
}

interface Calling<T> {
  readonly most: number
  readonly call: (batch: readonly Delivery<T>[], signal: AbortSignal) => unknown
}

function calling<T>(options: RecordCallbackOptions<T> | BatchCallbackOptions<T>): Calling<T> {
  const { deliver, deliverBatch, batchMax = 100 } = options as Partial<RecordCallbackOptions<T> & BatchCallbackOptions<T>>
  if (typeof deliver === 'function' && deliverBatch === undefined)
    return { most: 1, call: ([delivery], signal) => deliver(delivery as Delivery<T>, signal) }
  if (typeof deliverBatch === 'function' && deliver === undefined) return { most: batchMax, call: deliverBatch }
  throw new ConfigurationError('OPTION_INVALID', {
    option: 'deliver',
    found: `deliver: ${kindOf(deliver)}, deliverBatch: ${kindOf(deliverBatch)}`,
    expected: 'one function, deliver or deliverBatch',
  })
}
