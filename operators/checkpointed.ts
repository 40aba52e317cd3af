import type { Observable, OperatorFunction } from 'rxjs'
import type { CodecOf } from '../lib/codec.js'
import { json } from '../lib/codec.js'
import { ConsecutiveRuns } from '../lib/consecutiveRuns.js'
import type { CheckpointOptions } from '../lib/coordinator.js'
import type { AnyStream, Stream } from '../lib/element.js'
import { emits } from '../lib/emits.js'
import { ConfigurationError } from '../lib/errors.js'
import type { JobEvent } from '../lib/events.js'
import { operatorUid } from '../lib/identity.js'
import type { Delivered } from '../lib/intake/delivered.js'
import { type PlainInput, PlainRun } from '../lib/intake/plainPipeline.js'
import { type JobOptions, runOptionsOf } from '../lib/jobOptions.js'
import { atLeast } from '../lib/limits.js'
import { observable } from '../lib/operate.js'
import { mapState } from '../lib/state/mapState.js'
import { stateCodec } from '../lib/stateCodec.js'
import { processUnkeyed } from './processUnkeyed.js'

export interface CheckpointedOptions<T> extends JobOptions {
  /** Nobody cancels it but by letting go, which retains them. */
  readonly checkpoints?: CheckpointOptions
  /**
   * Notes each value down, durably, before it is processed, so that one that cannot come again is not lost: `true`, or the codec of
   * the values. Without it the state survives, and what came after the last checkpoint does not. Default no.
   */
  readonly journal?: boolean | CodecOf<T>
  /** Names a value of a source that repeats itself when it is subscribed to again (`from`, a file): each id counts once. */
  readonly id?: (value: T) => string
  /** How long an id is remembered after it came; `Infinity` (default) for ever. */
  readonly idKeptMs?: number
  /**
   * What it means that the source completes. `finish` (default): it has come to its end; the results of the end are handed out, and the
   * pipeline is over for good. `suspend`: it is only cut off, by `takeUntil` at a shutdown; the next subscription goes on.
   */
  readonly atEnd?: 'finish' | 'suspend'
  /** Values that have arrived and are not noted down, or without a journal not processed, yet. More ends the run. Default 1,000,000. */
  readonly receivedMax?: number
  /** Bytes that the journal may keep. More ends the run. Default 1 GiB. */
  readonly journalBytesMax?: number
  /** Told what happens, as the subscribers of a job are. */
  readonly events?: (event: JobEvent) => void
}

export interface ImmediateDelivery {
  /** Results are handed out as they come; after a crash those since the last checkpoint come again. */
  readonly delivery?: 'immediate'
}

export interface DeliveryWithCheckpoint<R> {
  /** Results are handed out when the checkpoint behind them is complete, each with an id that it keeps for ever. */
  readonly delivery: 'withCheckpoint'
  /** The codec of the results; plain data needs none. */
  readonly results?: CodecOf<R>
  /** Results that wait for a checkpoint; while there are so many no value is processed. Default 10,000. */
  readonly undeliveredMax?: number
}

/** What the function of {@link checkpointed} is given beside the stream of its source. */
export interface InputScope {
  /** Opens a further Observable as an input: it is noted down in the same sequence. */
  input<U>(uid: string, values: Observable<U>, options?: { readonly journal?: CodecOf<NoInfer<U>> }): Stream<U>
}

/**
 * Makes a part of an RxJS pipeline recoverable: values in, values out.
 *
 * What `build` makes of the stream keeps its state in `storage`. A subscription restores the newest complete checkpoint, processes
 * what was noted down since, and goes on; so a restart of the process, or `retry()` outside, goes on where it was.
 *
 * **When to use** to add state that survives to RxJS code that you have; where source and sink can be replayed, use `defineJob`.
 * **State** that of the operators in `build`, under `name`; the journal of the inputs, trimmed at each complete checkpoint.
 * **Barrier** starts at the inputs, between two values. Results wait for it with `delivery: 'withCheckpoint'`, else they do not.
 *
 * Results come asynchronously, also of a source that is synchronous. An error of the source passes when all that came before it is
 * in a checkpoint. Unsubscribing ends the run as a crash does.
 *
 * @param name - names the state and the journal in the storage
 * @param build - called anew for each subscription
 * @throws ConfigurationError `NAME_INVALID`, `OPTION_INVALID`, `CODEC_INVALID`, `STORAGE_WITHOUT_JOURNAL` at once
 * @throws StreamError `INTAKE_FULL`, `JOURNAL_FULL`, `STREAM_FINISHED`, `VALUE_NOT_ENCODABLE`
 * @throws BackendError `BACKEND_IN_USE` for a second subscription while one goes on; those of the storage and its journal
 * @example A count that survives
 * ```ts
 * const storage = memory()
 * const counted = checkpointed('clicks', { storage, journal: true, atEnd: 'suspend' }, (clicks: Stream<string>) =>
 *   clicks.pipe(
 *     keyBy((user) => user),
 *     statefulMap('count', { state: t.number, initial: 0 }, (n, user) => [n + 1, `${user} ${n + 1}`]),
 *   ),
 * )
 * await lastValueFrom(of('ada', 'bob').pipe(counted, toArray())) // => ['ada 1', 'bob 1']
 * await lastValueFrom(of('ada').pipe(counted, toArray())) // => ['ada 2']
 * ```
 * @category checkpoints
 * @since 0.2.0
 */
export function checkpointed<T, R>(
  name: string,
  options: CheckpointedOptions<NoInfer<T>> & DeliveryWithCheckpoint<NoInfer<R>>,
  build: (values: Stream<T>, scope: InputScope) => AnyStream<R>,
): OperatorFunction<T, Delivered<R>>
export function checkpointed<T, R>(
  name: string,
  options: CheckpointedOptions<NoInfer<T>> & ImmediateDelivery,
  build: (values: Stream<T>, scope: InputScope) => AnyStream<R>,
): OperatorFunction<T, R>
export function checkpointed<T, R>(
  name: string,
  options: CheckpointedOptions<T> & (ImmediateDelivery | DeliveryWithCheckpoint<R>),
  build: (values: Stream<T>, scope: InputScope) => AnyStream<R>,
): OperatorFunction<T, R | Delivered<R>> {
  const run = runOptionsOf(name, options)
  const { journal = false, id, idKeptMs = Number.POSITIVE_INFINITY, atEnd = 'finish' } = options
  const { receivedMax = 1_000_000, journalBytesMax = 1024 ** 3, events = () => undefined } = options
  atLeast('receivedMax', receivedMax, 1)
  atLeast('journalBytesMax', journalBytesMax, 1)
  atLeast('idKeptMs', idKeptMs, 1)
  oneOf('atEnd', atEnd, ['finish', 'suspend'])
  const delivery = oneOf('delivery', options.delivery ?? 'immediate', ['immediate', 'withCheckpoint'])
  if (journal !== false && options.storage.manifest.journals !== true)
    throw new ConfigurationError('STORAGE_WITHOUT_JOURNAL', { name, storage: options.storage.manifest.name })
  const codec = stateCodec<unknown>(typeof journal === 'boolean' ? json<unknown>() : (journal as CodecOf<unknown>), { name, input: mainInput })
  const results = delivery === 'withCheckpoint' ? deliveredBy(name, options as DeliveryWithCheckpoint<unknown>) : undefined
  const firstOfEach = id === undefined ? undefined : firstOfId(id, idKeptMs)
  const runs = new ConsecutiveRuns()
  return (source) =>
    observable<R | Delivered<R>>((subscriber) => {
      const plain = new PlainRun(
        {
          run,
          intake: { journal: journal !== false, receivedMax, journalBytesMax, repeats: id !== undefined },
          atEnd,
          main: { name: mainInput, values: source, codec },
          results,
          build: (main, further) =>
            build((firstOfEach === undefined ? main : main.pipe(firstOfEach as never)) as Stream<T>, {
              input: (uid, values, { journal: of } = {}) => further(inputOf(name, uid, values, of as CodecOf<unknown> | undefined)) as Stream<never>,
            }),
          event: events,
        },
        subscriber as never,
      )
      runs.begin(plain.run)
      return () => plain.release()
    })
}

/** The name of the source that the operator is piped behind. */
const mainInput = 'checkpointed.source'

function inputOf(name: string, uid: string, values: Observable<unknown>, codec: CodecOf<unknown> | undefined): PlainInput {
  return {
    name: operatorUid(uid),
    values,
    codec: stateCodec<unknown>(codec ?? json<unknown>(), { name, input: uid }),
  }
}

function deliveredBy(name: string, { results, undeliveredMax = 10_000 }: DeliveryWithCheckpoint<unknown>) {
  atLeast('undeliveredMax', undeliveredMax, 1)
  return { codec: stateCodec<unknown>(results ?? json<unknown>(), { name, what: 'results' }), undeliveredMax }
}

/** Lets the first value of each id pass. */
const firstOfId = <T>(id: (value: T) => string, keptMs: number) => {
  const ttl = keptMs === Number.POSITIVE_INFINITY ? {} : { ttl: { afterMs: keptMs } }
  return processUnkeyed(
    'checkpointed.ids',
    { state: { seen: mapState(json<string>(), json<true>(), ttl) }, emits: emits<T>() },
    {
      onRecord(value: T, { state: { seen }, emit }) {
        const name = id(value)
        if (seen.has(name)) return
        seen.put(name, true)
        emit(value as never)
      },
    },
  )
}

function oneOf<A extends string>(option: string, found: A, expected: readonly A[]): A {
  if (!expected.includes(found)) throw new ConfigurationError('OPTION_INVALID', { option, found, expected })
  return found
}
