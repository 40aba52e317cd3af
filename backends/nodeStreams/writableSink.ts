import type { Writable } from 'node:stream'
import type { CarriedSinkOptions } from '../../lib/carriedOptions.js'
import { carriedSink } from '../../lib/carriedSink.js'
import { type CodecOf, json, stateCodec } from '../../lib/codec.js'
import type { Delivery } from '../../lib/delivery.js'
import { ConfigurationError } from '../../lib/errors.js'
import { jsonOf } from '../../lib/jsonOf.js'
import { kindOf } from '../../lib/kindOf.js'
import { atLeast } from '../../lib/limits.js'
import type { TransactionalSink } from '../../lib/ports/transactionalSink.js'
import { WritableTarget } from './writableTarget.js'

interface StreamOptions extends CarriedSinkOptions {
  /** Makes the stream; again after it has failed. */
  readonly open: () => Writable | PromiseLike<Writable>
  /** A stream that takes nothing for so long has failed, and is destroyed. Default 60,000; `Infinity` for ever. */
  readonly timeoutMs?: number
  /** What becomes of the stream when the run ends: it is ended, or left to others, as `process.stdout` has to be. Default `'end'`. */
  readonly atClose?: 'end' | 'leave'
}

export interface TextWritableOptions<T> extends StreamOptions {
  readonly objectMode?: false
  /** What is written of a value: `JSON.stringify` of what this returns. Default: the value. */
  readonly encode?: (value: T) => unknown
  /** The text of a record, its JSON as `value`. Default: the JSON and a newline. */
  readonly line?: (delivery: Delivery<string>) => string
}

export interface ObjectWritableOptions<T> extends StreamOptions {
  /** Writes deliveries, `{ value, key, … }`, to a stream of objects. */
  readonly objectMode: true
  /** How a record is kept in the checkpoint until it is delivered. Default: plain data, as it is. */
  readonly codec?: CodecOf<T>
}

/**
 * Writes records to a Node stream, behind the checkpoint.
 *
 * A record is written when the checkpoint that holds it is complete, in order, and is delivered when the stream has called back for
 * it. A stream that is full is waited for; one that fails is opened again. A crash in between writes again, with the same `key`: at
 * least once across a crash, once by key, where the reader of the stream looks at keys. A stream does not say more than that it has
 * taken something: whether that survives is between the stream and its target.
 *
 * **When to use** for a socket, a compressor, the standard output of a program; for files, `jsonLinesSink` is exactly once.
 * **State** the records that are not delivered, in the checkpoint, up to `recordsMax` and `charactersMax`.
 * **Laws** commit-idempotent, uncommitted-invisible and commit-survives-reopen, counted by key; sink-remembers with `committedUpTo`
 *
 * @throws ConfigurationError `OPTION_INVALID` when a limit is out of its range
 * @throws StreamError `VALUE_NOT_ENCODABLE` at a record that cannot be written
 * @example Writing lines
 * ```ts
 * import { PassThrough } from 'node:stream'
 * import { text } from 'node:stream/consumers'
 * import { defineJob } from 'rxweir'
 * import { memory, memorySource } from 'rxweir/backends/memory'
 * import { writableSink } from 'rxweir/backends/nodeStreams'
 *
 * const stream = new PassThrough()
 * const out = writableSink<number>({ open: () => stream })
 * await defineJob('copy', { storage: memory() }, ({ source, sink }) => source('in', memorySource([1, 2])).pipe(sink('out', out))).run().done
 * await text(stream) // => '1\n2\n'
 * ```
 * @category sources and sinks
 * @since 0.2.0
 */
export function writableSink<T = unknown>(options: TextWritableOptions<T> | ObjectWritableOptions<T>): TransactionalSink<T> {
  const { open, timeoutMs = 60_000, atClose = 'end' } = options
  atLeast('timeoutMs', timeoutMs, 1)
  if (typeof open !== 'function') throw new ConfigurationError('OPTION_INVALID', { option: 'open', found: kindOf(open), expected: 'a function' })
  if (options.objectMode === true) {
    const { codec = json<T>() } = options
    return carriedSink<T, T>({
      ...options,
      form: (where) => stateCodec(codec, where),
      open: ({ clock }) => new WritableTarget<T>({ open, timeoutMs, atClose, clock, chunkOf: (delivery) => delivery }),
    })
  }
  const { encode = (value) => value, line = ({ value }) => `${value}\n` } = options
  return carriedSink<T, string>({
    ...options,
    form: (where) => ({ version: 1, toText: (value) => jsonOf(encode(value), where), fromText: (text) => text }),
    open: ({ clock }) => new WritableTarget<string>({ open, timeoutMs, atClose, clock, chunkOf: line }),
  })
}
