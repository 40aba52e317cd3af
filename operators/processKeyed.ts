import type { KeyReadingOperator } from '../lib/element.js'
import type { OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import { type KeyedContext, KeyedView, type TimerContext } from '../lib/keyedView.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { StateDescriptors } from '../lib/state/descriptor.js'

export interface ProcessOptions<D, R> {
  /** The states, by name. */
  readonly state: D
  /** The type of the results: `emits<Result>()`. */
  readonly emits?: OutputType<R>
}

/**
 * Processes each record with several named states, timers and side outputs per key.
 *
 * Flink's `KeyedProcessFunction`. A result carries the event time of its record, that of an event-time timer, or none behind a
 * processing-time timer.
 *
 * **When to use** for what {@link statefulMap} and {@link window} cannot say: timeouts, sessions of one's own, state of several kinds.
 * **State** what `state` describes, and the timers, owned by `uid`.
 * **Barrier** captures what changed, forwards the barrier, persists in the background, acknowledges.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`, `OPTION_INVALID`; `STREAM_NOT_KEYED` without `keyBy` before it
 * @example Every second record of a key
 * ```ts
 * const everySecond = processKeyed('every-second', { state: { seen: valueState(t.number, { initial: 0 }) }, emits: emits<string>() }, {
 *   onRecord(word: string, { state, emit }) {
 *     state.seen.update(state.seen.value() + 1)
 *     if (state.seen.value() % 2 === 0) emit(word)
 *   },
 * })
 * await collect(of('a', 'b', 'a', 'a', 'a').pipe(records(), keyBy((word) => word), everySecond)) // => ['a', 'a']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function processKeyed<T, D extends StateDescriptors, At extends Key = Key, R = never>(
  uid: string,
  options: ProcessOptions<D, R>,
  on: {
    onRecord(value: T, context: KeyedContext<At, D, R>): void | undefined
    onTimer?(at: number, context: TimerContext<At, D, R>): void | undefined
  },
): KeyReadingOperator<T, At, R> {
  return operate<T, R>({
    name: 'processKeyed',
    uid: operatorUid(uid),
    keyed: true,
    sides: 'any',
    create: (context) => new ProcessMachine<T, D, At, R>(context, options, on),
  }) as KeyReadingOperator<T, At, R>
}

type Functions<T, D extends StateDescriptors, At extends Key, R> = Parameters<typeof processKeyed<T, D, At, R>>[2]

class ProcessMachine<T, D extends StateDescriptors, At extends Key, R> implements Machine<T> {
  private readonly keyed: KeyedOperatorState<D>
  readonly putsOff = true
  private readonly seen: KeyedView<At, D, R>

  constructor(
    context: MachineContext<R>,
    options: ProcessOptions<D, R>,
    private readonly on: Functions<T, D, At, R>,
  ) {
    this.keyed = new KeyedOperatorState(context as unknown as MachineContext<never>, options.state, (domain, at) => {
      this.seen.domain = domain
      this.on.onTimer?.(at, this.seen)
    })
    this.seen = new KeyedView(this.keyed, context)
  }

  open(): void {
    this.keyed.open()
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    this.keyed.enter(key, timestamp)
    this.on.onRecord(value, this.seen)
  }

  processWatermark(timestampMs: number): boolean {
    return this.keyed.advance(timestampMs)
  }
}
