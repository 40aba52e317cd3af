import { option } from 'fp-ts'
import type { Observable } from 'rxjs'
import type { AnyStream } from './element.js'
import { ConfigurationError, invariant } from './errors.js'
import { operatorUid } from './identity.js'
import type { Machine } from './machine.js'
import { operate } from './operate.js'
import type { SinkWriter, TransactionalSink } from './ports/transactionalSink.js'

declare const sunk: unique symbol

/** What a stream becomes behind a sink; a job is built of these. */
export interface Sunk {
  readonly [sunk]: 'end the stream in sink(...)'
}

/**
 * Ends a stream in a transactional sink.
 *
 * What it writes becomes visible when the checkpoint behind it is complete, and once. In a job of several instances each writes what it
 * has for its own keys; of a stream without a `keyBy`, which every instance has whole, only the first one does.
 *
 * **When to use** as the last operator of every branch of a job.
 * **State** the transactions that are not confirmed yet, in the checkpoint.
 * **Barrier** ends the transaction, forwards the barrier, acknowledges with the handle that commits it.
 *
 * @param uid - names the sink's transactions; renaming it abandons those that are pending
 * @throws ConfigurationError `NAME_INVALID`; `SOURCE_NOT_REPLAYABLE` where there is no job around it
 * @category sources and sinks
 * @since 0.1.0
 */
export function sink<T>(uid: string, to: TransactionalSink<T>): (source: AnyStream<T>) => Observable<Sunk> {
  operatorUid(uid)
  if ((to as { commits?: unknown } | undefined)?.commits !== 'transactional')
    throw new ConfigurationError('OPTION_INVALID', { uid, option: 'to', expected: 'a transactional sink' })
  const end = operate<T, never>({
    name: 'sink',
    uid,
    keys: 'none',
    create: ({ share, isSplit }) => new SinkMachine(to, share === undefined || isSplit || share.index === 0),
  })
  return (source) => end(source) as unknown as Observable<Sunk>
}

class SinkMachine<T> implements Machine<T> {
  written = 0
  private writer: SinkWriter<T> | undefined

  constructor(
    readonly sink: TransactionalSink<T>,
    /** Of what every instance of the job has, the first one writes. */
    private readonly writes: boolean,
  ) {}

  attachWriter(writer: SinkWriter<T>): void {
    this.writer = writer
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    invariant(this.writer !== undefined, 'a sink is open before its first record')
    if (!this.writes) return
    this.writer.write(value, timestamp, key)
    this.written += 1
  }

  endOfInput(): void {
    this.writer?.endOfInput?.()
  }

  preCommit(checkpointId: Parameters<SinkWriter<T>['preCommit']>[0]): ReturnType<SinkWriter<T>['preCommit']> {
    return this.writer?.preCommit(checkpointId) ?? (async () => ({ _tag: 'Right', right: option.none }))
  }
}
