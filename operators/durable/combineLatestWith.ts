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
 * Emits the latest values of several streams whenever one of them brings one, as RxJS's `combineLatestWith` does.
 *
 * **When to use** in place of `combineLatestWith`; with keys, values meet whose keys are the same.
 * **State** the latest value of each stream, per key or one for streams without keys, owned by `uid`.
 * **Barrier** an input that has delivered it is held back until all have; then what changed is captured.
 * **Event time** a result carries the latest event time of its values, or none where the last of them to come has none.
 * **Laws** twin-equivalence · barrier-conservation · barrier-transparency · key-isolation · restore-equivalence · recovery-equivalence
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - another stream, or several in an array, with the same kind of key
 * @param options - `values`: what the values of the streams look like, beginning with the first; `ttl`: when a value is forgotten
 * @param project - makes a result of the values; without it they are emitted as a tuple
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` where only some of the streams have keys
 * @example Both sides of a pair
 * ```ts
 * const names = of('ada', 'bob').pipe(records())
 * await collect(of(1).pipe(records(), durable.combineLatestWith('pair', names))) // => [[1, 'ada'], [1, 'bob']]
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function combineLatestWith<T, U, K, C extends readonly unknown[] | []>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options?: DurableJoinOptions<[T, U], C>,
): KeyedOperatorOn<T, K, [T, U]>
export function combineLatestWith<T, U, K, R>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  project: (value: T, other: U) => R,
): KeyedOperatorOn<T, K, R>
export function combineLatestWith<T, U, K, C extends readonly unknown[] | [], R>(
  uid: string,
  other: Observable<StreamElement<U, K>>,
  options: DurableJoinOptions<[T, U], C>,
  project: (value: T, other: U) => R,
): KeyedOperatorOn<T, K, R>
export function combineLatestWith<T, O extends Others<K>, K, C extends readonly unknown[] | []>(
  uid: string,
  others: readonly [...O],
  options?: DurableJoinOptions<[T, ...ValuesOf<O>], C>,
): KeyedOperatorOn<T, K, [T, ...ValuesOf<O>]>
export function combineLatestWith<T, O extends Others<K>, K, R>(
  uid: string,
  others: readonly [...O],
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function combineLatestWith<T, O extends Others<K>, K, C extends readonly unknown[] | [], R>(
  uid: string,
  others: readonly [...O],
  options: DurableJoinOptions<[T, ...ValuesOf<O>], C>,
  project: (...values: [T, ...ValuesOf<O>]) => R,
): KeyedOperatorOn<T, K, R>
export function combineLatestWith(uid: string, ...given: readonly unknown[]): never {
  const { others, options, project } = joinArguments<DurableJoinOptions<never, never>>(given)
  const inputs = others.length + 1
  const codecs = codecsOf(uid, inputs, options.values)
  if (options.ttl !== undefined) checkedTtl(options.ttl)
  return operate<unknown, unknown>(
    {
      name: 'combineLatestWith',
      uid: operatorUid(uid),
      connects: Array.from({ length: inputs }, (_, input) => input),
      create: (context) => new CombineLatestMachine(context, codecs, options.ttl, project),
    },
    others,
  ) as never
}

class CombineLatestMachine extends JoiningMachine<unknown> {
  private readonly latest: LatestValues

  constructor(
    context: MachineContext<unknown>,
    codecs: readonly StateCodec<unknown>[],
    ttl: Ttl | undefined,
    private readonly project: (values: readonly unknown[]) => unknown,
  ) {
    super(context, 'combineLatestWith')
    this.latest = new LatestValues(context as unknown as MachineContext<never>, codecs, ttl)
  }

  override open(): void {
    this.latest.open()
    super.open()
  }

  processWatermark(): void {
    this.latest.expire()
  }

  protected take(input: number, value: unknown, timestamp: number | undefined, key: Key): void {
    this.latest.enter(key, timestamp)
    this.latest.keep(input, value, timestamp)
    const values: unknown[] = []
    if (!this.latest.appendTo(values)) return
    // One that was brought about by a value without event time has none: with that of another one it could be late.
    this.emit(this.project(values), timestamp === undefined ? undefined : this.latest.timestamp, key)
  }

  protected forget(): void {
    this.latest.forget()
  }
}
