import type { AnyKeyOperator } from '../lib/element.js'
import type { Emitted, OutputType } from '../lib/emits.js'
import { operatorUid } from '../lib/identity.js'
import type { Json } from '../lib/json.js'
import { KeyedOperatorState } from '../lib/keyedOperator.js'
import type { Machine, MachineContext } from '../lib/machine.js'
import { operate } from '../lib/operate.js'
import type { SideOutput } from '../lib/sideOutput.js'
import type { Handles, StateDescriptors } from '../lib/state/descriptor.js'

/** What a function of an operator without keys sees. */
export interface UnkeyedContext<D, R> {
  /** The operator's state: one for the whole operator. */
  readonly state: Handles<D>
  readonly timestamp: number | undefined
  readonly watermark: number
  emit(...value: Emitted<R>): void
  emitTo<S>(side: SideOutput<S>, value: NoInfer<S>): void
}

/**
 * Processes each record with state that belongs to the operator and not to a key.
 *
 * Flink's `ProcessFunction` with operator state and `CheckpointedFunction`: a buffer before a sink, the offsets of a source of one's own.
 *
 * **When to use** where there is no key. With one, {@link processKeyed} scales and has timers.
 * **State** what `state` describes, one for the whole operator, owned by `uid`. Behind a `keyBy`, in a job of several instances, each
 * instance has its own, and only lists can be put together and cut: evenly, or whole for every instance ({@link unionListState}).
 * **Barrier** `snapshotState` is called, then the state is captured.
 *
 * @param on - `onRecord`; `initializeState` before the first record, told whether state was restored; `snapshotState` at a barrier
 * @throws ConfigurationError `NAME_INVALID`, `CODEC_INVALID`
 * @example Records in pairs
 * ```ts
 * const pairs = processUnkeyed('pairs', { state: { waiting: listState(t.string) }, emits: emits<string>() }, {
 *   onRecord(word: string, { state, emit }) {
 *     state.waiting.add(word)
 *     if (state.waiting.size < 2) return
 *     emit([...state.waiting].join('+'))
 *     state.waiting.clear()
 *   },
 * })
 * await collect(of('a', 'b', 'c', 'd').pipe(records(), pairs)) // => ['a+b', 'c+d']
 * ```
 * @category keyed state
 * @since 0.2.0
 */
export function processUnkeyed<T, D extends StateDescriptors, R = never>(
  uid: string,
  options: { readonly state: D; readonly emits?: OutputType<R> },
  on: {
    onRecord(value: T, context: UnkeyedContext<D, R>): void | undefined
    onWatermark?(watermark: number, context: UnkeyedContext<D, R>): void | undefined
    onEnd?(context: UnkeyedContext<D, R>): void | undefined
    initializeState?(context: { readonly state: Handles<D>; readonly restored: boolean }): void | undefined
    snapshotState?(context: { readonly state: Handles<D> }): void | undefined
  },
): AnyKeyOperator<T, R> {
  return operate<T, R>({
    name: 'processUnkeyed',
    uid: operatorUid(uid),
    sides: 'any',
    create: (context) => new UnkeyedMachine<T, D, R>(context, options.state, on),
  })
}

class UnkeyedMachine<T, D extends StateDescriptors, R> implements Machine<T>, UnkeyedContext<D, R> {
  private readonly kept: KeyedOperatorState<D>
  private restored = false
  private key: unknown
  timestamp: number | undefined

  constructor(
    private readonly context: MachineContext<R>,
    state: D,
    private readonly on: Parameters<typeof processUnkeyed<T, D, R>>[2],
  ) {
    this.kept = KeyedOperatorState.withoutTimers(context as unknown as MachineContext<never>, state, { owner: 'instance' })
    // State of the operator belongs to no key: it is kept under one of its own.
    this.kept.enter(null, undefined)
  }

  get state(): Handles<D> {
    return this.kept.handles
  }

  get watermark(): number {
    return this.context.watermark()
  }

  open(): void {
    this.kept.open()
    this.on.initializeState?.({ state: this.state, restored: this.restored })
  }

  processRecord(value: T, timestamp: number | undefined, key: unknown): void {
    this.timestamp = timestamp
    this.key = key
    this.kept.enter(null, timestamp)
    this.on.onRecord(value, this)
  }

  processWatermark(timestampMs: number): void {
    this.timestamp = undefined
    this.key = undefined
    this.kept.expire()
    this.on.onWatermark?.(timestampMs, this)
  }

  endOfInput(): void {
    this.timestamp = undefined
    this.key = undefined
    this.on.onEnd?.(this)
  }

  snapshotState(): Json {
    this.on.snapshotState?.({ state: this.state })
    return true
  }

  restoreState(): void {
    this.restored = true
  }

  readonly emit = (...[value]: Emitted<R>): void => {
    this.context.output.processRecord(value as R, this.timestamp, this.key)
  }

  readonly emitTo = <S>(side: SideOutput<S>, value: S): void => {
    this.context.side(side).processRecord(value, this.timestamp, undefined)
  }
}
