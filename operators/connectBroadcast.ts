import type { Observable } from 'rxjs'
import type { AnyStream, KeyReadingOperator, StreamElement } from '../lib/element.js'
import type { Emitted, OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Key } from '../lib/key.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import { type KeyedContext, KeyedView, type TimerContext } from '../lib/keyedView.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { Handles, NoStates, ReadonlyHandles, StateDescriptor, StateDescriptors } from '../lib/state/descriptor.js'

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

/** What the data side sees where there is no state per key. */
export interface PlainDataContext<At, BD, R> extends WithBroadcast<BD> {
  /** The key of the record, if its stream has keys. */
  readonly key: unknown extends At ? Key | undefined : At extends Key ? At : undefined
  readonly timestamp: number | undefined
  emit(...value: Emitted<R>): void
  emitTo<S>(side: SideOutput<S>, value: NoInfer<S>): void
}

interface KeyedOptions<BD, D, R> {
  readonly broadcast: BD
  readonly state?: D
  readonly emits?: OutputType<R>
}

interface KeyedFunctions<T, B, BD, D, At, R> {
  onBroadcast(rule: B, context: BroadcastContext<BD, D, R>): void | undefined
  onRecord(value: T, context: KeyedContext<At, D, R> & WithBroadcast<BD>): void | undefined
  onTimer?(at: number, context: TimerContext<At, D, R> & WithBroadcast<BD>): void | undefined
}

/**
 * Processes a stream by rules that arrive on another stream while it runs.
 *
 * Flink's broadcast state pattern. The data stream needs keys only for `state` and `onTimer`. The rules' stream counts for event
 * time, too: let it be idle, or bounded, where it has no watermarks.
 *
 * **When to use** for patterns, thresholds and switches that change without a restart.
 * **State** `broadcast`, written by the rules alone; `state` per key; timers. All owned by `uid`.
 * **Barrier** an input that has delivered it is held back until both have; then as {@link processKeyed}.
 *
 * @param uid - names the state; renaming it abandons what was stored
 * @param rules - the stream that every key sees; it needs no keys
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`; `STREAM_NOT_KEYED` with `state` or `onTimer` on a stream without keys
 * @example A limit that changes
 * ```ts
 * const limits = of(2).pipe(records())
 * const below = connectBroadcast('below', limits, { broadcast: { limit: valueState(t.number) }, emits: emits<number>() }, {
 *   onBroadcast(limit, { broadcast }) { broadcast.limit.update(limit) },
 *   onRecord(n: number, { broadcast, emit }) { if (n <= (broadcast.limit.value() ?? Infinity)) emit(n) },
 * })
 * await collect(of(1, 2, 3).pipe(records(), below)) // => [1, 2, 3]
 * ```
 * @category broadcast state
 * @since 0.2.0
 */
export function connectBroadcast<T, B, BD extends StateDescriptors, At = unknown, R = never>(
  uid: string,
  rules: AnyStream<B>,
  options: { readonly broadcast: BD; readonly state?: undefined; readonly emits?: OutputType<R> },
  on: {
    onBroadcast(rule: B, context: BroadcastContext<BD, NoStates, R>): void | undefined
    onRecord(value: T, context: PlainDataContext<At, BD, R>): void | undefined
    readonly onTimer?: undefined
  },
): <K extends At>(source: Observable<StreamElement<T, K>> & Observable<StreamElement<unknown, At>>) => Observable<StreamElement<R, K>>
// biome-ignore lint/complexity/noBannedTypes: an operator without keyed state has an empty object of states
export function connectBroadcast<T, B, BD extends StateDescriptors, D extends StateDescriptors = {}, At extends Key = Key, R = never>(
  uid: string,
  rules: AnyStream<B>,
  options: KeyedOptions<BD, D, R>,
  on: KeyedFunctions<T, B, BD, D, At, R>,
): KeyReadingOperator<T, At, R>
export function connectBroadcast(uid: string, rules: AnyStream<unknown>, states: unknown, on: unknown): never {
  const options = states as KeyedOptions<StateDescriptors, StateDescriptors, unknown>
  const functions = on as KeyedFunctions<unknown, unknown, StateDescriptors, StateDescriptors, Key, unknown>
  return operate<unknown, unknown>(
    {
      name: 'connectBroadcast',
      uid: operatorUid(uid),
      keyed: options.state !== undefined || functions.onTimer !== undefined,
      connects: [0],
      sides: 'any',
      create: (context) => new BroadcastMachine(context, options, functions),
    },
    [rules],
  ) as never
}

class BroadcastMachine<T, B, BD extends StateDescriptors, D extends StateDescriptors, At extends Key, R> implements Machine<T | B> {
  readonly putsOff = true
  private readonly keyed: KeyedOperatorState<D>
  private readonly broadcast: KeyedOperatorState<BD>
  private readonly dataSide: DataSideView<BD, D, At, R>
  private readonly ruleSide: RuleSideView<BD, D, R>

  constructor(
    context: MachineContext<R>,
    options: KeyedOptions<BD, D, R>,
    private readonly on: KeyedFunctions<T, B, BD, D, At, R>,
  ) {
    const machineContext = context as unknown as MachineContext<never>
    const state = options.state ?? ({} as D)
    this.keyed = new KeyedOperatorState(machineContext, state, (domain, at) => {
      this.dataSide.domain = domain
      this.on.onTimer?.(at, this.dataSide)
    })
    this.broadcast = KeyedOperatorState.withoutTimers(machineContext, options.broadcast, { prefix: 'broadcast:', owner: 'broadcast' })
    // Broadcast state belongs to no key: it is kept under one of its own.
    this.broadcast.enter(null, undefined)
    this.dataSide = new DataSideView(this.keyed, context, this.broadcast.handles)
    this.ruleSide = new RuleSideView(this.broadcast, context, this.keyed, state)
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

  processWatermark(timestampMs: number): boolean {
    if (!this.keyed.advance(timestampMs)) return false
    this.broadcast.expire()
    return true
  }
}

class DataSideView<BD, D extends StateDescriptors, At, R> extends KeyedView<At, D, R> implements WithBroadcast<BD> {
  readonly broadcast: ReadonlyHandles<BD>

  constructor(keyed: KeyedOperatorState<D>, context: MachineContext<R>, broadcast: Handles<BD>) {
    super(keyed, context)
    // The same handles: the type has no writing methods on this side.
    this.broadcast = broadcast as unknown as ReadonlyHandles<BD>
  }

  /** Of a record without one it is undefined: then there is no state per key either. */
  override get key(): At {
    return this.keyed.scope.keyIfAny as At
  }
}

class RuleSideView<BD extends StateDescriptors, D extends StateDescriptors, R> implements BroadcastContext<BD, D, R> {
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
