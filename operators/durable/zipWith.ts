import type { Observable } from 'rxjs'
import type { StateCodec } from '../../lib/codec.js'
import type { KeyedOperatorOn, StreamElement } from '../../lib/element.js'
import { StreamError } from '../../lib/errors.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import { atLeast } from '../../lib/limits.js'
import type { MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import type { EntryTable } from '../../lib/state/entryTable.js'
import type { Row } from '../../lib/state/row.js'
import { JoiningMachine } from '../../lib/twin/joiningMachine.js'
import { codecsOf, type DurableJoinOptions, joinArguments, type Others, type ValuesOf } from '../../lib/twin/joinOptions.js'
import { later, type TimedValue, timedCodec } from '../../lib/twin/timedValue.js'

export interface ZipOptions<V extends readonly unknown[], C extends readonly unknown[] | []> extends Omit<DurableJoinOptions<V, C>, 'ttl'> {
  /** So many values of one stream wait for those of the others at a time, of all keys together; more end the run. Default 100,000. */
  readonly queuedValuesMax?: number
}

/**
 * Emits the first values of several streams together, then the second ones, as RxJS's `zipWith` does.
 *
 * The stream ends when one of the others cannot bring another partner, as in RxJS.
 *
 * **When to use** in place of `zipWith`; with keys, values meet whose keys are the same.
 * **State** the values that wait for a partner, in their order, owned by `uid`.
 * **Barrier** an input that has delivered it is held back until all have; then what changed is captured.
 * **Event time** a result carries the latest event time of its values, or none where the last of them to come has none.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - another stream, or several in an array, with the same kind of key
 * @param options - `values`: what the values of the streams look like, beginning with the first; `queuedValuesMax`: how many wait
 * @param project - makes a result of the values; without it they are emitted as a tuple
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` where only some of the streams have keys
 * @throws StreamError `ZIP_QUEUE_FULL`
 * @example Names and ages
 * ```ts
 * const ages = of(36, 25).pipe(records())
 * await collect(of('ada', 'bob', 'eve').pipe(records(), durable.zipWith('people', ages))) // => [['ada', 36], ['bob', 25]]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function zipWith<T, U, K, C extends readonly unknown[] | []>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options?: ZipOptions<[T, U], C>,
): KeyedOperatorOn<T, K, [T, U]>
export function zipWith<T, U, K, R>(uid: string, other: Observable<StreamElement<U, K>>, project: (value: T, other: U) => R): KeyedOperatorOn<T, K, R>
export function zipWith<T, U, K, C extends readonly unknown[] | [], R>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options: ZipOptions<[T, U], C>,
  project: (value: T, other: U) => R,
): KeyedOperatorOn<T, K, R>
export function zipWith<T, O extends Others<K>, K, C extends readonly unknown[] | []>(
  uid: string,
  others: readonly [...O],
  options?: ZipOptions<[T, ...ValuesOf<O>], C>,
): KeyedOperatorOn<T, K, [T, ...ValuesOf<O>]>
export function zipWith<T, O extends Others<K>, K, R>(
  uid: string,
  others: readonly [...O],
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function zipWith<T, O extends Others<K>, K, C extends readonly unknown[] | [], R>(
  uid: string,
  others: readonly [...O],
  options: ZipOptions<[T, ...ValuesOf<O>], C>,
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function zipWith(uid: string, ...given: readonly unknown[]): never {
  const { others, options, project } = joinArguments<ZipOptions<never, never>>(given)
  const { queuedValuesMax = 100_000 } = options
  const inputs = others.length + 1
  const codecs = codecsOf(uid, inputs, options.values)
  atLeast('queuedValuesMax', queuedValuesMax, 1)
  return operate<unknown, unknown>(
    {
      name: 'zipWith',
      uid: operatorUid(uid),
      connects: Array.from({ length: inputs }, (_, input) => input),
      create: (context) => new ZipMachine(context, codecs, queuedValuesMax, project),
    },
    others,
  ) as never
}

class ZipMachine extends JoiningMachine<unknown> {
  private readonly queues: readonly EntryTable<TimedValue<unknown>>[]
  private readonly ended: boolean[]

  constructor(
    context: MachineContext<unknown>,
    codecs: readonly StateCodec<unknown>[],
    private readonly queuedValuesMax: number,
    private readonly project: (values: readonly unknown[]) => unknown,
  ) {
    super(context, 'zipWith')
    this.queues = codecs.map((codec, input) => context.entries({ table: `queue${input}`, state: `queue${input}`, codec: timedCodec(codec) }))
    this.ended = codecs.map(() => false)
  }

  override open(): void {
    for (const queue of this.queues) queue.order()
    super.open()
  }

  inputEnded(input: number): void {
    this.ended[input] = true
    const ended = this.queues[input] as EntryTable<TimedValue<unknown>>
    if (ended.size === 0) return this.complete()
    // What has no partner will never have one.
    for (const queue of this.queues) for (const row of queue.rows()) if (ended.sizeOf(row.key, undefined) === 0) queue.remove(row)
  }

  protected take(input: number, value: unknown, timestamp: number | undefined, key: Key): void {
    const { queues } = this
    for (let other = 0; other < queues.length; other++)
      if (other !== input && this.queue(other).sizeOf(key, undefined) === 0) return this.wait(input, value, timestamp, key)
    const values: unknown[] = []
    let time = timestamp
    for (let other = 0; other < queues.length; other++) {
      if (other === input) {
        values.push(value)
        continue
      }
      const [row] = this.queue(other).entries(key, undefined) as Iterable<Row<TimedValue<unknown>>>
      if (row === undefined) continue
      values.push(row.value.value)
      if (timestamp !== undefined) time = later(time, row.value.timestamp)
      this.queue(other).remove(row)
    }
    this.emit(this.project(values), time, key)
    this.endWhereNoneFollows(key)
  }

  protected forget(): void {
    for (const queue of this.queues) for (const row of queue.rows()) queue.remove(row)
  }

  private wait(input: number, value: unknown, timestamp: number | undefined, key: Key): void {
    if (this.cannotBeMet(key)) return
    const queue = this.queue(input)
    if (queue.size >= this.queuedValuesMax)
      throw new StreamError('ZIP_QUEUE_FULL', { uid: this.context.uid, input, queuedValuesMax: this.queuedValuesMax })
    queue.create(key, undefined, queue.nextNumber(key, undefined), { value, timestamp })
  }

  /** A stream that has ended has nothing more for the key. */
  private cannotBeMet(key: Key): boolean {
    return this.ended.some((ended, input) => ended && this.queue(input).sizeOf(key, undefined) === 0)
  }

  private endWhereNoneFollows(key: Key): void {
    if (!this.ended.includes(true)) return
    if (this.ended.some((ended, input) => ended && this.queue(input).size === 0)) this.complete()
    else if (this.cannotBeMet(key)) for (const queue of this.queues) for (const row of queue.entries(key, undefined)) queue.remove(row)
  }

  private queue(input: number): EntryTable<TimedValue<unknown>> {
    return this.queues[input] as EntryTable<TimedValue<unknown>>
  }
}
