import type { Observable } from 'rxjs'
import type { KeyedOperatorOn, StreamElement } from '../lib/element.js'
import type { OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import { type KeyedContext, KeyedView, type TimerContext } from '../lib/keyedView.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { StateDescriptors } from '../lib/state/descriptor.js'

/**
 * Processes two keyed streams with states and timers that they share.
 *
 * Flink's `KeyedCoProcessFunction`. Which stream's record comes first is not promised; event time is that of the slower one.
 *
 * **When to use** to join or enrich by rules of one's own; for "within so many minutes of each other" there is {@link intervalJoin}.
 * **State** what `state` describes, and the timers, owned by `uid`.
 * **Barrier** an input that has delivered it is held back until both have; then as {@link processKeyed}.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param other - the second stream, with the same kind of key
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `STREAM_NOT_KEYED` unless both streams have keys
 * @example The first of one stream with the first of the other
 * ```ts
 * const names = of('ada').pipe(records(), keyBy(() => 1))
 * const greet = connectKeyed('greet', names, { state: { word: valueState(t.string) }, emits: emits<string>() }, {
 *   onFirst(word: string, { state }) { state.word.update(word) },
 *   onSecond(name, { state, emit }) { emit(`${state.word.value()} ${name}`) },
 * })
 * await collect(of('hello').pipe(records(), keyBy(() => 1), greet)) // => ['hello ada']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function connectKeyed<T, U, D extends StateDescriptors, At extends Key = Key, R = never>(
  uid: string,
  other: Observable<StreamElement<U, NoInfer<At>>>,
  options: { readonly state: D; readonly emits?: OutputType<R> },
  on: {
    onFirst(value: T, context: KeyedContext<At, D, R>): void | undefined
    onSecond(value: U, context: KeyedContext<At, D, R>): void | undefined
    onTimer?(at: number, context: TimerContext<At, D, R>): void | undefined
  },
): KeyedOperatorOn<T, At, R> {
  return operate<T | U, R>(
    {
      name: 'connectKeyed',
      uid: operatorUid(uid),
      keyed: true,
      connects: [0, 1],
      sides: 'any',
      create: (context) => new ConnectMachine<T, U, D, At, R>(context, options.state, on),
    },
    [other],
  ) as KeyedOperatorOn<T, At, R>
}

class ConnectMachine<T, U, D extends StateDescriptors, At extends Key, R> implements Machine<T | U> {
  readonly putsOff = true
  private readonly keyed: KeyedOperatorState<D>
  private readonly seen: KeyedView<At, D, R>

  constructor(
    context: MachineContext<R>,
    state: D,
    private readonly on: Parameters<typeof connectKeyed<T, U, D, At, R>>[3],
  ) {
    this.keyed = new KeyedOperatorState(context as unknown as MachineContext<never>, state, (domain, at) => {
      this.seen.domain = domain
      this.on.onTimer?.(at, this.seen)
    })
    this.seen = new KeyedView(this.keyed, context)
  }

  open(): void {
    this.keyed.open()
  }

  processRecord(value: T | U, timestamp: number | undefined, key: unknown, input?: number): void {
    this.keyed.enter(key, timestamp)
    if (input === 1) this.on.onSecond(value as U, this.seen)
    else this.on.onFirst(value as T, this.seen)
  }

  processWatermark(timestampMs: number): boolean {
    return this.keyed.advance(timestampMs)
  }
}
