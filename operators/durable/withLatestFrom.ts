import type { Observable } from 'rxjs'
import type { StateCodec } from '../../lib/codec.js'
import type { KeyedOperatorOn, StreamElement } from '../../lib/element.js'
import { operatorUid } from '../../lib/identity.js'
import type { Key } from '../../lib/key.js'
import type { MachineContext } from '../../lib/machine.js'
import { operate } from '../../lib/operate.js'
import { checkedTtl, type Ttl } from '../../lib/state/ttl.js'
import { JoiningMachine } from '../../lib/twin/joiningMachine.js'
import { codecsOf, type DurableJoinOptions, joinArguments, type Others, type ValuesOf } from '../../lib/twin/joinOptions.js'
import { LatestValues } from '../../lib/twin/latestValues.js'

/**
 * Emits each value with the latest ones of other streams, as RxJS's `withLatestFrom` does.
 *
 * A value that comes before every other stream has brought one is left out, as in RxJS. The stream ends with the first one.
 *
 * **When to use** in place of `withLatestFrom`; with keys, values meet whose keys are the same. For rules that all keys see there is
 * {@link connectBroadcast}.
 * **State** the latest value of each of the other streams, per key or one for streams without keys, owned by `uid`.
 * **Barrier** an input that has delivered it is held back until all have; then what changed is captured.
 * **Event time** a result carries that of the record of the first stream.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - another stream, or several in an array, with the same kind of key
 * @param options - `values`: what the values of the other streams look like; `ttl`: when one is forgotten
 * @param project - makes a result of the values; without it they are emitted as a tuple
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` where only some of the streams have keys
 * @example Prices at the rate that holds
 * ```ts
 * const rates = of(2, 3).pipe(records())
 * const prices = durable.withLatestFrom('prices', rates, (euros: number, rate) => euros * rate)
 * await collect(of(10).pipe(delay(0), records(), prices)) // => [30]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function withLatestFrom<T, U, K, C extends readonly unknown[] | []>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options?: DurableJoinOptions<[U], C>,
): KeyedOperatorOn<T, K, [T, U]>
export function withLatestFrom<T, U, K, R>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  project: (value: T, other: U) => R,
): KeyedOperatorOn<T, K, R>
export function withLatestFrom<T, U, K, C extends readonly unknown[] | [], R>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options: DurableJoinOptions<[U], C>,
  project: (value: T, other: U) => R,
): KeyedOperatorOn<T, K, R>
export function withLatestFrom<T, O extends Others<K>, K, C extends readonly unknown[] | []>(
  uid: string,
  others: readonly [...O],
  options?: DurableJoinOptions<ValuesOf<O>, C>,
): KeyedOperatorOn<T, K, [T, ...ValuesOf<O>]>
export function withLatestFrom<T, O extends Others<K>, K, R>(
  uid: string,
  others: readonly [...O],
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function withLatestFrom<T, O extends Others<K>, K, C extends readonly unknown[] | [], R>(
  uid: string,
  others: readonly [...O],
  options: DurableJoinOptions<ValuesOf<O>, C>,
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function withLatestFrom(uid: string, ...given: readonly unknown[]): never {
  const { others, options, project } = joinArguments<DurableJoinOptions<never, never>>(given)
  const codecs = codecsOf(uid, others.length, options.values)
  if (options.ttl !== undefined) checkedTtl(options.ttl)
  return operate<unknown, unknown>(
    {
      name: 'withLatestFrom',
      uid: operatorUid(uid),
      connects: Array.from({ length: others.length + 1 }, (_, input) => input),
      create: (context) => new WithLatestMachine(context, codecs, options.ttl, project),
    },
    others,
  ) as never
}

class WithLatestMachine extends JoiningMachine<unknown> {
  private readonly latest: LatestValues

  constructor(
    context: MachineContext<unknown>,
    codecs: readonly StateCodec<unknown>[],
    ttl: Ttl | undefined,
    private readonly project: (values: readonly unknown[]) => unknown,
  ) {
    super(context, 'withLatestFrom')
    this.latest = new LatestValues(context as unknown as MachineContext<never>, codecs, ttl)
  }

  override open(): void {
    this.latest.open()
    super.open()
  }

  processWatermark(): void {
    this.latest.expire()
  }

  inputEnded(input: number): void {
    if (input === 0) this.complete()
  }

  protected take(input: number, value: unknown, timestamp: number | undefined, key: Key): void {
    this.latest.enter(key, timestamp)
    if (input > 0) return this.latest.keep(input - 1, value, timestamp)
    const values = [value]
    if (this.latest.appendTo(values)) this.emit(this.project(values), timestamp, key)
  }

  protected forget(): void {
    this.latest.forget()
  }
}
