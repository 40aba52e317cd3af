import type { AnyStream, KeyReadingOperator } from '../lib/element.js'
import type { Emitted, OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import { type KeyedContext, KeyedView, type TimerContext } from '../lib/keyedView.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { Handles, ReadonlyHandles, StateDescriptor, StateDescriptors } from '../lib/state/descriptor.js'

/** What the broadcast side sees: it may write the broadcast state, and visit the state of every key. */
export interface BroadcastContext<BD, D, R> {
  readonly broadcast: Handles<BD>
  /** The event time of the rule. */
  readonly timestamp: number | undefined
  readonly watermark: number
  emit(...value: Emitted<R>): void
  emitTo<S>(side: SideOutput<S>, value: NoInfer<S>): void
  /** Visits every key that has a state, and lets it be changed. */
  applyToKeyedState<N extends keyof D & string>(name: N, visit: (key: Key, state: Handles<D>[N]) => void): void
}

/** What the data side sees of the broadcast state: it can only read it. */
export interface WithBroadcast<BD> {
  readonly broadcast: ReadonlyHandles<BD>
}

/**
 * Processes a keyed stream by rules that arrive on another stream while it runs.
 *
 * Flink's broadcast state pattern. The rules' stream counts for event time, too: let it be idle, or bounded, where it has no watermarks.
 *
 * **When to use** for patterns, thresholds and switches that change without a restart.
 * **State** `broadcast`, written by the rules alone; `state` per key; timers. All owned by `uid`.
 * **Barrier** an input that has delivered it is held back until both have; then as {@link processKeyed}.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param rules - the stream that every key sees; it needs no keys
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `STREAM_NOT_KEYED` where the data stream has no keys
 * @example A limit that changes
 * ```ts
 * const limits = of(2).pipe(records())
 * const below = connectBroadcast('below', limits, { broadcast: { limit: valueState(t.number) }, emits: emits<number>() }, {
 *   onBroadcast(limit, { broadcast }) { broadcast.limit.update(limit) },
 *   onRecord(n: number, { broadcast, emit }) { if (n <= (broadcast.limit.value() ?? Infinity)) emit(n) },
 * })
 * await collect(of(1, 2, 3).pipe(records(), keyBy(() => 'all'), below)) // => [1, 2, 3]
 * ```
 * @category broadcast state
 * @since 0.2.0
 */
// biome-ignore lint/complexity/noBannedTypes: an operator without keyed state has an empty object of states
export function connectBroadcast<T, B, BD extends StateDescriptors, D extends StateDescriptors = {}, At extends Key = Key, R = never>(
  uid: string,
  rules: AnyStream<B>,
  options: { readonly broadcast: BD; readonly state?: D; readonly emits?: OutputType<R> },
  on: {
    onBroadcast(rule: B, context: BroadcastContext<BD, D, R>): void | undefined
    onRecord(value: T, context: KeyedContext<At, D, R> & WithBroadcast<BD>): void | undefined
    onTimer?(at: number, context: TimerContext<At, D, R> & WithBroadcast<BD>): void | undefined
  },
): KeyReadingOperator<T, At, R> {
  return operate<T | B, R>(
    {
      name: 'connectBroadcast',
      uid: operatorUid(uid),
      keyed: true,
      connects: [0],
      sides: 'any',
      create: (context) => new BroadcastMachine<T, B, BD, D, At, R>(context, options, on),
    },
    [rules],
  ) as unknown as KeyReadingOperator<T, At, R>
}

class BroadcastMachine<T, B, BD extends StateDescriptors, D extends StateDescriptors, At extends Key, R> implements Machine<T | B> {
  private readonly keyed: KeyedOperatorState<D>
  private readonly broadcast: KeyedOperatorState<BD>
  private readonly dataSide: DataView<BD, D, At, R>
  private readonly ruleSide: RuleView<BD, D, R>

  constructor(
    context: MachineContext<R>,
    options: Parameters<typeof connectBroadcast<T, B, BD, D, At, R>>[2],
    private readonly on: Parameters<typeof connectBroadcast<T, B, BD, D, At, R>>[3],
  ) {
    const machineContext = context as unknown as MachineContext<never>
    const state = options.state ?? ({} as D)
    this.keyed = new KeyedOperatorState(machineContext, state, (domain, at) => {
      this.dataSide.domain = domain
      this.on.onTimer?.(at, this.dataSide)
    })
    this.broadcast = KeyedOperatorState.withoutTimers(machineContext, options.broadcast, 'broadcast:')
    // Broadcast state belongs to no key: it is kept under one of its own.
    this.broadcast.enter(null, undefined)
    this.dataSide = new DataView(this.keyed, context, this.broadcast.handles)
    this.ruleSide = new RuleView(this.broadcast, context, this.keyed, state)
  }

  open(): void {
    this.broadcast.open()
    this.keyed.open()
  }

  processRecord(value: T | B, timestamp: number | undefined, key: unknown, input?: number): void {
    if (input === 1) {
      this.keyed.scope.leave()
      this.broadcast.enter(null, timestamp)
      this.on.onBroadcast(value as B, this.ruleSide)
    } else {
      this.keyed.enter(key, timestamp)
      this.on.onRecord(value as T, this.dataSide)
    }
  }

  processWatermark(timestampMs: number): void {
    this.keyed.advance(timestampMs)
    this.broadcast.expire()
  }
}

class DataView<BD, D extends StateDescriptors, At, R> extends KeyedView<At, D, R> implements WithBroadcast<BD> {
  readonly broadcast: ReadonlyHandles<BD>

  constructor(keyed: KeyedOperatorState<D>, context: MachineContext<R>, broadcast: Handles<BD>) {
    super(keyed, context)
    // The same handles: the type has no writing methods on this side.
    this.broadcast = broadcast as unknown as ReadonlyHandles<BD>
  }
}

class RuleView<BD extends StateDescriptors, D extends StateDescriptors, R> implements BroadcastContext<BD, D, R> {
  readonly broadcast: Handles<BD>

  constructor(
    private readonly rules: KeyedOperatorState<BD>,
    private readonly context: MachineContext<R>,
    private readonly keyed: KeyedOperatorState<D>,
    private readonly descriptors: D,
  ) {
    this.broadcast = rules.handles
  }

  get timestamp(): number | undefined {
    return this.rules.scope.timestamp
  }

  get watermark(): number {
    return this.context.watermark()
  }

  readonly emit = (...[value]: Emitted<R>): void => {
    this.context.output.processRecord(value as R, this.timestamp, undefined)
  }

  readonly emitTo = <S>(side: SideOutput<S>, value: S): void => {
    this.context.side(side).processRecord(value, this.timestamp, undefined)
  }

  readonly applyToKeyedState = <N extends keyof D & string>(name: N, visit: (key: Key, state: Handles<D>[N]) => void): void => {
    this.keyed.forEachKey(this.descriptors[name] as StateDescriptor, (key, state) => visit(key, state as Handles<D>[N]))
  }
}
